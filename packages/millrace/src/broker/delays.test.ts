import { expect, test } from 'vitest'
import { testKit } from '../testing/index.js'
import { topic } from './topic-contract.js'

const plain = topic<number>('plain', { partitions: 1 })

test('a delayed message is read at its time, by every group, and says that it was delayed', async () => {
  await using kit = testKit()
  await kit.mill.topics.ensure(plain)
  const until = kit.clock.wall() + 5_000
  const seen: unknown[] = []
  for (const group of ['g', 'h']) kit.mill.consume(plain, group, ({ value, kind, delayedUntil }) => void seen.push([group, value, kind, delayedUntil]))
  expect(await kit.mill.send(plain, 1, { delayMs: 5_000 })).toMatchObject({ offset: null })
  await kit.clock.advance(4_999)
  expect(seen).toEqual([])
  await kit.clock.advance(2)
  await kit.idle()
  expect(seen.sort()).toEqual([['g', 1, 'delay', until], ['h', 1, 'delay', until]])
})

test('it can be cancelled, and moved to another time, until it is released', async () => {
  await using kit = testKit()
  await kit.mill.topics.ensure(plain)
  const at = new Date(kit.clock.wall() + 10_000)
  for (const id of ['a', 'b', 'c']) await kit.mill.send(plain, 1, { id, at })
  expect((await kit.mill.delays.list({ topic: plain })).items.map(({ message }) => message.id)).toEqual(['a', 'b', 'c'])
  expect(await kit.mill.delays.cancel(plain, 'a')).toBe(true)
  expect(await kit.mill.delays.cancel(plain, 'a')).toBe(false)
  expect(await kit.mill.delays.reschedule(plain, 'b', kit.clock.wall() + 1_000)).toBe(true)
  await kit.clock.advance(1_001)
  expect((await kit.published(plain)).map(({ id }) => id)).toEqual(['b'])
  expect(await kit.mill.delays.reschedule(plain, 'b', at)).toBe(false)
  await kit.clock.advance(9_001)
  expect((await kit.published(plain)).map(({ id }) => id)).toEqual(['b', 'c'])
})

test('a second one with its id is refused, so that scheduling twice is safe', async () => {
  await using kit = testKit()
  await kit.mill.topics.ensure(plain)
  await kit.mill.send(plain, 1, { id: 'daily', delayMs: 1_000 })
  await expect(kit.mill.send(plain, 2, { id: 'daily', delayMs: 2_000 })).rejects.toMatchObject({ code: 'HELD_ALREADY' })
})

test('a prepared message is not for this door', async () => {
  await using kit = testKit()
  await kit.mill.topics.ensure(plain)
  const prepared = await kit.mill.prepare(plain, 1, { producerGroup: 'p', id: 'x' })
  expect(await kit.mill.delays.cancel(plain, 'x')).toBe(false)
  expect(await kit.mill.delays.reschedule(plain, 'x', 0)).toBe(false)
  expect(await prepared.commit()).toBe('done')
})

test('a delay that is none is refused, naming the field', async () => {
  await using kit = testKit()
  await kit.mill.topics.ensure(plain)
  await expect(kit.mill.send(plain, 1, { delayMs: Number.NaN })).rejects.toMatchObject({ code: 'INVALID', field: 'delayMs' })
  await expect(kit.mill.send(plain, 1, { delayMs: 1, at: 1 })).rejects.toMatchObject({ code: 'INVALID' })
  await expect(kit.mill.send(plain, 1, { at: new Date('never') })).rejects.toMatchObject({ code: 'INVALID', field: 'at' })
})
