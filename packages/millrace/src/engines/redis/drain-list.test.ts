import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Millrace, topic } from '../../broker/index.js'
import { libraries, type Made } from './clients/libraries.harness.js'
import { clientOf } from './clients/index.js'
import { type DrainProgress, drainKeys, drainList } from './drain-list.js'
import { call } from './engine.harness.js'
import type { RedisClient } from './port.js'
import { redis } from './redis.js'

const longMs = 60_000
interface Event { readonly n: number; readonly user?: string }
const events = topic<Event>('events', { partitions: 3 })

describe('a list queue', { timeout: longMs }, () => {
  let url: string
  let made: Made
  let plain: RedisClient
  let mill: Millrace
  let prefix: string
  let list: string

  beforeEach(async (context) => {
    const answer = await fetch(`${process.env.SERVICES_AT}/redis?version=7.0&topology=standalone`)
    if (!answer.ok) context.skip(await answer.text())
    url = ((await answer.json()) as { readonly url: string }).url
    made = (await libraries[0]?.standalone(url)) ?? context.skip('there is no library')
    plain = clientOf(made.client)
    prefix = `${randomUUID().slice(0, 8)}:`
    list = `${prefix}events`
    mill = new Millrace({ engine: redis({ client: made.client, prefix }) })
    await mill.topics.ensure(events)
  })
  afterEach(async () => {
    await mill?.close()
    await made?.end()
  })

  const push = (name: 'LPUSH' | 'RPUSH', ...items: readonly unknown[]): Promise<unknown> => call(plain, name, list, ...items.map((item) => JSON.stringify(item)))
  const numbered = (count: number): readonly Event[] => Array.from({ length: count }, (_, n) => ({ n }))
  const stored = async (): Promise<readonly Event[]> => {
    const pages = await Promise.all([0, 1, 2].map((partition) => mill.peek(events, { partition, limit: 1_000 })))
    return pages.flatMap(({ items }) => items.flatMap(({ value }) => value ?? []))
  }
  const numbers = async (): Promise<readonly number[]> => (await stored()).map(({ n }) => n).toSorted((one, other) => one - other)
  const beside = async (): Promise<unknown> => plain.command(['EXISTS', drainKeys(list).hand], list)

  it('drains into a topic: all of it, each once, and nothing is left beside it', async () => {
    await push('LPUSH', ...numbered(300), { n: 7 })
    const steps: DrainProgress[] = []
    const progress = await drainList({ client: made.client, list, mill, topic: events, batch: 100, onProgress: (each) => steps.push(each) })
    expect(progress).toEqual({ moved: 301, duplicates: 0, refused: 0, left: 0 })
    expect(steps.map(({ moved, left }) => [moved, left])).toEqual([[100, 201], [200, 101], [300, 1], [301, 0]])
    expect(await numbers()).toEqual([...numbered(300).map(({ n }) => n), 7].toSorted((one, other) => one - other))
    expect([await call(plain, 'LLEN', list), await beside()]).toEqual([0, 0])
  })

  it.each([['LPUSH', 'right'], ['RPUSH', 'left']] as const)('keeps the order of %s, and a second drain of the same list is another', async (name, end) => {
    const keyed = topic<Event>('events', { key: ({ user }) => user })
    const seen: number[] = []
    mill.consume(keyed, 'g', ({ value }) => void seen.push(value.n))
    for (const round of [1, 2]) {
      await push(name, ...numbered(20).map((each) => ({ ...each, user: 'ada' })))
      expect(await drainList({ client: made.client, list, end, mill, topic: keyed, batch: 7 })).toMatchObject({ moved: 20 })
      await vi.waitFor(() => expect(seen).toHaveLength(20 * round), longMs)
    }
    expect(seen).toEqual([...numbered(20), ...numbered(20)].map(({ n }) => n))
  })

  it('what an importer had in hand when it was killed is taken up by the next, and stored once', async () => {
    await push('LPUSH', ...numbered(230))
    const importer = fork(fileURLToPath(new URL('./drain-list.harness.js', import.meta.url)), [url, prefix, list])
    expect(await once(importer, 'exit')).toEqual([null, 'SIGKILL'])
    expect([await call(plain, 'LLEN', list), await beside()]).toEqual([130, 1])
    expect(await drainList({ client: made.client, list, mill, topic: events })).toEqual({ moved: 130, duplicates: 50, refused: 0, left: 0 })
    expect(await numbers()).toEqual(numbered(230).map(({ n }) => n))
  })

  it('what the topic does not take is put aside, whatever is wrong with it', async () => {
    const strict = topic('events', { schema: z.object({ n: z.number() }) })
    await push('LPUSH', { n: 1 }, { n: 'two' }, { n: 3 })
    await call(plain, 'LPUSH', list, 'not JSON')
    expect(await drainList({ client: made.client, list, mill, topic: strict })).toEqual({ moved: 2, duplicates: 0, refused: 2, left: 0 })
    const { refused } = drainKeys(list)
    expect([...((await call(plain, 'LRANGE', refused, 0, -1)) as readonly string[])].toSorted()).toEqual(['not JSON', '{"n":"two"}'])
    expect(await numbers()).toEqual([1, 3])
  })

  it('a topic that is full is waited for; the signal ends it, and what was in hand stays', async () => {
    await mill.topics.alter('events', { cap: { count: 6, whenFull: 'refuse' } })
    await mill.groups.create(events, 'g')
    await push('LPUSH', ...numbered(10))
    const abort = new AbortController()
    const draining = drainList({ client: made.client, list, mill, topic: events, batch: 2, signal: abort.signal })
    await vi.waitFor(async () => expect(await numbers()).toHaveLength(6), longMs)
    abort.abort()
    expect(await draining).toMatchObject({ moved: 6 })
    await mill.topics.alter('events', { cap: { whenFull: 'refuse' } })
    await drainList({ client: made.client, list, mill, topic: events })
    expect(await numbers()).toEqual(numbered(10).map(({ n }) => n))
  })

  it('follows a list to which others still push, until it is told to stop', async () => {
    const abort = new AbortController()
    const following = drainList({ client: made.client, list, mill, topic: events, follow: true, signal: abort.signal })
    for (const n of [1, 2]) {
      await push('LPUSH', { n })
      await vi.waitFor(async () => expect(await numbers()).toHaveLength(n), longMs)
    }
    abort.abort()
    expect(await following).toMatchObject({ moved: 2 })
  })

  it('a topic that is not there is told of before anything is taken', async () => {
    await push('LPUSH', { n: 1 })
    await expect(drainList({ client: made.client, list, mill, topic: 'elsewhere' })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    expect(await call(plain, 'LLEN', list)).toBe(1)
  })
})

it('a list of a cluster is drained in its slot, whatever tag it has', { timeout: longMs }, async (context) => {
  const answer = await fetch(`${process.env.SERVICES_AT}/redis?version=7.0&topology=cluster`)
  if (!answer.ok) context.skip(await answer.text())
  const { addresses } = (await answer.json()) as { readonly addresses: readonly string[] }
  const made = (await libraries[0]?.cluster(addresses)) ?? context.skip('there is no library')
  const plain = clientOf(made.client)
  const prefix = `${randomUUID().slice(0, 8)}:`
  const mill = new Millrace({ engine: redis({ client: made.client, prefix }) })
  await mill.topics.ensure(events)
  for (const list of [`${prefix}plain`, `${prefix}{tag}list`]) {
    await call(plain, 'LPUSH', list, '{"n":1}', 'no JSON')
    expect(await drainList({ client: made.client, list, mill, topic: events })).toEqual({ moved: 1, duplicates: 0, refused: 1, left: 0 })
  }
  await mill.close()
  await made.end()
})
