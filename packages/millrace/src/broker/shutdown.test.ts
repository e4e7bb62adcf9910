import { describe, expect, test } from 'vitest'
import { memory, memoryStore } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit } from '../testing/index.js'
import { topic } from './topic-contract.js'

const numbers = topic<number>('numbers', { key: String, partitions: 1 })
const items = (count: number): { value: number }[] => Array.from({ length: count }, (_, value) => ({ value }))

function two() {
  const clock = new HandClock()
  const store = memoryStore()
  return [testKit({ clock, engine: memory({ store, clock }) }), testKit({ clock, engine: memory({ store, clock }) })] as const
}

/** A handler that runs until it is let go, and says what its signal said. */
function slow() {
  const started: number[] = []
  const aborted: number[] = []
  const waiting: (() => void)[] = []
  const handler = async ({ value }: { value: number }, { signal }: { signal: AbortSignal }): Promise<void> => {
    started.push(value)
    signal.addEventListener('abort', () => aborted.push(value))
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { started, aborted, waiting, handler, finish: () => waiting.splice(0).forEach((go) => go()) }
}

describe('closing a consumer', () => {
  test('lets what runs finish, and hands the rest back at once', async () => {
    const [one, other] = two()
    await one.mill.topics.ensure(numbers)
    await one.mill.sendMany(numbers, items(5))
    const work = slow()
    const consumer = one.mill.consume(numbers, 'g', work.handler, { concurrency: 2 })
    await one.until(() => work.started.length === 2)
    const closing = consumer.close()
    expect(consumer.state).toBe('closing')
    const seen: number[] = []
    work.finish()
    await closing
    other.mill.consume(numbers, 'g', ({ value }, { attempt }) => void seen.push(value * 10 + attempt))
    await one.idle()
    expect(work.aborted).toEqual([])
    expect(seen).toEqual([21, 31, 41])
    await Promise.all([one.close(), other.close()])
  })

  test('aborts what is unfinished at the deadline and acknowledges none of it', async () => {
    const [one, other] = two()
    await one.mill.topics.ensure(numbers)
    await one.mill.sendMany(numbers, items(3))
    const work = slow()
    const consumer = one.mill.consume(numbers, 'g', work.handler, { concurrency: 2 })
    await one.until(() => work.started.length === 2)
    const closing = consumer.close({ deadlineMs: 1_000 })
    await one.clock.advance(1_000)
    await closing
    expect(work.aborted).toEqual([0, 1])
    work.finish()
    const seen: number[] = []
    other.mill.consume(numbers, 'g', ({ value }, { attempt }) => void seen.push(value * 10 + attempt))
    await one.idle()
    expect(seen).toEqual([1, 11, 21])
    await Promise.all([one.close(), other.close()])
  })

  test('hands back what rests between two attempts', async () => {
    const [one, other] = two()
    await one.mill.topics.ensure(numbers)
    await one.mill.send(numbers, 1)
    let failed = 0
    const consumer = one.mill.consume(numbers, 'g', () => {
      failed += 1
      throw new Error('no')
    })
    await one.until(() => failed === 1)
    await consumer.close()
    const seen: number[] = []
    other.mill.consume(numbers, 'g', ({ value }) => void seen.push(value))
    await one.idle()
    expect([failed, seen]).toEqual([1, [1]])
    await Promise.all([one.close(), other.close()])
  })

  test('before it has joined, twice, and through `await using` is as good', async () => {
    const [one, other] = two()
    await one.mill.topics.ensure(numbers)
    {
      await using consumer = one.mill.consume(numbers, 'g', () => undefined)
      await Promise.all([consumer.close(), consumer.close()])
      expect(consumer.state).toBe('closed')
    }
    expect(one.troubles).toEqual([])
    await Promise.all([one.close(), other.close()])
  })
})

describe('a partition that moves', () => {
  test('finishes here what runs, and goes on there with what had not begun', async () => {
    const spread = topic<number>('spread', { partitions: 2 })
    const [one, other] = two()
    await one.mill.topics.ensure(spread)
    for (let n = 0; n < 8; n += 1) await one.mill.send(spread, n, { partition: n % 2, key: `p${n % 2}` })
    const work = slow()
    await one.mill.consume(spread, 'g', work.handler).ready
    await one.until(() => work.started.length === 2)
    const there: number[] = []
    const joined = other.mill.consume(spread, 'g', ({ value }) => void there.push(value))
    await joined.ready
    await one.clock.advance(5_000)
    expect(there).toEqual([])
    for (let round = 0; round < 8; round += 1) {
      work.finish()
      await one.clock.advance(1_000)
    }
    await one.idle()
    expect(work.started).toHaveLength(5)
    expect(there).toHaveLength(3)
    expect([...work.started, ...there].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    await Promise.all([one.close(), other.close()])
  })

  test('is aborted when it takes longer than the drain, and its late verdict changes nothing', async () => {
    const spread = topic<number>('spread', { partitions: 2 })
    const [one, other] = two()
    await one.mill.topics.ensure(spread)
    for (const partition of [0, 1]) await one.mill.send(spread, partition, { partition })
    const work = slow()
    const here = one.mill.consume(spread, 'g', work.handler, { drainMs: 2_000 })
    await one.until(() => work.started.length === 2)
    const there: number[] = []
    other.mill.consume(spread, 'g', ({ value }) => void there.push(value), { drainMs: 2_000 })
    await one.clock.advance(15_000)
    await one.until(() => there.length === 1)
    expect(work.aborted).toEqual(there)
    expect(here.inHand).toBe(1)
    work.finish()
    await one.idle()
    expect(await one.mill.groups.list(spread)).toMatchObject([{ settled: 2 }])
    await Promise.all([one.close(), other.close()])
  })

  test('by a seek: what is in hand lapses, is aborted, and comes again', async () => {
    const [one, other] = two()
    await one.mill.topics.ensure(numbers)
    await one.mill.sendMany(numbers, items(3))
    const work = slow()
    one.mill.consume(numbers, 'g', work.handler, { concurrency: 2 })
    await one.until(() => work.started.length === 2)
    await one.mill.groups.seek(numbers, 'g', 'start')
    work.waiting.shift()?.()
    await one.until(() => work.aborted.length > 0)
    expect(work.aborted).toContain(1)
    while (work.started.length < 6) {
      await one.until(() => work.waiting.length > 0)
      work.finish()
    }
    await one.idle()
    expect(work.started.slice(-3)).toEqual([0, 1, 2])
    expect(await one.mill.groups.list(numbers)).toMatchObject([{ settled: 3 }])
    await Promise.all([one.close(), other.close()])
  })
})

describe('closing a Millrace', () => {
  test('sends what is buffered, closes its consumers, and refuses everything after', async () => {
    const clock = new HandClock()
    const store = memoryStore()
    const chaos = chaosEngine(memory({ clock, store }), { clock }).trouble('publish', { is: 'delay', ms: 1_000 })
    const kit = testKit({ clock, engine: chaos })
    await kit.mill.topics.ensure(numbers)
    const consumer = kit.mill.consume(numbers, 'g', () => undefined)
    const sent = kit.mill.send(numbers, 1)
    await kit.until(() => chaos.calls('publish') === 1)
    const closing = kit.mill.close()
    await clock.advance(1_000)
    await closing
    expect(await sent).toMatchObject({ offset: expect.any(BigInt) })
    expect(consumer.state).toBe('closed')
    await expect(kit.mill.send(numbers, 2)).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(kit.mill.census()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(kit.mill.consume(numbers, 'g', () => undefined).ready).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('that was never opened is nothing', async () => {
    const kit = testKit()
    await kit.close()
    await expect(kit.mill.open()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
