import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lanes } from './lanes.js'

interface Item {
  readonly partition: number
  readonly lane: string | null
  readonly n: number
}

/** Any mixture of filling, starting, finishing, failing in place and taking back. */
const moves = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('add' as const), lane: fc.constantFrom('a', 'b', 'c', null), partition: fc.constantFrom(0, 1) }),
    fc.record({ do: fc.constantFrom('start' as const, 'finish' as const, 'again' as const) }),
    fc.record({ do: fc.constant('take' as const), partition: fc.constantFrom(0, 1) }),
  ),
  { maxLength: 200 },
)

test('whatever happens, one of a lane runs at a time, in order, and nothing is lost', () => {
  fc.assert(
    fc.property(moves, (script) => {
      const lanes = new Lanes<Item>()
      const running: Item[] = []
      const left = new Set<Item>()
      const last = new Map<string, number>()
      const start = (): void => {
        const item = lanes.next()
        if (!item) return
        if (item.lane !== null) {
          expect(running.some(({ lane }) => lane === item.lane)).toBe(false)
          expect(item.n).toBeGreaterThanOrEqual(last.get(item.lane) ?? 0)
          last.set(item.lane, item.n)
        }
        running.push(item)
      }
      script.forEach((move, n) => {
        if (move.do === 'add') {
          const item = { partition: move.partition, lane: move.lane, n }
          left.add(item)
          lanes.add(item)
        } else if (move.do === 'start') start()
        else if (move.do === 'take') for (const item of lanes.take(({ partition }) => partition === move.partition)) left.delete(item)
        else {
          const item = running.shift()
          if (item && move.do === 'finish') {
            left.delete(item)
            lanes.release(item)
          } else if (item) lanes.again(item)
        }
        expect(lanes.size).toBe(left.size - running.length)
      })
      for (let item = running.shift(); item || lanes.size > 0; item = running.shift()) {
        if (item) {
          left.delete(item)
          lanes.release(item)
        }
        start()
      }
      expect(left.size).toBe(0)
    }),
  )
})
