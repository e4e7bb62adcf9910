import type { Hold } from '../../core/hold.js'
import type { Message } from '../../core/message.js'
import type { Delivery } from '../engine.js'
import { MinHeap } from '../min-heap.js'

/** A message that a group gets before it reads on in the log. */
export interface Redelivery {
  readonly message: Message
  readonly offset: number
  /** Which delivery the next one is. */
  readonly attempt: number
  /** An earlier owner died with it. */
  readonly alone: boolean
  readonly failure?: Failure
  /** It is still in the log and keeps it from being cut; otherwise it owns a copy. */
  readonly pins: boolean
}

type Failure = NonNullable<Hold['failure']>

/** A message of the log that nobody had before. */
export function first(message: Message, offset: number): Redelivery {
  return { message, offset, attempt: 1, alone: false, pins: true }
}

export function delivery({ message, attempt, alone, failure }: Redelivery, epoch: number): Delivery {
  return failure === undefined ? { message, attempt, epoch, alone } : { message, attempt, epoch, alone, failure }
}

/** What a group gets before the log: first what was in hand already, by offset, then what was released to it, in that order. */
export class Again {
  readonly #returned = new MinHeap<Redelivery>((one, other) => one.offset < other.offset)
  #released: (Redelivery | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#returned.size + this.#released.length - this.#head
  }

  /** How many own a copy. */
  copies(): number {
    let pinning = 0
    for (const entry of this.#returned) if (entry.pins) pinning += 1
    return this.size - pinning
  }

  giveBack(entry: Redelivery): void {
    this.#returned.push(entry)
  }

  release(entry: Redelivery): void {
    this.#released.push(entry)
  }

  peek(): Redelivery | undefined {
    return this.#returned.peek() ?? this.#released[this.#head]
  }

  shift(): Redelivery | undefined {
    const returned = this.#returned.pop()
    if (returned) return returned
    const released = this.#released[this.#head]
    if (released === undefined) return undefined
    this.#released[this.#head] = undefined
    this.#head += 1
    if (this.#head > 1_024 && this.#head * 2 > this.#released.length) this.#compact()
    return released
  }

  /** Takes out all that are wanted. */
  takeWhere(wanted: (entry: Redelivery) => boolean): readonly Redelivery[] {
    const returned = this.#returned.takeWhere(wanted)
    this.#compact()
    const released = this.#released.filter((entry) => entry !== undefined && wanted(entry)) as Redelivery[] // filtered
    if (released.length > 0) this.#released = this.#released.filter((entry) => entry !== undefined && !wanted(entry))
    return [...returned, ...released]
  }

  *[Symbol.iterator](): IterableIterator<Redelivery> {
    yield* this.#returned
    for (let index = this.#head; index < this.#released.length; index += 1) {
      const entry = this.#released[index]
      if (entry) yield entry
    }
  }

  #compact(): void {
    this.#released = this.#released.slice(this.#head)
    this.#head = 0
  }
}
