/** A run of offsets, from the first to before the last: all messages in it, and the places without one between them. */
export type Run = readonly [from: number, to: number]

/** Where a group stands in a partition, to be stored. Everything before `next` that is not named here is finished. */
export interface CursorState {
  /** The first offset that was never taken. */
  readonly next: number
  readonly leased: readonly Run[]
  /** Taken before, and waiting to be taken again. */
  readonly waiting: readonly Run[]
  /** Of those the ones that had more than one delivery: offset, the next delivery's number, 1 where it runs alone. */
  readonly again: readonly (readonly [offset: number, attempt: number, alone: 0 | 1])[]
  /** Offsets of released copies that are in hand. */
  readonly copies: readonly number[]
}

export function cursorAt(next: number): CursorState {
  return { next, leased: [], waiting: [], again: [], copies: [] }
}

/** The lowest place that is not finished. */
export function lowest({ next, leased, waiting }: CursorState): number {
  return Math.min(next, leased[0]?.[0] ?? next, waiting[0]?.[0] ?? next)
}

/** Whether an offset is in one of the runs. To be asked about ascending offsets. */
export function within(runs: readonly Run[]): (offset: number) => boolean {
  const ascending = [...runs].sort(([one], [other]) => one - other)
  let index = 0
  return (offset) => {
    for (;;) {
      const run = ascending[index]
      if (run === undefined || offset < run[0]) return false
      if (offset < run[1]) return true
      index += 1
    }
  }
}

export function offsetsOf(runs: readonly Run[]): number[] {
  return runs.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index))
}
