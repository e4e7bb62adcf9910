/** What of a log a group has taken and not finished. Its low end is the group's watermark. */
export interface InFlight {
  /** Everything before it is finished. */
  readonly low: number
  /** Nothing from it on was ever taken. */
  readonly next: number
  /** How many places were taken from `low` on, finished ones among them. */
  readonly size: number
  readonly leased: number
  /** Given back, to be taken again. */
  readonly returned: number
  /** Takes the message at `place` out of the log: the first one at or after `next`. */
  take(place: number): number
  /** Takes one that was given back. */
  takeAgain(offset: number): void
  giveBack(offset: number): void
  isLeased(offset: number): boolean
  isUnfinished(offset: number): boolean
  /** False when it was not leased or given back. */
  finish(offset: number): boolean
  leasedOffsets(): number[]
  /** Runs of offsets in a state, ascending, each from its first to before its last. */
  runs(state: 'leased' | 'returned'): (readonly [from: number, to: number])[]
  /** Forgets what was taken and reads on from `offset`. */
  reset(offset: number): void
  /** Reads on from `offset` at the earliest. What was taken before it has to be finished. */
  skipTo(offset: number): void
}
