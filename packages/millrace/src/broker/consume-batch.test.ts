import { describe, expect, test } from 'vitest'
import { runUnit } from '../core/index.js'
import { testKit } from '../testing/index.js'
import type { BatchVerdict } from './received.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const numbers = topic<number>('numbers', { key: (n) => String(n % 3), partitions: 1 })
const items = (count: number): { value: number }[] => Array.from({ length: count }, (_, value) => ({ value }))

describe('a batch handler', () => {
  test('gets many at a time, in order, and each only once', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(25))
    const batches: number[][] = []
    kit.mill.consumeBatch(numbers, 'g', (messages) => void batches.push(messages.map(({ value }) => value)), { maxBatch: 10 })
    await kit.idle()
    expect(batches.flat()).toEqual(items(25).map(({ value }) => value))
    expect(Math.max(...batches.map(({ length }) => length))).toBe(10)
  })

  test('gives a verdict for each: done, failed, later, or a dead letter', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(4))
    const verdicts: BatchVerdict[] = ['done', { fail: new Error('again') }, { retryLaterMs: 5_000 }, { deadLetter: 'unwanted' }]
    const seen: string[] = []
    kit.mill.consumeBatch(numbers, 'g', (messages) => {
      seen.push(messages.map(({ value, attempt }) => `${value}.${attempt}`).join(' '))
      return messages.map(({ value, attempt }) => (attempt === 1 ? (verdicts[value] ?? 'done') : 'done'))
    }, { retry: fixed({ attempts: 2, everyMs: 100 }) })
    await kit.until(() => seen.length === 1)
    await kit.clock.advance(100)
    await kit.idle()
    await kit.clock.advance(5_000)
    await kit.idle()
    expect(seen).toEqual(['0.1 1.1 2.1 3.1', '1.2', '2.2'])
    expect(await kit.deadLetters()).toMatchObject([{ reason: 'unwanted', value: 3 }])
  })

  test('that throws, or gives too few verdicts, fails every message, and nothing later passes them', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(4))
    const seen: string[] = []
    kit.mill.consumeBatch(numbers, 'g', (messages) => {
      seen.push(messages.map(({ value, attempt }) => `${value}.${attempt}`).join(' '))
      if (seen.length === 1) throw new Error('no')
      return seen.length === 2 ? ['done'] : undefined
    }, { maxBatch: 2, retry: fixed({ attempts: 3, everyMs: 100 }) })
    await kit.until(() => seen.length === 1)
    await kit.clock.advance(200)
    await kit.idle()
    expect(seen).toEqual(['0.1 1.1', '0.2 1.2', '0.3 1.3', '2.1 3.1'])
  })

  test('waits for more when told to linger', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    const sizes: number[] = []
    const consumer = kit.mill.consumeBatch(numbers, 'g', ({ length }) => void sizes.push(length), { maxBatch: 5, lingerMs: 100 })
    await consumer.ready
    await kit.mill.sendMany(numbers, items(2))
    await kit.until(() => consumer.inHand === 2)
    expect(sizes).toEqual([])
    await kit.mill.sendMany(numbers, items(5))
    await kit.until(() => sizes.length === 1)
    await kit.clock.advance(100)
    await kit.idle()
    expect(sizes).toEqual([5, 2])
  })

  test('several at once never have messages of one key in two batches', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(60))
    const running = new Set<string>()
    const seen: Record<string, number[]> = { 0: [], 1: [], 2: [] }
    let most = 0
    kit.mill.consumeBatch(numbers, 'g', async (messages) => {
      const keys = new Set(messages.map(({ key }) => key ?? ''))
      for (const key of keys) expect(running.has(key)).toBe(false)
      for (const key of keys) running.add(key)
      most = Math.max(most, running.size)
      await new Promise((resolve) => setImmediate(resolve))
      for (const { key, value } of messages) seen[key ?? '']?.push(value)
      for (const key of keys) running.delete(key)
    }, { concurrency: 8, maxBatch: 5 })
    await kit.idle()
    expect(most).toBeGreaterThan(1)
    for (const order of Object.values(seen)) expect(order).toEqual([...order].sort((one, other) => one - other))
    expect(Object.values(seen).flat()).toHaveLength(60)
  })

  test('beyond its deadline has failed: its signal aborts and its verdicts are ignored', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.sendMany(numbers, items(2))
    let finish: (() => void) | undefined
    let runs = 0
    let aborted = 0
    kit.mill.consumeBatch(numbers, 'g', async (_, { signal }) => {
      runs += 1
      signal.addEventListener('abort', () => (aborted += 1))
      if (runs === 1) await new Promise<void>((resolve) => (finish = resolve))
    }, { deadlineMs: 1_000, retry: fixed({ attempts: 2, everyMs: 10 }) })
    await kit.until(() => runs === 1)
    await kit.clock.advance(1_010)
    await kit.idle()
    finish?.()
    await kit.idle()
    expect([runs, aborted]).toEqual([2, 1])
    expect(await kit.mill.groups.list(numbers)).toMatchObject([{ settled: 2, dead: 0 }])
  })

  test('runs with the later of its messages’ bookmarks', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(numbers)
    for (const order of [5n, 9n, 7n]) await runUnit({ bookmark: new Map([['db', { history: 'h', order }]]) }, () => kit.mill.send(numbers, 0))
    const seen: unknown[] = []
    kit.mill.consumeBatch(numbers, 'g', (_, { bookmark }) => void seen.push(bookmark.get('db')?.order))
    await kit.idle()
    expect(seen).toEqual([9n])
  })
})
