import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareOut } from './share-out.js'
import type { Subscription } from './subscription.js'

const partitions = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const member = (name: string, owned: readonly number[] = [], generation = 1): Subscription => ({ member: name, topics: ['t'], owned, generation })

describe('partitions that a group shares out', () => {
  it('go to all in turn when nobody has any', () => {
    expect(shareOut([member('a'), member('b')], partitions(5))).toEqual(new Map([['a', [0, 1, 2]], ['b', [3, 4]]]))
  })

  it('stay where they are, and those that must move go to nobody first', () => {
    const shares = shareOut([member('a', [0, 1, 2, 3]), member('b')], partitions(4))
    expect(shares).toEqual(new Map([['a', [0, 1]], ['b', []]]))
    expect(shareOut([member('a', [0, 1], 2), member('b', [], 2)], partitions(4))).toEqual(new Map([['a', [0, 1]], ['b', [2, 3]]]))
  })

  it('of one who left go to the others at once', () => {
    expect(shareOut([member('a', [0, 1]), member('b', [2, 3])], partitions(6))).toEqual(new Map([['a', [0, 1, 4]], ['b', [2, 3, 5]]]))
  })

  it('that two claim belong to the later generation, and of one generation to neither', () => {
    expect(shareOut([member('a', [0, 1], 1), member('b', [0, 1], 2)], partitions(2)).get('a')).toEqual([])
    const even = shareOut([member('a', [0]), member('b', [0])], partitions(1))
    expect([...even.values()].flat()).toEqual([0])
  })

  it('that are gone are forgotten, and a group may be larger than its topic', () => {
    expect(shareOut([member('a', [0, 7]), member('b'), member('c')], partitions(2))).toEqual(new Map([['a', [0]], ['b', [1]], ['c', []]]))
  })

  it('are even and all out after as many rounds as it takes to hand back, whatever was before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 20 }), fc.array(fc.nat(5), { maxLength: 20 }), (members, count, before) => {
        const names = partitions(members).map((index) => `m${index}`)
        let shares: ReadonlyMap<string, readonly number[]> = new Map(names.map((name, index) => [name, partitions(count).filter((partition) => before[partition] === index)]))
        for (let generation = 1; generation <= 2; generation += 1) {
          const held = shares
          shares = shareOut(names.map((name) => member(name, held.get(name), generation)), partitions(count))
          for (const [name, has] of shares) for (const partition of has) expect([...held].every(([other, had]) => other === name || !had.includes(partition))).toBe(true)
        }
        expect([...shares.values()].flat().toSorted((a, b) => a - b)).toEqual(partitions(count))
        const sizes = [...shares.values()].map((has) => has.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
