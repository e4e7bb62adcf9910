/** Whole numbers from `from` up to, not including, `to`. */
export type Range = readonly [from: number, to: number]

/** How many numbers the ranges hold. */
export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0)
}

export function contains(ranges: readonly Range[], value: number): boolean {
  return ranges.some(([from, to]) => value >= from && value < to)
}

/** Adds a range that begins at or after the end of all others. */
export function append(ranges: readonly Range[], from: number, to: number): readonly Range[] {
  const last = ranges.at(-1)
  if (from >= to) return ranges
  return last && last[1] === from ? [...ranges.slice(0, -1), [last[0], to]] : [...ranges, [from, to]]
}

/** The ranges without the values, which grow and are all in them. */
export function without(ranges: readonly Range[], values: readonly number[]): readonly Range[] {
  const left: Range[] = []
  let next = 0
  for (const [from, to] of ranges) {
    let start = from
    for (let value = values[next]; value !== undefined && value < to; value = values[++next]) {
      if (value > start) left.push([start, value])
      start = value + 1
    }
    if (start < to) left.push([start, to])
  }
  return left
}
