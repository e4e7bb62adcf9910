import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import { type OwnRedis, ownRedis } from './clients/servers.harness.js'
import { Bench, call, countsIn, draft, groupIn, logOf, sent } from './engine.harness.js'
import { offsetOf, streamId } from './offset.js'
import { forget } from './scripts/keeping.js'

const longMs = 60_000
let server: OwnRedis | { readonly missing: string }
let bench: Bench
beforeAll(async () => void (server = await ownRedis({})), longMs)
afterAll(async () => {
  if ('stop' in server) await server.stop()
})
beforeEach((context) => {
  if ('missing' in server) context.skip(server.missing)
  else bench = new Bench(server.url)
})
afterEach(() => bench?.close())

const keyOf = (name: string): string => `${bench.prefix}{t/0}${name}`

describe('beside other producers', { timeout: longMs }, () => {
  it('what plain XADD added is read, counted, and our offsets go on behind it', async () => {
    const [engine, client] = [await bench.engineWith(), await bench.client()]
    await sent(engine, 'a')
    const id = await call(client, 'XADD', keyOf('log'), '*', 'value', 'b', 'key', 'k', 'shop', 's')
    const [, c] = await sent(engine, 'c', 'd')
    const { items } = await engine.browse({ topic: 't', from: 'start', limit: 9 })
    expect(items.map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd'])
    expect(items[1]).toMatchObject({ id: `t-0-${String(id)}`, key: 'k', headers: [['shop', Buffer.from('s')]], offset: BigInt(offsetOf(String(id)) ?? -1) })
    expect(items[3]?.offset).toBe(c?.offset)
    expect(await countsIn(engine)).toMatchObject({ published: 4, messages: 4 })
  })

  it('offsets are above those of entries that others added and removed, and above a clock that was ahead', async () => {
    const [engine, client] = [await bench.engineWith(), await bench.client()]
    const ahead = `${Date.now() + 60_000}-7`
    await call(client, 'XADD', keyOf('log'), ahead, 'value', 'x')
    await call(client, 'XDEL', keyOf('log'), ahead)
    const [first] = await sent(engine, 'a')
    expect(Number(first?.offset)).toBeGreaterThan(offsetOf(ahead) ?? Infinity)
    const [second] = await sent(engine, 'b')
    expect(second?.offset).toBeGreaterThan(first?.offset ?? 0n)
    expect(await logOf(engine)).toEqual(['a', 'b'])
  })

  it('a partition that only others write to can be browsed and counted', async () => {
    const [engine, client] = [await bench.engineWith(), await bench.client()]
    for (const value of ['a', 'b']) await call(client, 'XADD', keyOf('log'), '*', 'value', value)
    await engine.groups.create('t', 'g', 'start')
    expect(await logOf(engine)).toEqual(['a', 'b'])
    expect(await groupIn(engine)).toMatchObject({ ready: 2, lag: 2 })
  })
})

describe('beside other consumers', { timeout: longMs }, () => {
  it('groups are shown to redis-cli where they stand', async () => {
    const [engine, client] = [await bench.engineWith({ keep: { count: 100 } }), await bench.client()]
    await engine.groups.create('t', 'g', 'start')
    await sent(engine, 'a', 'b')
    await vi.waitFor(async () => expect(await call(client, 'XINFO', 'GROUPS', keyOf('log'))).toEqual([expect.arrayContaining(['name', 'g', 'lag', 2])]), longMs)
    await engine.groups.remove('t', 'g')
    expect(await call(client, 'XINFO', 'GROUPS', keyOf('log'))).toEqual([])
  })

  it('entries that have no offset yet stay, though all before them is finished', async () => {
    const [engine, client] = [await bench.engineWith({ keep: { count: 0 } }), await bench.client()]
    await engine.groups.create('t', 'g', 'start')
    const ms = Date.now()
    await client.run({ name: 'burst', lua: `for i = 4090, 4100 do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. i, 'value', i) end return 1` }, [keyOf('log')], [ms])
    await engine.groups.seek('t', 'g', { offset: BigInt(ms + 1) * 4_096n })
    await vi.waitFor(async () => expect(await call(client, 'XLEN', keyOf('log'))).toBe(6), longMs)
  })

  it('what a plain XREADGROUP has not acknowledged stays in the log', async () => {
    const [engine, client] = [await bench.engineWith({ keep: { count: 0 } }), await bench.client()]
    await call(client, 'XGROUP', 'CREATE', keyOf('log'), 'plain', '0', 'MKSTREAM')
    const [a] = await sent(engine, 'a', 'b')
    await call(client, 'XREADGROUP', 'GROUP', 'plain', 'me', 'COUNT', '1', 'STREAMS', keyOf('log'), '>')
    // The server's time is real, and nothing tells that a look of the janitor has removed nothing: time for two.
    await new Promise<void>((resolve) => setTimeout(resolve, 2_500))
    expect(await logOf(engine)).toEqual(['a', 'b'])
    await call(client, 'XACK', keyOf('log'), 'plain', streamId(a?.offset ?? 0n))
    await vi.waitFor(async () => expect(await logOf(engine)).toEqual(['b']), longMs)
  })
})

describe('what a log has had', { timeout: longMs }, () => {
  it('is counted from any place without reading it all', async () => {
    const engine = await bench.engineWith()
    await engine.groups.create('t', 'g', 'start')
    const receipts = []
    for (let batch = 0; batch < 12; batch += 1) receipts.push(...(await sent(engine, ...Array.from({ length: 250 }, (_, index) => `${batch}-${index}`))))
    for (const at of [0, 1, 249, 250, 1_777, 2_999]) {
      await engine.groups.seek('t', 'g', { offset: receipts[at]?.offset ?? 0n })
      expect(await engine.groups.positions('t', 'g')).toMatchObject([{ lag: 3_000 - at, watermark: receipts[at]?.offset }])
    }
    const counts = await countsIn(engine)
    expect(counts).toMatchObject({ published: 3_000, messages: 3_000 })
    await engine.topics.alter('t', { keep: { count: 100 }, mayPassUnread: true })
    await vi.waitFor(async () => expect((await countsIn(engine)).messages).toBe(100), longMs)
    const after = await countsIn(engine)
    expect(after.published).toBe(3_000)
    expect(after.bytes).toBeGreaterThan((counts.bytes * 95) / 3_000)
    expect(after.bytes).toBeLessThan((counts.bytes * 110) / 3_000)
  })

  it('leaves with its topic: nothing but a word that it was removed stays, for a day', async () => {
    const [engine, client] = [await bench.engineWith({ partitions: 2 }), await bench.client()]
    await engine.groups.create('t', 'g', 'start')
    await engine.publish([draft('a'), draft('b', { partition: 1, dedup: { id: 'd', windowMs: 200 } }), draft('c', { hold: { why: 'delay', until: Date.now() + 60_000, then: 'release', attempt: 0 } })])
    await engine.topics.remove('t')
    await vi.waitFor(async () => {
      const keys = (await client.command(['KEYS', `${bench.prefix}*`])) as readonly Buffer[]
      expect(keys.map(String).sort()).toEqual([`${bench.prefix}topics`, keyOf('part'), `${bench.prefix}{t/1}part`].sort())
    }, longMs)
    expect(await call(client, 'TTL', keyOf('part'))).toBeGreaterThan(86_000)
  })
})

describe('a server that lost everything', { timeout: longMs }, () => {
  it('gets its topics and groups back, and whoever watches over the engine is told', async () => {
    const [engine, client] = [await bench.engineWith(), await bench.client()]
    await engine.groups.create('t', 'g', 'end')
    await sent(engine, 'a')
    await client.command(['FLUSHALL'])
    expect(await engine.topics.list()).toMatchObject([{ name: 't' }])
    expect(bench.reports).toMatchObject([{ code: 'STORE_LOST' }])
    await sent(engine, 'b')
    expect(await logOf(engine)).toEqual(['b'])
    expect(await groupIn(engine)).toMatchObject({ ready: 1 })
  })
})

describe('several instances', { timeout: longMs }, () => {
  it('one creates a topic, and exactly one of those that race for it', async () => {
    const engines = await Promise.all([bench.engine(), bench.engine(), bench.engine()])
    const made = await Promise.allSettled(engines.map((each) => each.topics.create(topicConfig({ name: 't' }))))
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const each of engines) expect(await each.publish([draft('a')])).toMatchObject([{ ok: { id: expect.anything() } }])
  })

  it('a removal that one began and did not end is ended by whoever makes the topic anew', async () => {
    const [one, client] = [await bench.engineWith(), await bench.client()]
    await sent(one, 'old')
    const text = JSON.parse(String(await call(client, 'HGET', `${bench.prefix}topics`, 't'))) as object
    await call(client, 'HSET', `${bench.prefix}topics`, 't', JSON.stringify({ ...text, removing: true }))
    const other = await bench.engine()
    await expect(other.browse({ topic: 't', from: 'start', limit: 1 })).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await other.topics.create(topicConfig({ name: 't', partitions: 1 }))
    expect(await logOf(other)).toEqual([])
  })
})

describe('what somebody began and did not end', { timeout: longMs }, () => {
  it('a group that has no cursor in a partition gets one, and nothing goes before', async () => {
    const [engine, client] = [await bench.engineWith({ keep: { count: 0 } }), await bench.client()]
    await call(client, 'HSET', `${bench.prefix}{t}groups`, 'g', JSON.stringify({ createdAt: 1, paused: false, from: 'start', partitions: 1 }))
    await sent(engine, 'a', 'b')
    await vi.waitFor(async () => expect(await groupIn(engine)).toMatchObject({ ready: 2 }), longMs)
    await vi.waitFor(async () => expect(await call(client, 'EXISTS', keyOf('c:g'))).toBe(1), longMs)
    expect(await logOf(engine)).toEqual(['a', 'b'])
  })

  it('a cursor whose group is gone pins the log no longer', async () => {
    const [engine, client] = [await bench.engineWith({ keep: { count: 0 } }), await bench.client()]
    await engine.groups.create('t', 'g', 'start')
    await sent(engine, 'a')
    await call(client, 'HDEL', `${bench.prefix}{t}groups`, 'g')
    await call(client, 'HINCRBY', keyOf('c:g'), 'e', -3_600)
    await vi.waitFor(async () => expect(await logOf(engine)).toEqual([]), longMs)
    expect(await call(client, 'EXISTS', keyOf('c:g'))).toBe(0)
  })
})

describe('what is remembered of batches', { timeout: longMs }, () => {
  it('is forgotten after a day', async () => {
    const [engine, client] = [await bench.engineWith(), await bench.client()]
    await sent(engine, 'a')
    await call(client, 'HSET', keyOf('seen'), 'gone:1', `1 ${Math.floor(Date.now() / 1_000) - 100_000} 5`)
    await client.run(forget, [keyOf('seen')], [86_400])
    expect(await call(client, 'HKEYS', keyOf('seen'))).toEqual([expect.not.stringContaining('gone')])
  })
})
