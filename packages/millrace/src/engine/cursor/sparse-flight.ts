import type { InFlight } from './in-flight.js'

const over = 0
const leased = 1
const returned = 2
const compactFrom = 1_024

/** As `Flight`, of a log whose offsets have huge gaps: the offsets that were taken from the lowest unfinished one on, with a state for each. */
export class SparseFlight implements InFlight {
  #offsets: number[] = []
  #states: number[] = []
  /** Where the lowest unfinished one is. */
  #head = 0
  /** Where the last one was found: the next one is mostly beside it. */
  #near = 0
  #next: number
  #leased = 0
  #returned = 0

  constructor(at: number) {
    this.#next = at
  }

  get low(): number {
    return this.#offsets[this.#head] ?? this.#next
  }

  get next(): number {
    return this.#next
  }

  get leased(): number {
    return this.#leased
  }

  get returned(): number {
    return this.#returned
  }

  get size(): number {
    return this.#offsets.length - this.#head
  }

  take(place: number): number {
    this.#offsets.push(place)
    this.#states.push(leased)
    this.#next = place + 1
    this.#leased += 1
    return place
  }

  takeAgain(offset: number): void {
    const index = this.#find(offset)
    if (this.#states[index] !== returned) return
    this.#states[index] = leased
    this.#returned -= 1
    this.#leased += 1
  }

  giveBack(offset: number): void {
    const index = this.#find(offset)
    if (this.#states[index] !== leased) return
    this.#states[index] = returned
    this.#leased -= 1
    this.#returned += 1
  }

  isLeased(offset: number): boolean {
    return this.#states[this.#find(offset)] === leased
  }

  isUnfinished(offset: number): boolean {
    return (this.#states[this.#find(offset)] ?? over) !== over
  }

  finish(offset: number): boolean {
    const index = this.#find(offset)
    const state = this.#states[index] ?? over
    if (state === over) return false
    if (state === leased) this.#leased -= 1
    else this.#returned -= 1
    this.#states[index] = over
    if (index === this.#head) this.#advance()
    return true
  }

  leasedOffsets(): number[] {
    const offsets: number[] = []
    for (let index = this.#head; offsets.length < this.#leased; index += 1) {
      if (this.#states[index] === leased) offsets.push(this.#offsets[index] as number) // it has a state
    }
    return offsets
  }

  /** Each from its first offset to after its last; all that were taken between the two are in it. */
  runs(state: 'leased' | 'returned'): (readonly [from: number, to: number])[] {
    const wanted = state === 'leased' ? leased : returned
    const runs: [number, number][] = []
    let left = state === 'leased' ? this.#leased : this.#returned
    let follows = false
    for (let index = this.#head; left > 0; index += 1) {
      const isWanted = this.#states[index] === wanted
      const offset = this.#offsets[index] as number // it has a state
      const last = runs.at(-1)
      if (isWanted && follows && last) last[1] = offset + 1
      else if (isWanted) runs.push([offset, offset + 1])
      if (isWanted) left -= 1
      follows = isWanted
    }
    return runs
  }

  reset(offset: number): void {
    this.#offsets = []
    this.#states = []
    this.#head = 0
    this.#near = 0
    this.#next = offset
    this.#leased = 0
    this.#returned = 0
  }

  skipTo(offset: number): void {
    if (this.#next < offset) this.reset(offset)
  }

  /** Where it is, or -1. */
  #find(offset: number): number {
    const offsets = this.#offsets
    const near = this.#near
    if (near >= this.#head) {
      if (offsets[near] === offset) return near
      if (offsets[near + 1] === offset) return (this.#near = near + 1)
    }
    let low = this.#head
    let high = offsets.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = offsets[middle] as number // between the two ends
      if (found === offset) return (this.#near = middle)
      if (found < offset) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  #advance(): void {
    const states = this.#states
    while (this.#head < states.length && states[this.#head] === over) this.#head += 1
    if (this.#head === states.length) this.reset(this.#next)
    else if (this.#head >= compactFrom && this.#head * 2 > states.length) this.#compact()
  }

  #compact(): void {
    this.#offsets = this.#offsets.slice(this.#head)
    this.#states = this.#states.slice(this.#head)
    this.#near = Math.max(0, this.#near - this.#head)
    this.#head = 0
  }
}
