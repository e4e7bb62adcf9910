import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Book, BookEvents } from './book.js'
import type { Condition } from './ledger.js'
import { encode, ids, type StewardRow } from './rows.js'
import type { KafkaStore } from './store.js'

const beatMs = 1_000
/** Without a beat for so long a steward is taken for dead. */
const silentMs = 4_000

/** Whether this instance ripens what is held. */
export interface Keeps {
  readonly isKeeping: boolean
}

/**
 * This instance's part in who is the steward of a topic: the one that releases, counts and cleans for it. A lease, taken by
 * compare-and-set. Who has lost it and does not know yet does no harm: what it writes is refused or fenced.
 */
export class Steward {
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #keeps: Keeps
  readonly #onTurn: () => void
  readonly #events: BookEvents
  /** Since when the row has not changed, by the monotonic clock. */
  #seen: { readonly version: Offset; readonly at: Millis } | undefined
  #cancel: Cancel = () => undefined
  #writing: Promise<void> | undefined
  #takingOver: Promise<void> | undefined
  #isOver = false

  /** `onTurn` is called when the stewardship may have changed, and once a second. */
  constructor(store: KafkaStore, book: Book, keeps: Keeps, onTurn: () => void) {
    this.#store = store
    this.#book = book
    this.#keeps = keeps
    this.#onTurn = onTurn
    this.#events = { steward: () => this.look(), gone: () => this.quiet() }
  }

  get isOurs(): boolean {
    return !this.#isOver && this.#book.steward?.row.instance === this.#store.instance
  }

  /** A change that only the steward may make. */
  get guard(): Condition {
    return { guard: ids.steward, epoch: this.#book.steward?.epoch ?? 0 }
  }

  start(): void {
    this.#book.listeners.add(this.#events)
    this.#turn()
  }

  /** What decides who is the steward may have changed. */
  look(): void {
    if (this.#isOver) return
    this.#notice()
    const isKeeping = this.#book.steward?.row.keeps
    if (this.isOurs && isKeeping !== this.#keeps.isKeeping) this.#write(this.guard)
    else if (this.#mayTake) this.#take()
    else if (this.#isSilent) this.#takeOver()
    if (this.isOurs) this.#onTurn()
  }

  /** Gives it up, so that others need not wait. */
  async close(): Promise<void> {
    const { isOurs, guard } = this
    this.quiet()
    await Promise.all([this.#writing, this.#takingOver])
    const { steward } = this.#book
    if (isOurs && steward) await this.#book.ledger.put([{ id: ids.steward, value: encode({ instance: '', keeps: false, beats: steward.row.beats }), when: guard }])
  }

  /** No word to anyone any more. */
  quiet(): void {
    this.#isOver = true
    this.#cancel()
    this.#book.listeners.delete(this.#events)
  }

  #turn(): void {
    if (this.#isOver) return
    this.#cancel = this.#store.clock.after(beatMs, () => this.#turn())
    this.look()
    if (this.isOurs) this.#write(this.guard)
  }

  #notice(): void {
    const version = this.#book.steward?.version
    if (version === undefined) this.#seen = undefined
    else if (this.#seen?.version !== version) this.#seen = { version, at: this.#store.clock.monotonic() }
  }

  get #mayTake(): boolean {
    const row = this.#book.steward?.row
    if (row === undefined || row.instance === '') return true
    return row.instance !== this.#store.instance && this.#keeps.isKeeping && !row.keeps
  }

  get #isSilent(): boolean {
    const row = this.#book.steward?.row
    if (row === undefined || row.instance === '' || row.instance === this.#store.instance) return false
    return this.#store.clock.monotonic() - (this.#seen?.at ?? Infinity) >= silentMs
  }

  #takeOver(): void {
    this.#takingOver ??= this.#follow().finally(() => (this.#takingOver = undefined))
  }

  /**
   * Takes it from one that is silent. When that one died in the middle of a release, its transaction is open and nobody can read on, not even that it was taken
   * from it: whoever makes its transactor anew ends it. After an outage all find it silent until its next beat: that is waited for, once the cluster answers.
   */
  async #follow(): Promise<void> {
    const { client, clock, names, report } = this.#store
    try {
      await client.admin.bounds(names.ledger(this.#book.topic), [0])
      await new Promise<void>((resolve) => void clock.after(beatMs * (1.5 + Math.random()), resolve))
      if (this.#isOver || !this.#isSilent) return
      const transactor = await client.transactor(names.ledger(this.#book.topic))
      await transactor.close()
    } catch (error) {
      report(asMillraceError(error, 'ENGINE_FAILED', `topic ${this.#book.topic}: who releases held messages is silent, and could not be followed; it is tried again`))
      return
    }
    this.#notice()
    if (!this.#isOver && this.#isSilent) this.#take()
  }

  #take(): void {
    const { steward } = this.#book
    this.#write(steward ? { is: steward.version } : 'new', (steward?.epoch ?? 0) + 1)
  }

  /** One at a time; what comes meanwhile is seen at the next turn. */
  #write(when: Condition, epoch?: number): void {
    if (this.#writing) return
    const row: StewardRow = { instance: this.#store.instance, keeps: this.#keeps.isKeeping, beats: (this.#book.steward?.row.beats ?? 0) + 1 }
    const writing = this.#book.ledger.put([{ id: ids.steward, value: encode(row), when, ...(epoch === undefined ? {} : { epoch }) }])
    this.#writing = writing.then(() => {
      this.#writing = undefined
      if (this.isOurs && this.#book.steward?.row.keeps !== this.#keeps.isKeeping) this.look()
    })
  }
}
