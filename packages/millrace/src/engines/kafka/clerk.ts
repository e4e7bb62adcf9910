import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError, MillraceError } from '../../core/errors.js'
import { Batch } from './batch.js'
import type { Bodies } from './bodies.js'
import type { Book, BookEvents, Kept, KeptHold } from './book.js'
import { Due } from './due.js'
import { askOf, isHeld, parked, released } from './held-row.js'
import type { Answer, Change } from './ledger.js'
import type { Transactor } from './port.js'
import { encodeHeld, heldId, type WantRow } from './rows.js'
import type { Keeps, Steward } from './steward.js'
import type { KafkaStore } from './store.js'
import type { Waits } from './waiting.js'
import { Window } from './window.js'

/** Holds in one transaction, and in one write, at most. */
const batchMost = 500
const turnMs = 1_000
/** Unused for so long, a transactor is closed. */
const idleMs = 60_000

/**
 * Does the steward's work on holds. Messages without a place take it in transactions, each with the end of its hold, and only here; groups get
 * theirs by a change of the hold. Decisions are carried out whether this instance keeps or not; what ripens waits for one that does.
 */
export class Clerk {
  readonly events: BookEvents
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #steward: Steward
  readonly #keeps: Keeps
  readonly #bodies: Bodies
  readonly #window: Window
  readonly #drafts = new Due(releaseOfDraft)
  readonly #others = new Due(releaseOrParking)
  readonly #wants = new Map<string, Kept<WantRow>>()
  #transactor: Transactor | undefined
  #usedAt: Millis = 0
  #most = batchMost
  #running: Promise<void> | undefined
  #isAwake = false
  /** Something failed: it is tried again at the next turn. */
  #isStuck = false
  #isOver = false
  /** By the wall clock. */
  #armedFor: Millis = Infinity
  #cancel: Cancel = () => undefined

  constructor(store: KafkaStore, book: Book, bodies: Bodies, steward: Steward, keeps: Keeps) {
    this.#store = store
    this.#book = book
    this.#steward = steward
    this.#keeps = keeps
    this.#bodies = bodies
    this.#window = new Window(store, book, (waits) => bodies.sweep(book, waits), this.#drafts, () => this.#arm())
    for (const kept of book.held.values()) this.#time(kept)
    for (const kept of book.wants.values()) this.#noteWant(kept)
    this.events = {
      held: (now, before) => this.#heldChanged(now, before),
      waits: (id, now) => {
        this.#window.changed(id, now)
        this.#arm()
      },
      anew: () => this.#window.forget(),
      want: (now) => this.#wantChanged(now),
      gone: () => void this.close(),
    }
  }

  /** There may be something to do. */
  wake(): void {
    this.#isAwake = true
    if (this.#isOver || !this.#steward.isOurs) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // What came while it ended.
      if (this.#isAwake && !this.#isStuck) this.wake()
      else this.#arm()
    })
  }

  /** Once a second: what could not be done is tried again. */
  turn(): void {
    this.#isStuck = false
    this.#drafts.takeBack()
    this.#others.takeBack()
    if (this.#keeps.isKeeping) this.#window.look()
    if (this.#transactor && this.#running === undefined && this.#store.clock.monotonic() - this.#usedAt > idleMs) this.#letGo()
    this.wake()
  }

  /** Ends after what is under way. */
  async close(): Promise<void> {
    this.quiet()
    await this.#running
    await this.#transactor?.close()
  }

  quiet(): void {
    this.#isOver = true
    this.#cancel()
    this.#window.stop()
  }

  async #run(): Promise<void> {
    try {
      while (this.#isAwake && !this.#isOver && this.#steward.isOurs) {
        this.#isAwake = false
        const isMore = [await this.#releasePlaced(), await this.#releaseDrafts()]
        if (isMore.includes(true)) this.#isAwake = true
      }
    } catch (error) {
      this.#isStuck = true
      this.#letGo()
      if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `topic ${this.#book.topic}: held messages could not be released, it is tried again`))
    }
  }

  /** What belongs to a group, and what is parked. True when there may be more. */
  async #releasePlaced(): Promise<boolean> {
    if (!this.#keeps.isKeeping) return false
    const changes: Change[] = []
    for (const kept of this.#others.ripe(this.#store.clock.wall(), batchMost)) {
      const { id, row, version: is } = kept
      const { group } = row.hold
      if (group === undefined) changes.push({ id, value: encodeHeld(parked(kept)), when: { is } })
      else if (this.#book.groups.has(group)) changes.push({ id, value: encodeHeld(released(row)), when: { is } })
      else this.#others.setAside(kept)
    }
    if (changes.length === 0) return false
    check(await this.#book.ledger.put(changes))
    return true
  }

  /** What takes its place in the log now, and decisions about such. True when there may be more. */
  async #releaseDrafts(): Promise<boolean> {
    const isIdle = this.#wants.size === 0 && this.#ripeDrafts().length === 0
    if (isIdle && !this.#isSoon) return false
    const transactor = (this.#transactor ??= await this.#begin())
    this.#usedAt = this.#store.clock.monotonic()
    if (isIdle) return false
    const wants = [...this.#wants.values()].slice(0, this.#most)
    const bodies = await this.#bodies.read(this.#book, wants.flatMap((want) => this.#waitsFor(want)))
    if (!this.#steward.isOurs || this.#isOver) return false
    const batch = this.#fill(wants, bodies)
    if (batch.changes.length === 0) return false
    const { records, answers } = this.#book.ledger.prepare(batch.changes)
    const outcome = await transactor.commit([...batch.messages, ...records])
    if (outcome === 'committed') {
      check(await answers)
      this.#most = Math.min(batchMost, this.#most * 2)
      return true
    }
    if (outcome === 'aborted') this.#refused()
    else this.#letGo()
    return outcome !== 'aborted'
  }

  /** The first that takes its place need not wait for a transactor, which takes a second to make. */
  get #isSoon(): boolean {
    return this.#keeps.isKeeping && (this.#drafts.next() ?? Infinity) - this.#store.clock.wall() < idleMs
  }

  /** Whoever was the steward before cannot commit from here on, and what it has committed is read. */
  async #begin(): Promise<Transactor> {
    const transactor = await this.#store.client.transactor(this.#store.names.ledger(this.#book.topic))
    try {
      await this.#book.ledger.sync()
    } catch (error) {
      await transactor.close()
      throw error
    }
    return transactor
  }

  /** A delay whose message is needed for a decision. */
  #waitsFor({ row: { decision } }: Kept<WantRow>): readonly Waits[] {
    const waits = decision.to === 'drop' ? undefined : this.#book.waiting.get(heldId(decision.hold)?.id ?? '')
    return waits ? [waits] : []
  }

  #fill(wants: readonly Kept<WantRow>[], bodies: ReadonlyMap<string, KeptHold>): Batch {
    const batch = new Batch(this.#book, this.#store.names.topic(this.#book.topic), this.#store.clock.wall(), bodies)
    for (const want of wants) {
      if (batch.changes.length >= this.#most) return batch
      batch.carryOut(want)
    }
    for (const kept of this.#ripeDrafts()) {
      if (batch.changes.length >= this.#most) return batch
      batch.release(kept)
    }
    return batch
  }

  #ripeDrafts(): readonly KeptHold[] {
    return this.#keeps.isKeeping ? this.#drafts.ripe(this.#store.clock.wall(), this.#most) : []
  }

  /** Smaller next time, in case that it is one of them that Kafka does not take; when that one is alone the others go before it. */
  #refused(): void {
    this.#isStuck = true
    if (this.#most === 1) {
      const [want] = this.#wants.values()
      if (want) {
        this.#wants.delete(want.id)
        this.#wants.set(want.id, want)
      } else for (const kept of this.#ripeDrafts()) this.#drafts.setAside(kept)
    }
    this.#most = Math.max(1, this.#most >> 2)
    this.#store.report(new MillraceError('ENGINE_FAILED', `topic ${this.#book.topic}: Kafka has not taken a release of held messages, it is tried again`))
  }

  #letGo(): void {
    const transactor = this.#transactor
    this.#transactor = undefined
    transactor?.close().catch(this.#store.report)
  }

  #heldChanged(now: KeptHold | undefined, before: KeptHold | undefined): void {
    if (now) this.#time(now)
    else if (before) {
      this.#drafts.remove(before.id)
      this.#others.remove(before.id)
    }
    this.#arm()
  }

  #time(kept: KeptHold): void {
    this.#drafts.put(kept)
    this.#others.put(kept)
  }

  #wantChanged(now: Kept<WantRow> | undefined): void {
    this.#noteWant(now)
    if (this.#wants.size > 0) this.wake()
  }

  #noteWant(now: Kept<WantRow> | undefined): void {
    if (now && now.row.answer === undefined) this.#wants.set(now.id, now)
    else if (now) this.#wants.delete(now.id)
  }

  /** Wakes when the next is due; what is a second away is left to the turns, as the wall clock may jump. */
  #arm(): void {
    if (this.#isOver || this.#isStuck || this.#running || !this.#steward.isOurs || !this.#keeps.isKeeping) return
    const now = this.#store.clock.wall()
    const dueAt = Math.max(now, Math.min(this.#drafts.next() ?? Infinity, this.#others.next() ?? Infinity))
    if (dueAt >= this.#armedFor || dueAt - now >= turnMs) return
    this.#cancel()
    this.#armedFor = dueAt
    this.#cancel = this.#store.clock.after(dueAt - now, () => {
      this.#armedFor = Infinity
      this.wake()
    })
  }
}

/** Refused ones have changed meanwhile. */
function check(answers: readonly Answer[]): void {
  for (const answer of answers) if ('error' in answer) throw answer.error
}

function releaseOfDraft({ row: { hold, offset } }: KeptHold): Millis | undefined {
  return offset === null && hold.then === 'release' && hold.until !== 'decided' ? hold.until : undefined
}

function releaseOrParking({ row }: KeptHold): Millis | undefined {
  const { until } = row.hold
  const ask = askOf(row)
  if (!isHeld(row) || until === 'decided') return undefined
  if (ask) return ask.checks <= 0 ? Math.min(until, ask.parkAt) : ask.parkAt
  return row.offset === null ? undefined : until
}
