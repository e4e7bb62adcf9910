import { describe, expect, it } from 'vitest'
import { Tally } from './tally.js'

function tallyOf(offsets: readonly number[], bytes = 10): Tally {
  const tally = new Tally()
  for (const offset of offsets) tally.append(offset, bytes)
  return tally
}

const many = Array.from({ length: 100_000 }, (_, index) => index)

describe('a tally of a partition', () => {
  it('knows from where on there are so many messages, whatever gaps there are', () => {
    const tally = tallyOf([0, 2, 4, 5, 9])
    expect([0, 1, 2, 4, 5, 6].map((count) => tally.keeping(count))).toEqual([10, 9, 5, 2, 0, undefined])
  })

  it('knows from where on there are no more than so many bytes', () => {
    const tally = tallyOf([0, 2, 4, 5, 9])
    expect([0, 9, 10, 25, 49, 50, 1_000].map((bytes) => tally.within(bytes))).toEqual([10, 10, 9, 5, 2, 0, 0])
  })

  it('goes on counting what is left when its beginning is cut', () => {
    const tally = tallyOf([0, 1, 2, 3])
    tally.cut(2)
    expect([tally.keeping(1), tally.keeping(2), tally.keeping(3)]).toEqual([3, 2, undefined])
    tally.cut(4)
    expect([tally.keeping(1), tally.within(100), tally.end]).toEqual([undefined, 4, 4])
    tally.append(7, 10)
    expect([tally.keeping(1), tally.within(5), tally.within(10)]).toEqual([7, 8, 7])
  })

  it('never lets too much go when it is long, and not much too little', () => {
    const tally = tallyOf(many)
    for (const count of [1, 1_000, 50_000]) {
      const place = tally.keeping(count) ?? 0
      expect(100_000 - place).toBeGreaterThanOrEqual(count)
      expect(100_000 - place).toBeLessThan(count + 100)
      const bytes = (100_000 - tally.within(count * 10)) / 1
      expect(bytes).toBeGreaterThanOrEqual(count)
      expect(bytes).toBeLessThan(count + 200)
    }
  })
})
