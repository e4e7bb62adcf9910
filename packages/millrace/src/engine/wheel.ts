import type { Millis } from '../core/clock.js'
import { MillraceError } from '../core/errors.js'
import { MinHeap } from './min-heap.js'

/** What `add` gives: hand it back to `remove`. */
export interface Timed<T> {
  readonly dueMs: Millis
  readonly item: T
}

interface Entry<T> extends Timed<T> {
  readonly added: number
  /** Undefined: near, or out of the wheel. */
  bucket: Bucket<T> | undefined
  index: number
  isIn: boolean
}

interface Bucket<T> {
  readonly level: number
  readonly slot: number
  readonly start: Millis
  readonly entries: Entry<T>[]
}

const slots = 256
/** 256^7 milliseconds are beyond every safe integer. */
const topLevel = 6

/**
 * Orders any number of items by when they are due: `add` and `remove` are O(1), however far away the due time.
 *
 * A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987) as in Kafka's purgatory:
 * wheels of 256 slots whose slot is 1 ms, 256 ms, 65 s … long, made when needed; only slots that hold something are
 * known, in a heap by their start, so time passes from one of them to the next and empty time costs nothing. What falls
 * into the current millisecond lies in a small heap, so that items come out in exact order.
 *
 * It has no timer: who owns it calls `advance` at `nextDue`. Times may be fractions, and time may go backwards: nothing
 * comes out before the `now` that is handed in has reached it.
 */
export class Wheel<T> {
  readonly #near = new MinHeap<Entry<T>>((one, other) => one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.added < other.added))
  readonly #buckets = new MinHeap<Bucket<T>>((one, other) => one.start < other.start)
  readonly #levels: Map<number, Bucket<T>>[] = []
  #now: Millis
  #added = 0
  #size = 0
  #nearRemoved = 0

  constructor(now: Millis = 0) {
    this.#now = now
  }

  get size(): number {
    return this.#size
  }

  /** Throws INVALID when `dueMs` is not a number. */
  add(dueMs: Millis, item: T): Timed<T> {
    if (Number.isNaN(dueMs)) throw new MillraceError('INVALID', 'a due time is not a number', { field: 'dueMs' })
    const entry: Entry<T> = { dueMs, item, added: this.#added, bucket: undefined, index: 0, isIn: true }
    this.#added += 1
    this.#size += 1
    this.#place(entry)
    return entry
  }

  /** False when it is not in this wheel any more. */
  remove(timed: Timed<T>): boolean {
    // What `add` gives out is always an entry; the type hides its inside from callers.
    const entry = timed as Entry<T>
    if (!entry.isIn) return false
    entry.isIn = false
    this.#size -= 1
    if (entry.bucket) takeOut(entry.bucket, entry)
    else this.#removeNear()
    return true
  }

  /** Takes out what is due at `now`, the earliest first, at most `most`. Of one time, what was added first comes first. */
  advance(now: Millis, most = Infinity): readonly T[] {
    if (now > this.#now) this.#now = now
    this.#cascade(now)
    const due: T[] = []
    while (due.length < most) {
      const entry = this.#nearest()
      if (entry === undefined || entry.dueMs > now) break
      this.#near.pop()
      entry.isIn = false
      this.#size -= 1
      due.push(entry.item)
    }
    return due
  }

  /** When to call `advance` next: never after the earliest item is due, and at most a few times before. Undefined when empty. */
  nextDue(): Millis | undefined {
    const near = this.#nearest()?.dueMs
    const far = this.#earliestBucket()?.start
    if (near === undefined || far === undefined) return near ?? far
    return Math.min(near, far)
  }

  #place(entry: Entry<T>): void {
    const due = Math.min(entry.dueMs, Number.MAX_SAFE_INTEGER)
    if (Math.floor(due) <= Math.floor(this.#now)) {
      entry.bucket = undefined
      this.#near.push(entry)
      return
    }
    let level = 0
    let tick = 1
    while (level < topLevel && Math.floor(due / tick) - Math.floor(this.#now / tick) >= slots) {
      level += 1
      tick *= slots
    }
    const bucket = this.#bucket(level, Math.floor(due / tick), tick)
    entry.bucket = bucket
    entry.index = bucket.entries.length
    bucket.entries.push(entry)
  }

  #bucket(level: number, slot: number, tick: Millis): Bucket<T> {
    while (this.#levels.length <= level) this.#levels.push(new Map())
    const known = this.#levels[level]?.get(slot)
    if (known) return known
    const bucket: Bucket<T> = { level, slot, start: slot * tick, entries: [] }
    this.#levels[level]?.set(slot, bucket)
    this.#buckets.push(bucket)
    return bucket
  }

  /** Moves what lies in slots that have begun to finer slots, or near. */
  #cascade(now: Millis): void {
    for (;;) {
      const bucket = this.#buckets.peek()
      if (bucket === undefined || bucket.start > now) return
      this.#forgetEarliest(bucket)
      for (const entry of bucket.entries) this.#place(entry)
    }
  }

  #earliestBucket(): Bucket<T> | undefined {
    for (;;) {
      const bucket = this.#buckets.peek()
      if (bucket === undefined || bucket.entries.length > 0) return bucket
      this.#forgetEarliest(bucket)
    }
  }

  #forgetEarliest(bucket: Bucket<T>): void {
    this.#buckets.pop()
    this.#levels[bucket.level]?.delete(bucket.slot)
  }

  #nearest(): Entry<T> | undefined {
    for (;;) {
      const entry = this.#near.peek()
      if (entry === undefined || entry.isIn) return entry
      this.#near.pop()
      this.#nearRemoved -= 1
    }
  }

  #removeNear(): void {
    this.#nearRemoved += 1
    if (this.#nearRemoved < 64 || this.#nearRemoved * 2 < this.#near.size) return
    this.#near.takeWhere((entry) => !entry.isIn)
    this.#nearRemoved = 0
  }
}

function takeOut<T>(bucket: Bucket<T>, entry: Entry<T>): void {
  const last = bucket.entries.pop()
  if (last === undefined || last === entry) return
  bucket.entries[entry.index] = last
  last.index = entry.index
}
