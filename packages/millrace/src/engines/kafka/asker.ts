import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { Decision } from '../../engine/engine.js'
import type { Book, BookEvents, KeptHold } from './book.js'
import { decide } from './decide.js'
import { Due } from './due.js'
import { askOf, claimed, parked } from './held-row.js'
import type { Keeper, Keepers } from './keeper.js'
import { encodeHeld } from './rows.js'
import type { KafkaStore } from './store.js'

const turnMs = 1_000

/** Asks about the prepared messages of a topic for whom this instance answers. Each question is claimed first, so that one instance asks it. */
export class Asker {
  readonly events: BookEvents
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #keepers: Keepers
  readonly #due = new Due((kept) => this.#askAt(kept))
  #cancel: Cancel = () => undefined
  #isOver = false

  constructor(store: KafkaStore, book: Book, keepers: Keepers) {
    this.#store = store
    this.#book = book
    this.#keepers = keepers
    this.events = { held: (now, before) => this.#heldChanged(now, before), gone: () => this.quiet() }
    this.look()
  }

  /** Others may be answered for than before. */
  look(): void {
    for (const kept of this.#book.held.values()) if (askOf(kept.row)) this.#due.put(kept)
    this.ask()
  }

  /** Asks what is due, as far as there is room for questions. */
  ask(): void {
    if (this.#isOver) return
    const wall = this.#store.clock.wall()
    const decided = new Set([...this.#book.wants.values()].map(({ row }) => row.decision.hold))
    for (const kept of this.#due.ripe(wall, Math.max(0, this.#keepers.room))) {
      const ask = askOf(kept.row)
      const keeper = ask && this.#keepers.keeperFor(ask.ask)
      // What is claimed changes, and then it is due later; what was decided ends.
      this.#due.setAside(kept)
      if (keeper && wall < ask.parkAt && !decided.has(this.#book.holdId(kept))) void keeper.work(this.#askOne(keeper, kept, wall))
    }
    this.#arm()
  }

  quiet(): void {
    this.#isOver = true
    this.#cancel()
  }

  #heldChanged(now: KeptHold | undefined, before: KeptHold | undefined): void {
    if (now) this.#due.put(now)
    else if (before) this.#due.remove(before.id)
    if (now && this.#askAt(now) !== undefined) this.#arm()
  }

  #askAt({ row }: KeptHold): Millis | undefined {
    const ask = askOf(row)
    const { until } = row.hold
    return ask && ask.checks > 0 && until !== 'decided' && until < ask.parkAt && this.#keepers.keeperFor(ask.ask) ? until : undefined
  }

  async #askOne(keeper: Keeper, kept: KeptHold, wall: Millis): Promise<void> {
    const { id, version } = kept
    const ask = askOf(kept.row)
    if (!ask) return
    const [claim] = await this.#book.ledger.put([{ id, value: encodeHeld(claimed(kept, ask, wall)), when: { is: version } }])
    if (claim && 'error' in claim) this.#store.clock.after(turnMs, () => this.look())
    const now = this.#book.held.get(id)
    if (claim?.is !== 'accepted' || !now || this.#isOver) return
    const held = this.#book.asHeld(now)
    const answer = await keeper.check(ask.ask, held)
    if (this.#isOver) return
    if (answer === 'unknown') await this.#parkLast(id)
    else await this.#decide({ hold: held.id, to: answer === 'commit' ? 'release' : 'drop' })
  }

  async #decide(decision: Decision): Promise<void> {
    try {
      await decide(this.#store, [decision])
    } catch (error) {
      if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `${decision.hold}: the answer could not be stored, it is asked for again`))
    }
  }

  /** After the last question. */
  async #parkLast(id: string): Promise<void> {
    const kept = this.#book.held.get(id)
    const ask = kept && askOf(kept.row)
    if (ask && ask.checks <= 0) await this.#book.ledger.put([{ id, value: encodeHeld(parked(kept)), when: { is: kept.version } }])
  }

  #arm(): void {
    this.#cancel()
    const dueAt = this.#due.next()
    if (dueAt === undefined || this.#isOver || this.#keepers.room <= 0) return
    // The wall clock may jump.
    const waitMs = Math.min(Math.max(0, dueAt - this.#store.clock.wall()), turnMs)
    this.#cancel = this.#store.clock.after(waitMs, () => this.ask())
  }
}
