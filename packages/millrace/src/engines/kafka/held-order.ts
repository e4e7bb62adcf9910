import type { Offset } from '../../core/message.js'
import type { Book, BookEvents, KeptHold } from './book.js'
import { isHeld } from './held-row.js'
import type { Waits } from './waiting.js'

interface Place {
  readonly order: Offset
  readonly id: string
}

/** The holds of a topic in the order in which they were held, to be read by pages. */
export class HeldOrder {
  readonly #book: Book
  /** With some that are gone. */
  #places: Place[]

  constructor(book: Book) {
    this.#book = book
    this.#places = [...book.held.values()].sort((one, other) => (one.order < other.order ? -1 : 1))
  }

  /** Those after a place, from the first on. Delays that wait may be many: they are passed over where nobody asks for them. */
  *after(order: Offset, withWaiting: boolean): Iterable<KeptHold | Waits> {
    const waiting = (withWaiting ? this.#book.waiting.after(order) : [])[Symbol.iterator]()
    let waits = waiting.next()
    for (const kept of this.#heldAfter(order)) {
      for (; !waits.done && waits.value.version < kept.order; waits = waiting.next()) yield waits.value
      yield kept
    }
    for (; !waits.done; waits = waiting.next()) yield waits.value
  }

  *#heldAfter(order: Offset): Iterable<KeptHold> {
    for (let index = this.#indexAfter(order); index < this.#places.length; index += 1) {
      const kept = this.#at(this.#places[index])
      if (kept && isHeld(kept.row)) yield kept
    }
  }

  readonly events: BookEvents = {
    held: (now, before) => {
      if (now && now.order !== before?.order) this.#add(now)
    },
  }

  #add({ id, order }: KeptHold): void {
    this.#places.splice(this.#indexAfter(order), 0, { id, order })
    if (this.#places.length > 1_024 && this.#places.length > this.#book.held.size * 2) this.#places = this.#places.filter((place) => this.#at(place))
  }

  #at(place: Place | undefined): KeptHold | undefined {
    const kept = place && this.#book.held.get(place.id)
    return kept?.order === place?.order ? kept : undefined
  }

  #indexAfter(order: Offset): number {
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#places[middle]?.order ?? order) <= order) low = middle + 1
      else high = middle
    }
    return low
  }
}
