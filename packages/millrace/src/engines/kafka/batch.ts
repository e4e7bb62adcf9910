import type { Millis } from '../../core/clock.js'
import type { Book, Kept, KeptHold } from './book.js'
import { edited, heldAnew } from './held-row.js'
import type { Change } from './ledger.js'
import { recordOf } from './message-codec.js'
import type { NewRecord } from './port.js'
import { encode, encodeHeld, heldId, type HeldRow, type WantRow } from './rows.js'

/** One transaction of the steward's: messages that take their place, and what becomes of their holds. */
export class Batch {
  readonly messages: NewRecord[] = []
  readonly changes: Change[] = []
  readonly #book: Book
  /** Kafka's. */
  readonly #topic: string
  readonly #wall: Millis
  /** Messages of those that wait, as far as they are needed. */
  readonly #bodies: ReadonlyMap<string, KeptHold>
  /** What it has changed already; undefined: ended. */
  readonly #after = new Map<string, HeldRow | undefined>()

  constructor(book: Book, topic: string, wall: Millis, bodies: ReadonlyMap<string, KeptHold>) {
    this.#bodies = bodies
    this.#book = book
    this.#topic = topic
    this.#wall = wall
  }

  release({ id, row }: KeptHold): void {
    if (!this.#after.has(id)) this.#release(id, row.message)
  }

  /** A decision about a hold: 'gone' when it is held no more, or another was decided first. */
  carryOut({ id, row }: Kept<WantRow>): void {
    const answer = this.#decide(row)
    this.changes.push({ id, value: encode({ ...row, answer }), when: 'always' })
  }

  #decide({ decision }: WantRow): NonNullable<WantRow['answer']> {
    const id = heldId(decision.hold)?.id ?? ''
    const isWaiting = !this.#after.has(id) && this.#book.waiting.get(id) !== undefined
    if (isWaiting && decision.to === 'drop' && decision.token === undefined) {
      this.#end(id)
      return 'done'
    }
    const row = this.#row(id)
    if (row === undefined || row.hold.token !== decision.token) return 'gone'
    const message = edited(row.message, decision.edit)
    if (decision.to === 'release') this.#release(id, message)
    else if (decision.to === 'drop') this.#end(id)
    else this.#hold(id, heldAnew(row, message, decision.anew, this.#wall))
    return 'done'
  }

  #row(id: string): HeldRow | undefined {
    return this.#after.has(id) ? this.#after.get(id) : (this.#book.held.get(id) ?? this.#bodies.get(id))?.row
  }

  #release(id: string, message: HeldRow['message']): void {
    this.messages.push(recordOf(this.#topic, message))
    this.#end(id)
  }

  #hold(id: string, row: HeldRow): void {
    this.#after.set(id, row)
    this.changes.push({ id, value: encodeHeld(row), when: 'always' })
  }

  #end(id: string): void {
    this.#after.set(id, undefined)
    this.changes.push({ id, value: null, when: 'always' })
  }
}
