import type { InFlight } from './in-flight.js'

const over = 0
const leased = 1
const returned = 2
const smallest = 64
const idleMost = 65_536

/**
 * What of a log a group has taken and not finished: a window from the lowest unfinished offset to the next one to read,
 * a byte for each offset. Its low end is the group's watermark.
 */
export class Flight implements InFlight {
  #states = new Uint8Array(smallest)
  #low: number
  #next: number
  #leased = 0
  #returned = 0

  constructor(at: number) {
    this.#low = at
    this.#next = at
  }

  /** Everything before it is finished. */
  get low(): number {
    return this.#low
  }

  /** The first that was never taken. */
  get next(): number {
    return this.#next
  }

  get size(): number {
    return this.#next - this.#low
  }

  get leased(): number {
    return this.#leased
  }

  /** Given back, to be taken again. */
  get returned(): number {
    return this.#returned
  }

  /** Takes the next offset out of the log. */
  take(): number {
    const offset = this.#next
    if (offset - this.#low === this.#states.length) this.#grow()
    this.#states[offset & (this.#states.length - 1)] = leased
    this.#next = offset + 1
    this.#leased += 1
    return offset
  }

  /** Takes one that was given back. */
  takeAgain(offset: number): void {
    if (this.#state(offset) !== returned) return
    this.#set(offset, leased)
    this.#returned -= 1
    this.#leased += 1
  }

  giveBack(offset: number): void {
    if (this.#state(offset) !== leased) return
    this.#set(offset, returned)
    this.#leased -= 1
    this.#returned += 1
  }

  isLeased(offset: number): boolean {
    return this.#state(offset) === leased
  }

  isUnfinished(offset: number): boolean {
    return this.#state(offset) !== over
  }

  /** False when it was not leased or given back. */
  finish(offset: number): boolean {
    const state = this.#state(offset)
    if (state === over) return false
    if (state === leased) this.#leased -= 1
    else this.#returned -= 1
    this.#set(offset, over)
    if (offset === this.#low) this.#advance()
    return true
  }

  leasedOffsets(): number[] {
    const offsets: number[] = []
    for (let offset = this.#low; this.#leased > offsets.length && offset < this.#next; offset += 1) {
      if (this.#state(offset) === leased) offsets.push(offset)
    }
    return offsets
  }

  /** Runs of offsets in a state, ascending, each from its first to before its last. */
  runs(state: 'leased' | 'returned'): (readonly [from: number, to: number])[] {
    const wanted = state === 'leased' ? leased : returned
    const runs: [number, number][] = []
    let left = state === 'leased' ? this.#leased : this.#returned
    for (let offset = this.#low; left > 0 && offset < this.#next; offset += 1) {
      if (this.#state(offset) !== wanted) continue
      left -= 1
      const last = runs.at(-1)
      if (last?.[1] === offset) last[1] = offset + 1
      else runs.push([offset, offset + 1])
    }
    return runs
  }

  /** Forgets what was taken and reads on from `offset`. */
  reset(offset: number): void {
    this.#states = new Uint8Array(smallest)
    this.#low = offset
    this.#next = offset
    this.#leased = 0
    this.#returned = 0
  }

  /** Reads on from `offset` at the earliest. What was taken before it has to be finished. */
  skipTo(offset: number): void {
    if (this.#next < offset) this.reset(offset)
  }

  #state(offset: number): number {
    if (offset < this.#low || offset >= this.#next) return over
    return this.#states[offset & (this.#states.length - 1)] ?? over
  }

  #set(offset: number, state: number): void {
    this.#states[offset & (this.#states.length - 1)] = state
  }

  #advance(): void {
    const states = this.#states
    const mask = states.length - 1
    while (this.#low < this.#next && states[this.#low & mask] === over) this.#low += 1
    if (this.#low === this.#next && states.length > idleMost) this.#states = new Uint8Array(smallest)
  }

  #grow(): void {
    const grown = new Uint8Array(this.#states.length * 2)
    for (let offset = this.#low; offset < this.#next; offset += 1) grown[offset & (grown.length - 1)] = this.#states[offset & (this.#states.length - 1)] ?? over
    this.#states = grown
  }
}
