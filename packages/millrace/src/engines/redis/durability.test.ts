import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OwnRedis, ownRedis } from './clients/servers.harness.js'
import { Guarantees } from './durability.js'
import { Bench, draft } from './engine.harness.js'

const longMs = 60_000

describe('what a write survives', () => {
  const facts = { isAppendOnly: true, fsync: 'everysec', canWaitForFsync: true, hasShardedChannels: true } as const

  it('is what the server does with it, and what it can be asked to confirm', () => {
    expect(new Guarantees({ ...facts, isAppendOnly: false }, 0).levels).toEqual(['memory'])
    expect(new Guarantees({ ...facts, canWaitForFsync: false }, 0).levels).toEqual(['memory', 'os'])
    expect(new Guarantees(facts, 0).levels).toEqual(['memory', 'os', 'fsync'])
    expect(new Guarantees({ ...facts, fsync: 'always' }, 2).levels).toEqual(['memory', 'os', 'fsync', 'replicated'])
  })

  it('waits for no more than it has to: copies unless less is asked for, the disk when it is', () => {
    const both = new Guarantees(facts, 2)
    expect([undefined, 'replicated', 'fsync', 'os'].map((level) => both.confirmation(level as 'os'))).toEqual([{ replicas: 2, fsync: false }, { replicas: 2, fsync: false }, { replicas: 0, fsync: true }, undefined])
    expect(new Guarantees(facts, 0).confirmation(undefined)).toBeUndefined()
  })

  it('is refused with what to change where it cannot be met', () => {
    expect(() => new Guarantees({ ...facts, isAppendOnly: false }, 0).confirmation('os')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('appendonly yes') }))
  })
})

describe('on a server with a replica', { timeout: longMs }, () => {
  let server: OwnRedis | { readonly missing: string }
  let bench: Bench
  beforeAll(async () => void (server = await ownRedis({ replicas: 1, config: { appendonly: 'yes' } })), longMs)
  afterAll(async () => {
    if ('stop' in server) await server.stop()
  })
  beforeEach((context) => {
    if ('missing' in server) context.skip(server.missing)
    else bench = new Bench(server.url)
  })
  afterEach(() => bench?.close())

  it('a message is confirmed by it, and by none while it is away: stored, and weaker than asked for', async () => {
    if ('missing' in server) return
    const engine = await bench.engineWith({}, { replicas: 1 })
    expect(engine.traits.durability).toEqual(['memory', 'os', 'replicated'])
    expect(await engine.publish([draft('a')])).toMatchObject([{ ok: { survives: ['memory', 'os', 'replicated'] } }])
    await server.node(1, 'pause')
    const [weaker] = await engine.publish([draft('b')])
    expect(weaker).toMatchObject({ stored: 'weaker', error: { code: 'TIMEOUT', message: expect.stringContaining('1 replicas') } })
    expect(await engine.publish([draft('c')], 'os')).toMatchObject([{ ok: { survives: ['memory', 'os'] } }])
    await server.node(1, 'resume')
    expect((await engine.browse({ topic: 't', from: 'start', limit: 9 })).items.map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
  })

  it('one that may evict what it was given is refused, with what to change', async () => {
    if ('missing' in server) return
    await server.call(0, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(bench.engine()).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('maxmemory-policy noeviction') })
    await server.call(0, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
  })
})

describe('on a server that tells when it is on the disk', { timeout: longMs }, () => {
  it('a message is, where that is asked for, though the server writes behind', async (context) => {
    const server = await ownRedis({ version: 'valkey-9', config: { appendonly: 'yes', appendfsync: 'everysec' } })
    if ('missing' in server) {
      context.skip(server.missing)
      return
    }
    const bench = new Bench(server.url)
    const engine = await bench.engineWith()
    expect(engine.traits.durability).toEqual(['memory', 'os', 'fsync'])
    expect(await engine.publish([draft('a')])).toMatchObject([{ ok: { survives: ['memory', 'os'] } }])
    expect(await engine.publish([draft('b')], 'fsync')).toMatchObject([{ ok: { survives: ['memory', 'os', 'fsync'] } }])
    await bench.close()
    await server.stop()
  })
})
