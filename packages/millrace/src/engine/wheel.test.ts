import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Wheel } from './wheel.js'

const start = Date.UTC(2026, 0, 1)
const distance = fc.oneof(
  fc.double({ min: -500, max: 2_000, noNaN: true }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 50 * 365 * 24 * 3_600_000 }),
)

describe('wheel', () => {
  it('gives out what is due, the earliest first, and of one time the first added first', () => {
    const wheel = new Wheel<string>(start)
    wheel.add(start + 20, 'b')
    wheel.add(start + 5, 'a')
    wheel.add(start + 20, 'c')
    expect(wheel.advance(start + 4)).toEqual([])
    expect(wheel.advance(start + 20)).toEqual(['a', 'b', 'c'])
    expect(wheel.size).toBe(0)
  })

  it('takes any distance, even for ever', () => {
    const wheel = new Wheel<string>(start)
    wheel.add(Infinity, 'never')
    wheel.add(Number.MAX_SAFE_INTEGER, 'late')
    wheel.add(-Infinity, 'long ago')
    expect(wheel.advance(start)).toEqual(['long ago'])
    expect(wheel.advance(Number.MAX_SAFE_INTEGER)).toEqual(['late'])
    expect(wheel.size).toBe(1)
  })

  it('refuses a due time that is no number', () => {
    expect(() => new Wheel<string>().add(NaN, 'x')).toThrow(expect.objectContaining({ code: 'INVALID' }))
  })

  it('gives out at most what is asked for and the rest at the next call', () => {
    const wheel = new Wheel<number>(start)
    for (let item = 0; item < 5; item += 1) wheel.add(start + 1, item)
    expect(wheel.advance(start + 9, 2)).toEqual([0, 1])
    expect(wheel.nextDue()).toBeLessThanOrEqual(start + 9)
    expect(wheel.advance(start + 9)).toEqual([2, 3, 4])
  })

  it('gives out nothing early when time has gone backwards', () => {
    const wheel = new Wheel<string>(start)
    wheel.add(start + 10, 'before')
    wheel.advance(start + 8)
    wheel.add(start - 3_000, 'after')
    expect(wheel.advance(start - 5_000)).toEqual([])
    expect(wheel.nextDue()).toBe(start - 3_000)
    expect(wheel.advance(start - 3_000)).toEqual(['after'])
    expect(wheel.advance(start + 10)).toEqual(['before'])
  })

  it('wakes its owner only a few times for an item far away', () => {
    const wheel = new Wheel<string>(start)
    const due = start + 365 * 24 * 3_600_000
    wheel.add(due, 'next year')
    let wakes = 0
    for (let next = wheel.nextDue(); next !== undefined; next = wheel.nextDue()) {
      wakes += 1
      wheel.advance(next)
    }
    expect(wakes).toBeLessThanOrEqual(6)
  })

  it('forgets what is removed, once, wherever it lies', () => {
    const wheel = new Wheel<string>(start)
    const handles = [start - 1, start + 3, start + 900, start + 10 ** 9].map((due) => wheel.add(due, 'x'))
    for (const handle of handles) expect(wheel.remove(handle)).toBe(true)
    for (const handle of handles) expect(wheel.remove(handle)).toBe(false)
    expect(wheel.size).toBe(0)
    expect(wheel.nextDue()).toBeUndefined()
    expect(wheel.advance(start + 10 ** 10)).toEqual([])
  })

  it('does what a sorted list does, whatever is added, removed and passed', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), by: distance }),
      fc.record({ do: fc.constant('remove' as const), by: fc.nat(50) }),
      fc.record({ do: fc.constant('advance' as const), by: distance }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const wheel = new Wheel<number>(start)
        const model: { due: number; item: number; handle: ReturnType<typeof wheel.add> }[] = []
        let now = start
        steps.forEach((each, item) => {
          if (each.do === 'add') model.push({ due: now + each.by, item, handle: wheel.add(now + each.by, item) })
          if (each.do === 'remove' && model.length > 0) {
            const [gone] = model.splice(each.by % model.length, 1)
            if (gone) expect(wheel.remove(gone.handle)).toBe(true)
          }
          if (each.do === 'advance') {
            now += each.by
            const due = model.filter((entry) => entry.due <= now).sort((one, other) => one.due - other.due || one.item - other.item)
            expect(wheel.advance(now)).toEqual(due.map((entry) => entry.item))
            for (const entry of due) model.splice(model.indexOf(entry), 1)
          }
          expect(wheel.size).toBe(model.length)
        })
      }),
    )
  })

  it('never says a next time after the earliest due time', () => {
    fc.assert(
      fc.property(fc.array(distance, { minLength: 1, maxLength: 50 }), distance, (distances, passed) => {
        const wheel = new Wheel<number>(start)
        for (const each of distances) wheel.add(start + each, each)
        wheel.advance(start + passed)
        const left = distances.filter((each) => start + each > start + passed)
        const next = wheel.nextDue()
        if (left.length === 0) expect(next).toBeUndefined()
        else expect(next).toBeLessThanOrEqual(start + Math.min(...left))
      }),
    )
  })
})
