import type { Redelivery } from './again.js'

interface Blocked {
  /** Offsets of the messages that are held or on their way back, ascending. */
  readonly blockers: number[]
  /** Later messages of the key, by offset. */
  waiting: Redelivery[]
}

/** Keys whose later messages wait because an earlier one is parked or lent. */
export class BlockedKeys {
  readonly #keys = new Map<string, Blocked>()
  #waiting = 0

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether this message has to wait for an earlier one of its key. */
  blocks(key: string | null, offset: number): boolean {
    if (key === null || this.#keys.size === 0) return false
    const first = this.#keys.get(key)?.blockers[0]
    return first !== undefined && first < offset
  }

  /** From now on later messages of the key wait for this one. */
  block(key: string | null, offset: number): void {
    if (key === null) return
    const blocked = this.#keys.get(key)
    if (blocked === undefined) this.#keys.set(key, { blockers: [offset], waiting: [] })
    else if (!blocked.blockers.includes(offset)) blocked.blockers.splice(placeOf(blocked.blockers, offset, (each) => each), 0, offset)
  }

  wait(entry: Redelivery): void {
    const blocked = entry.message.key === null ? undefined : this.#keys.get(entry.message.key)
    if (blocked === undefined) return
    const place = placeOf(blocked.waiting, entry.offset, (each) => each.offset)
    blocked.waiting.splice(place, 0, entry)
    this.#waiting += 1
  }

  /** The message is done, dead or dropped: gives those that need wait no longer. */
  end(key: string | null, offset: number): readonly Redelivery[] {
    const blocked = key === null ? undefined : this.#keys.get(key)
    if (key === null || blocked === undefined) return []
    const index = blocked.blockers.indexOf(offset)
    if (index < 0) return []
    blocked.blockers.splice(index, 1)
    const first = blocked.blockers[0] ?? Infinity
    // The next blocker may wait itself, behind the one that has ended.
    const free = blocked.waiting.filter((entry) => entry.offset <= first)
    blocked.waiting = blocked.waiting.slice(free.length)
    this.#waiting -= free.length
    if (blocked.blockers.length === 0) this.#keys.delete(key)
    return free
  }

  /** Forgets blockers and waiting messages at or after `offset`. */
  forgetFrom(offset: number): void {
    for (const [key, blocked] of this.#keys) {
      const blockers = blocked.blockers.filter((each) => each < offset)
      const waiting = blocked.waiting.filter((entry) => entry.offset < offset)
      this.#waiting -= blocked.waiting.length - waiting.length
      if (blockers.length === 0) this.#keys.delete(key)
      else this.#keys.set(key, { blockers, waiting })
    }
  }

  *waiters(): IterableIterator<Redelivery> {
    for (const blocked of this.#keys.values()) yield* blocked.waiting
  }
}

/** Behind all that are not after `offset`. */
function placeOf<T>(sorted: readonly T[], offset: number, offsetOf: (item: T) => number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = sorted[middle]
    if (item !== undefined && offsetOf(item) <= offset) low = middle + 1
    else high = middle
  }
  return low
}
