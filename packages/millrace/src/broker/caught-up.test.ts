import { describe, expect, test } from 'vitest'
import { memory, memoryStore } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit } from '../testing/index.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const numbers = topic<number>('numbers', { key: String, partitions: 2 })
const items = (count: number): { value: number }[] => Array.from({ length: count }, (_, value) => ({ value }))

/** What became of it so far. */
function followed<T>(promise: Promise<T>): { isOver: boolean; readonly promise: Promise<T> } {
  const state = { isOver: false, promise }
  const over = (): void => void (state.isOver = true)
  promise.then(over, over)
  return state
}

describe('waiting until groups have caught up', () => {
  test('ends when the last message of every group is done, with no help of the clock', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(20))
    const seen: string[] = []
    for (const group of ['g', 'h']) kit.mill.consume(numbers, group, ({ value }) => void seen.push(`${group}${value}`))
    expect(await kit.mill.groups.caughtUp(numbers)).toMatchObject([{ group: 'g', settled: 20 }, { group: 'h', settled: 20 }])
    expect(seen).toHaveLength(40)
  })

  test('of one group does not wait for another', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.groups.create(numbers, 'slow')
    await kit.mill.send(numbers, 1)
    kit.mill.consume(numbers, 'quick', () => undefined)
    expect(await kit.mill.groups.caughtUp(numbers, 'quick')).toMatchObject([{ group: 'quick', settled: 1 }])
    const all = followed(kit.mill.groups.caughtUp(numbers))
    await kit.clock.advance(5_000)
    expect(all.isOver).toBe(false)
    await kit.mill.groups.remove(numbers, 'slow')
    expect(await all.promise).toHaveLength(1)
  })

  test('waits for retries, and not for delayed messages and dead letters', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, [{ value: 1 }, { value: 2 }, { value: 3, delayMs: 3_600_000 }])
    let runs = 0
    kit.mill.consume(numbers, 'g', ({ value }, { attempt, deadLetter }) => {
      runs += 1
      if (value === 2) deadLetter('no')
      if (attempt === 1) throw new Error('not yet')
    }, { retry: [{ when: 'later', retry: fixed({ attempts: 2, everyMs: 60_000 }) }] })
    const waiting = followed(kit.mill.groups.caughtUp(numbers, 'g'))
    await kit.until(() => runs === 2)
    await kit.clock.advance(59_000)
    expect(waiting.isOver).toBe(false)
    await kit.clock.advance(1_001)
    expect(await waiting.promise).toMatchObject([{ settled: 1, dead: 1, retrying: 0 }])
  })

  test('learns within a second what another process has done, and asks no more often than it has reason to', async () => {
    const clock = new HandClock()
    const store = memoryStore()
    const chaos = chaosEngine(memory({ store, clock }), { clock })
    await using here = testKit({ clock, engine: chaos })
    await using there = testKit({ clock, engine: memory({ store, clock }) })
    await here.mill.topics.ensure(numbers)
    await here.mill.send(numbers, 1)
    await here.mill.groups.create(numbers, 'g')
    const waiting = followed(here.mill.groups.caughtUp(numbers, 'g'))
    await clock.advance(10_000)
    expect(waiting.isOver).toBe(false)
    expect(chaos.calls('census')).toBeLessThan(15)
    there.mill.consume(numbers, 'g', () => undefined)
    await there.idle()
    await clock.advance(1_000)
    expect(await waiting.promise).toMatchObject([{ settled: 1 }])
  })

  test('gives up when the signal aborts, with its reason', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.groups.create(numbers, 'g')
    await kit.mill.send(numbers, 1)
    const abort = new AbortController()
    const waiting = kit.mill.groups.caughtUp(numbers, 'g', { signal: abort.signal })
    await kit.clock.advance(1)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(kit.mill.groups.caughtUp(numbers, 'g', { signal: abort.signal })).rejects.toThrow('enough')
  })

  test('gives up when a consumer never joins and the signal aborts', async () => {
    const clock = new HandClock()
    const chaos = chaosEngine(memory({ clock }), { clock })
    await using kit = testKit({ clock, engine: chaos })
    await kit.mill.topics.ensure(numbers)
    chaos.trouble('join', { is: 'fail' }, { times: 1_000 })
    kit.mill.consume(numbers, 'g', () => undefined)
    const abort = new AbortController()
    const waiting = kit.mill.groups.caughtUp(numbers, 'g', { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })

  test('refuses what is not there, also when it goes while somebody waits', async () => {
    await using kit = testKit()
    await expect(kit.mill.groups.caughtUp('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await kit.mill.topics.ensure(numbers)
    await expect(kit.mill.groups.caughtUp(numbers, 'nobody')).rejects.toMatchObject({ code: 'UNKNOWN_GROUP', field: 'group' })
    expect(await kit.mill.groups.caughtUp(numbers)).toEqual([])
    await kit.mill.groups.create(numbers, 'g')
    await kit.mill.send(numbers, 1)
    const waiting = kit.mill.groups.caughtUp(numbers)
    await kit.until(() => true)
    await kit.mill.topics.remove('numbers')
    await expect(waiting).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
  })
})
