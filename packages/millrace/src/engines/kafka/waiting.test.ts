import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf } from './rubbish.js'
import { Waiting, type Waits } from './waiting.js'

function waits(id: string, version: number, due: number, bytes = 1): Waits {
  return { id, key: keyOf(id, `v${version}`), version: BigInt(version), due, bytes }
}

function put(waiting: Waiting, each: Waits): void {
  waiting.delete(each.id)
  waiting.add(each)
}

function waitingOf(...all: readonly Waits[]): Waiting {
  const waiting = new Waiting()
  for (const each of all) put(waiting, each)
  return waiting
}

const idsOf = (all: Iterable<Waits>): readonly string[] => [...all].map(({ id }) => id)
const none = (): boolean => false

describe('what waits', () => {
  it('is found by its id, as it was set last', () => {
    const waiting = waitingOf(waits('a', 1, 10), waits('é', 2, 20), waits('a', 3, 30))
    expect([waiting.get('a'), waiting.get('é')?.due, waiting.get('b'), waiting.size]).toEqual([waits('a', 3, 30), 20, undefined, 2])
  })

  it('is read in the order of the log', () => {
    const waiting = waitingOf(waits('a', 1, 10), waits('b', 2, 20), waits('c', 5, 1), waits('a', 7, 10))
    waiting.delete('b')
    expect([idsOf(waiting.after(-1n)), idsOf(waiting.after(5n))]).toEqual([['c', 'a'], ['a']])
  })

  it('is picked by when it is due, as far as there is room, without what is taken', () => {
    const waiting = waitingOf(waits('a', 1, 30), waits('b', 2, 20), waits('c', 3, 10), waits('d', 4, 20), waits('e', 5, 40))
    const pick = (from: number, until: number, bytes: number, taken: readonly string[] = []): unknown => {
      const { picked, horizon } = waiting.soonest(from, until, bytes, (id) => taken.includes(id))
      return [idsOf(picked), horizon]
    }
    expect(pick(-Infinity, 40, 10)).toEqual([['c', 'b', 'd', 'a'], 40])
    expect(pick(-Infinity, 40, 2)).toEqual([['c', 'b'], 20])
    expect(pick(20, 40, 2, ['b'])).toEqual([['d', 'a'], 40])
    expect(pick(-Infinity, 40, 0)).toEqual([['c'], 20])
  })

  it('is what a map has, whatever comes and goes', () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 300 }), due: fc.nat(1_000), isEnd: fc.boolean() })
    fc.assert(fc.property(fc.array(step, { maxLength: 800, size: 'max' }), (steps) => {
      const waiting = new Waiting()
      const model = new Map<string, Waits>()
      steps.forEach(({ id, due, isEnd }, version) => {
        const each = waits(`h/${id}`, version, due)
        model.delete(each.id)
        if (!isEnd) model.set(each.id, each)
        if (isEnd) waiting.delete(each.id)
        else put(waiting, each)
      })
      expect([...waiting.after(-1n)]).toEqual([...model.values()])
      expect(waiting.size).toBe(model.size)
      for (const each of model.values()) expect(waiting.get(each.id)).toEqual(each)
      const { picked } = waiting.soonest(0, 500, Infinity, none)
      expect(new Set(idsOf(picked))).toEqual(new Set(idsOf([...model.values()].filter(({ due }) => due < 500))))
    }))
  })
})
