import type { Millis } from '../../core/clock.js'
import { type Timed, Wheel } from '../../engine/wheel.js'
import type { KeptHold } from './book.js'

/** Holds by when something is to be done with them. */
export class Due {
  /** By the wall clock; undefined for one that is never due. */
  readonly #dueAt: (kept: KeptHold) => Millis | undefined
  readonly #wheel = new Wheel<KeptHold>()
  readonly #timed = new Map<string, Timed<KeptHold>>()
  /** Whose time has come, until they are changed or removed. */
  readonly #ripe = new Map<string, KeptHold>()
  readonly #aside = new Map<string, KeptHold>()

  constructor(dueAt: (kept: KeptHold) => Millis | undefined) {
    this.#dueAt = dueAt
  }

  /** Instead of what was known of it. */
  put(kept: KeptHold): void {
    this.remove(kept.id)
    const dueAt = this.#dueAt(kept)
    if (dueAt !== undefined) this.#timed.set(kept.id, this.#wheel.add(dueAt, kept))
  }

  remove(id: string): void {
    const timed = this.#timed.get(id)
    if (timed) this.#wheel.remove(timed)
    this.#timed.delete(id)
    this.#ripe.delete(id)
    this.#aside.delete(id)
  }

  /** The earliest first. They stay until they are changed or removed. */
  ripe(wall: Millis, most: number): readonly KeptHold[] {
    for (const kept of this.#wheel.advance(wall)) {
      this.#timed.delete(kept.id)
      this.#ripe.set(kept.id, kept)
    }
    const ripe: KeptHold[] = []
    for (const kept of first(this.#ripe.values(), most)) {
      // The clock may have been set back since.
      if ((this.#dueAt(kept) ?? Infinity) <= wall) ripe.push(kept)
      else this.put(kept)
    }
    return ripe
  }

  /** Nothing can be done with it now: it is looked at again after `takeBack`. */
  setAside(kept: KeptHold): void {
    if (this.#ripe.delete(kept.id)) this.#aside.set(kept.id, kept)
  }

  takeBack(): void {
    for (const kept of [...this.#aside.values()]) this.put(kept)
  }

  /** When to look again, by the wall clock; undefined when there is nothing. */
  next(): Millis | undefined {
    return this.#ripe.size > 0 ? 0 : this.#wheel.nextDue()
  }
}

function first<T>(items: Iterable<T>, most: number): readonly T[] {
  const taken: T[] = []
  for (const item of items) {
    if (taken.length === most) break
    taken.push(item)
  }
  return taken
}
