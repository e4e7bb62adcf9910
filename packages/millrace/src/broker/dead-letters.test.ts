import { beforeEach, describe, expect, test } from 'vitest'
import { groupHold, type HoldId } from '../core/index.js'
import { type HandClock, testKit, type TestKit } from '../testing/index.js'
import { topic } from './topic-contract.js'

interface Order {
  readonly id: number
  readonly customer: string
}

const orders = topic<Order>('orders', { key: ({ customer }) => customer, partitions: 1 })
let kit: TestKit<HandClock>
let isCured: boolean
let seen: string[]

/** Six dead letters: of customers a and b, for two reasons. */
beforeEach(async () => {
  kit = testKit()
  isCured = false
  seen = []
  await kit.mill.topics.ensure(orders)
  await kit.mill.sendMany(orders, Array.from({ length: 6 }, (_, id) => ({ value: { id, customer: id % 2 ? 'b' : 'a' }, id: `order-${id}` })))
  kit.mill.consume(orders, 'billing', ({ id, value }, { attempt }) => {
    seen.push(`${value.id}.${attempt}`)
    if (!isCured) throw value.id < 3 ? new TypeError(`no price for ${id}`) : new RangeError('too much')
  }, { retry: [{ deadLetter: true }] })
  await kit.idle()
  return () => kit.close()
})

const idsOf = async (): Promise<HoldId[]> => (await kit.deadLetters()).map(({ id }) => id)

describe('dead letters', () => {
  test('are listed in the order in which they died, by pages', async () => {
    const first = await kit.mill.deadLetters.list({ topic: orders, limit: 4 })
    const second = await kit.mill.deadLetters.list({ topic: orders, limit: 4, cursor: first.cursor ?? '' })
    expect([...first.items, ...second.items].map(({ messageId }) => messageId)).toEqual(['order-0', 'order-1', 'order-2', 'order-3', 'order-4', 'order-5'])
    expect(first.items[0]).toMatchObject({ id: groupHold('orders', 0, first.items[0]?.offset ?? 0n, 'billing'), group: 'billing', value: { id: 0, customer: 'a' } })
  })

  test('are found by text, kind, key and time', async () => {
    const found = async (filter: Parameters<typeof kit.mill.deadLetters.search>[0]) => (await kit.mill.deadLetters.search(filter)).items.map(({ messageId }) => messageId.slice(-1)).join('')
    expect(await found({ text: 'PRICE FOR order-1' })).toBe('1')
    expect(await found({ text: '"id":4' })).toBe('4')
    expect(await found({ kind: 'RangeError', key: 'b' })).toBe('35')
    expect(await found({ topic: orders, group: 'other' })).toBe('')
    expect(await found({ since: kit.clock.wall() + 1 })).toBe('')
    expect(await found({ until: kit.clock.wall() + 1, limit: 2 })).toBe('01')
  })

  test('a search goes on where it stopped', async () => {
    const first = await kit.mill.deadLetters.search({ key: 'b', limit: 1 })
    const rest = await kit.mill.deadLetters.search({ key: 'b', limit: 9, cursor: first.cursor ?? '' })
    expect([...first.items, ...rest.items].map(({ messageId }) => messageId)).toEqual(['order-1', 'order-3', 'order-5'])
  })

  test('go back to their group when redriven, with no attempts counted and the same id', async () => {
    isCured = true
    seen = []
    const progress = await kit.mill.deadLetters.redrive()
    await kit.idle()
    expect(progress).toEqual({ scanned: 6, matched: 6, done: 6, gone: 0 })
    expect(seen).toEqual(['0.1', '1.1', '2.1', '3.1', '4.1', '5.1'])
    expect(await kit.deadLetters()).toEqual([])
  })

  test('are redriven one by one, by filter, or not at all in a dry run', async () => {
    isCured = true
    seen = []
    const [first] = await idsOf()
    expect(await kit.mill.deadLetters.redrive({ filter: { kind: 'TypeError' }, dryRun: true })).toEqual({ scanned: 6, matched: 3, done: 0, gone: 0 })
    expect(await kit.mill.deadLetters.redrive({ ids: [first ?? ''] })).toMatchObject({ done: 1 })
    await kit.mill.deadLetters.redrive({ filter: { topic: orders, key: 'b', kind: 'RangeError' } })
    await kit.idle()
    expect(seen).toEqual(['0.1', '3.1', '5.1'])
    expect(await kit.mill.deadLetters.redrive({ ids: [first ?? '', 'orders:nothing'] })).toEqual({ scanned: 0, matched: 0, done: 0, gone: 0 })
  })

  test('that die again while they are redriven are not redriven twice', async () => {
    seen = []
    expect(await kit.mill.deadLetters.redrive()).toMatchObject({ done: 6 })
    await kit.idle()
    expect(seen).toHaveLength(6)
    expect(await kit.deadLetters()).toHaveLength(6)
  })

  test('are redriven no faster than asked, with progress, until the signal aborts', async () => {
    isCured = true
    seen = []
    const steps: number[] = []
    const abort = new AbortController()
    const redriving = kit.mill.deadLetters.redrive({ ratePerSec: 1, signal: abort.signal, onProgress: ({ done }) => steps.push(done) })
    await kit.until(() => steps.length === 1)
    await kit.clock.advance(999)
    expect(steps).toEqual([1])
    await kit.clock.advance(2_001)
    expect(steps.at(-1)).toBe(4)
    abort.abort()
    expect(await redriving).toMatchObject({ done: 4 })
    await kit.idle()
    expect(seen).toHaveLength(4)
  })

  test('are redriven with no rest after the last', async () => {
    expect(await kit.mill.deadLetters.redrive({ ratePerSec: 1_000 })).toMatchObject({ done: 6 })
    await kit.idle()
    expect(await kit.mill.deadLetters.purge({ ids: (await idsOf()).slice(0, 1), ratePerSec: 1 })).toMatchObject({ done: 1 })
  })

  test('are redriven as fast as asked when named by id', async () => {
    const steps: number[] = []
    const purging = kit.mill.deadLetters.purge({ ids: await idsOf(), ratePerSec: 100, onProgress: ({ done }) => steps.push(done) })
    await kit.until(() => steps.length === 1)
    await kit.clock.advance(51)
    expect(await purging).toMatchObject({ done: 6 })
  })

  test('are edited where they lie, or on their way', async () => {
    isCured = true
    const [first] = await idsOf()
    expect(await kit.mill.deadLetters.edit(first ?? '', { value: { id: 70, customer: 'a' }, headers: { edited: 'yes' } }, orders)).toBe(true)
    expect(await kit.mill.deadLetters.get(first ?? '')).toMatchObject({ value: { id: 70, customer: 'a' }, messageId: 'order-0', reason: 'no price for order-0' })
    expect((await kit.mill.deadLetters.get(first ?? ''))?.headers.get('edited')).toBe('yes')
    expect(await kit.mill.deadLetters.edit('orders/0/999@billing', { value: 1 })).toBe(false)
    seen = []
    await kit.mill.deadLetters.redrive({ edit: ({ messageId }) => (messageId === 'order-1' ? { value: { id: 71, customer: 'b' } } : undefined) })
    await kit.idle()
    expect(seen.sort()).toEqual(['2.1', '3.1', '4.1', '5.1', '70.1', '71.1'])
  })

  test('are gone for good when purged, by filter or all', async () => {
    expect(await kit.mill.deadLetters.purge({ filter: { key: 'a' }, dryRun: true })).toMatchObject({ matched: 3, done: 0 })
    expect(await kit.mill.deadLetters.purge({ filter: { key: 'a' } })).toMatchObject({ done: 3 })
    expect((await kit.deadLetters()).map(({ key }) => key)).toEqual(['b', 'b', 'b'])
    await kit.mill.deadLetters.purge()
    expect(await kit.deadLetters()).toEqual([])
    expect(seen).toHaveLength(6)
  })

  test('never take a delayed message for one of them', async () => {
    await kit.mill.send(orders, { id: 9, customer: 'a' }, { id: 'later', delayMs: 60_000 })
    expect(await kit.mill.deadLetters.redrive({ ids: ['orders:later'] })).toMatchObject({ done: 0 })
    expect(await kit.mill.deadLetters.purge({ ids: ['orders:later'] })).toMatchObject({ done: 0 })
    expect((await kit.mill.delays.list()).items).toHaveLength(1)
  })
})
