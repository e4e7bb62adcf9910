import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { append, contains, countOf, type Range, without } from './ranges.js'

/** Numbers of which every group of neighbours is one range. */
function rangesOf(numbers: readonly number[]): readonly Range[] {
  return [...numbers].sort((one, other) => one - other).reduce<readonly Range[]>((ranges, number) => append(ranges, number, number + 1), [])
}

function numbersOf(ranges: readonly Range[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index))
}

const numbers = fc.uniqueArray(fc.nat(200), { maxLength: 80 })
const ascending = (one: number, other: number): number => one - other

describe('ranges', () => {
  it('hold what was appended, no two of them touching', () => {
    fc.assert(fc.property(numbers, (all) => {
      const ranges = rangesOf(all)
      expect(numbersOf(ranges)).toEqual([...all].sort(ascending))
      expect(countOf(ranges)).toBe(all.length)
      for (const [index, [from]] of ranges.entries()) expect(from).toBeGreaterThan(ranges[index - 1]?.[1] ?? -1)
    }))
  })

  it('contain exactly what they hold', () => {
    fc.assert(fc.property(numbers, fc.nat(200), (all, number) => {
      expect(contains(rangesOf(all), number)).toBe(all.includes(number))
    }))
  })

  it('without some are the others', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.nat(200), fc.boolean()), { maxLength: 80, selector: ([number]) => number }), (all) => {
      const gone = all.filter(([, goes]) => goes).map(([number]) => number).sort(ascending)
      const left = all.filter(([, goes]) => !goes).map(([number]) => number)
      expect(numbersOf(without(rangesOf(all.map(([number]) => number)), gone))).toEqual(left.sort(ascending))
    }))
  })

  it('take a long run at once, and an empty one as nothing', () => {
    expect(append([[0, 3]], 3, 1_000_000)).toEqual([[0, 1_000_000]])
    expect(append([[0, 3]], 5, 5)).toEqual([[0, 3]])
    expect(append([[0, 3]], 5, 7)).toEqual([[0, 3], [5, 7]])
  })
})
