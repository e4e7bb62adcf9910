import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Reply, Script } from '../port.js'
import type { Library, Made } from './libraries.harness.js'
import { Proxy } from './proxy.harness.js'
import { Room } from './room.harness.js'
import type { Wanted } from './servers.harness.js'

const longMs = 120_000
const shortMs = 1_000
const count: Script = { name: 'count', lua: `redis.call('INCRBY', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}` }

/** What one library owes, on one kind of server each chapter. */
export function suiteOf(library: Library): void {
  describe(library.name, () => {
    const made: Made[] = []
    const rooms: Room[] = []
    afterEach(() => Promise.all(made.splice(0).map((each) => each.end())))
    afterAll(() => Promise.all(rooms.map((each) => each.close())))

    function room(wanted: Wanted): Room {
      const found = new Room(library, wanted, made)
      rooms.push(found)
      beforeAll(() => found.open(), longMs)
      return found
    }
    describe('alone', () => {
      const alone = room({})
      speaks(alone)
      listens(alone)
      outlives(alone)
      insists(alone)
    })
    describe.each(['8.2', 'valkey-9'] as const)('on %s', (version) => {
      const newer = room({ version })
      speaks(newer)
      listens(newer)
    })
    describe('with rights', () => {
      rights(room({ config: { requirepass: 'secret', user: 'half on >half ~mine:* &* +@all -config -set' } }))
    })
    describe('with Sentinels', () => {
      changesPrimary(room({ topology: 'sentinel' }))
    })
    describe('in a cluster', () => {
      const cluster = room({ topology: 'cluster', replicas: 1 })
      speaks(cluster)
      listens(cluster, ['PUBLISH', 'SPUBLISH'])
      followsSlots(cluster)
    })
  })
}

function texts(reply: Reply): unknown {
  return Buffer.isBuffer(reply) ? reply.toString() : Array.isArray(reply) ? reply.map(texts) : reply
}

function speaks(room: Room): void {
  it('answers bytes, numbers, nothing and lists, in the shapes of RESP2', async (context) => {
    const client = await room.client(context)
    const bytes = Buffer.from([0, 255, 13, 10, 200])
    expect(texts(await client.command(['SET', '{a}1', bytes], '{a}1'))).toBe('OK')
    expect(await client.command(['GET', '{a}1'], '{a}1')).toEqual(bytes)
    expect(await client.command(['GET', '{a}2'], '{a}2')).toBeNull()
    expect(await client.command(['HSET', '{a}h', 'x', 1, 'y', bytes], '{a}h')).toBe(2)
    expect(await client.command(['HGETALL', '{a}h'], '{a}h')).toEqual([Buffer.from('x'), Buffer.from('1'), Buffer.from('y'), bytes])
    expect(await client.command(['XADD', '{a}s', '1-1', 'value', bytes, 'key', ''], '{a}s')).toEqual(Buffer.from('1-1'))
    expect(await client.command(['XRANGE', '{a}s', '-', '+'], '{a}s')).toEqual([[Buffer.from('1-1'), [Buffer.from('value'), bytes, Buffer.from('key'), Buffer.alloc(0)]]])
    expect(await client.command(['XRANGE', '{a}t', '-', '+'], '{a}t')).toEqual([])
    await client.command(['ZADD', '{a}z', 1.5, 'low', 2, 'high'], '{a}z')
    const scores = await client.command(['ZRANGE', '{a}z', 0, -1, 'WITHSCORES'], '{a}z')
    expect(Array.isArray(scores) && scores.map(String)).toEqual(['low', '1.5', 'high', '2'])
    expect(texts(await client.command(['CONFIG', 'GET', 'maxmemory-policy']))).toEqual(['maxmemory-policy', 'noeviction'])
    expect(texts(await client.command(['INFO', 'server'], '{a}1'))).toContain('redis_version:')
  })

  it('runs a script, also on a server that has forgotten it, with calls for one tag in their order', async (context) => {
    const client = await room.client(context)
    expect(texts(await client.run(count, ['{b}n'], [1]))).toEqual(['{b}n', '1'])
    await client.everywhere(['SCRIPT', 'FLUSH'])
    const answers = await Promise.all([2, 3, 4].map((each) => client.run(count, ['{b}n'], [each])))
    expect(texts(answers)).toEqual([['{b}n', '3'], ['{b}n', '6'], ['{b}n', '10']])
  })

  it('takes thousands of arguments at once', async (context) => {
    const client = await room.client(context)
    const echo: Script = { name: 'echo', lua: 'return {#ARGV, ARGV[1], ARGV[#ARGV]}' }
    const values = Array.from({ length: 6_000 }, (_, index) => Buffer.from(`value ${index}`))
    expect(texts(await client.run(echo, ['{c}'], values))).toEqual([6_000, 'value 0', 'value 5999'])
  })

  it('tells what a server refused from what is full', async (context) => {
    const client = await room.client(context)
    await client.command(['SET', '{d}text', 'x'], '{d}text')
    await expect(client.command(['HGET', '{d}text', 'x'], '{d}text')).rejects.toMatchObject({ became: 'refused', code: 'WRONGTYPE' })
    await expect(client.run({ name: 'wrong', lua: `return redis.call('HGET', KEYS[1], 'x')` }, ['{d}text'], [])).rejects.toMatchObject({ became: 'refused', code: 'WRONGTYPE' })
    await client.everywhere(['CONFIG', 'SET', 'maxmemory', '1'])
    await expect(client.command(['SET', '{d}more', 'x'], '{d}more')).rejects.toMatchObject({ became: 'full', code: 'OOM' })
    await expect(client.run(count, ['{d}n'], [1])).rejects.toMatchObject({ became: 'full', code: 'OOM' })
    await client.everywhere(['CONFIG', 'SET', 'maxmemory', '0'])
    expect(await client.command(['INCR', '{d}n'], '{d}n')).toBe(1)
  })

  it('a second connection waits for the replicas of what was written on it, and is closed alone', async (context) => {
    const client = await room.client(context)
    const own = await client.duplicate()
    await own.command(['SET', '{e}', 'x'], '{e}')
    const replicas = client.isCluster ? 1 : 0
    expect(await own.command(['WAIT', replicas, 5_000], '{e}')).toBe(replicas)
    await own.close()
    expect(texts(await client.command(['GET', '{e}'], '{e}'))).toBe('x')
  })
}

function listens(room: Room, verbs: readonly ('PUBLISH' | 'SPUBLISH')[] = ['PUBLISH']): void {
  it.for(verbs)('hears what a script says with %s on the channels that it was told', async (verb, context) => {
    const client = await room.client(context)
    const heard: string[] = []
    const own = await client.subscribe({ message: (...said) => heard.push(said.join(' ')), gap: () => undefined }, verb === 'SPUBLISH')
    const say: Script = { name: 'say', lua: `return redis.call('${verb}', KEYS[1], 'hé')` }
    const channels = ['{f}', '{g}', '{h}', '{k}', '{m}'] as const
    await Promise.all(channels.map((each) => own.add(each)))
    await own.remove('{h}')
    for (const channel of channels) await client.run(say, [channel], [])
    await vi.waitFor(() => expect(heard.toSorted()).toEqual(['{f} hé', '{g} hé', '{k} hé', '{m} hé']))
    await own.close()
    await own.close()
  })
}

function outlives(room: Room): void {
  it('a call that a standing server leaves without an answer ends by its deadline, and nobody knows what became of it', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, shortMs)
    await client.command(['SET', 'p', '1'], 'p')
    await redis.node(0, 'pause')
    await expect(client.command(['INCR', 'p'], 'p')).rejects.toMatchObject({ became: 'unknown', code: 'DEADLINE', message: expect.stringContaining('INCR on p') })
    await redis.node(0, 'resume')
    await vi.waitFor(async () => expect(texts(await client.command(['GET', 'p'], 'p'))).toBe('2'), longMs)
  }, longMs)

  it('works again when a server that was killed is back, and forgets no channel', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, shortMs)
    const heard: string[] = []
    const own = await client.subscribe({ message: (channel) => heard.push(channel), gap: () => heard.push('gap') }, false)
    await own.add('news')
    await client.command(['SET', 'q', '1'], 'q')
    await redis.node(0, 'kill')
    const failure = await client.command(['GET', 'q'], 'q').catch((error: unknown) => error)
    expect(failure).toMatchObject({ became: expect.stringMatching('again|unknown') })
    await redis.node(0, 'start')
    await vi.waitFor(async () => expect(await client.command(['GET', 'q'], 'q')).toBeNull(), longMs)
    await vi.waitFor(() => expect(heard).toEqual(['gap']), longMs)
    await client.command(['PUBLISH', 'news', ''])
    await vi.waitFor(() => expect(heard).toEqual(['gap', 'news']), longMs)
    await own.close()
  }, longMs)

  it('makes a connection anew whose other end is gone without a word', async (context) => {
    const redis = room.server(context)
    if (room.library.noRenewal !== undefined) context.skip(room.library.noRenewal)
    const proxy = new Proxy(redis.addresses[0] ?? '')
    const client = await room.client(context, shortMs, `redis://${await proxy.open()}`)
    const heard: string[] = []
    const own = await client.subscribe({ message: (channel) => heard.push(channel), gap: () => heard.push('gap') }, false)
    await own.add('news')
    await client.command(['SET', 's', '1'], 's')
    proxy.silence()
    await expect(client.command(['GET', 's'], 's')).rejects.toMatchObject({ became: 'unknown' })
    await vi.waitFor(async () => expect(texts(await client.command(['GET', 's'], 's'))).toBe('1'), longMs)
    await vi.waitFor(() => expect(heard).toContain('gap'), longMs)
    await client.command(['PUBLISH', 'news', ''])
    await vi.waitFor(() => expect(heard).toContain('news'), longMs)
    await own.close()
    proxy.close()
  }, longMs)

}

/** The server lives, and does not do what it is asked for. */
function insists(room: Room): void {
  it('asks again while a server takes no writes, until each call is done once', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context)
    await client.command(['DEL', 'r'], 'r')
    await redis.call(0, 'REPLICAOF', '127.0.0.1', '1')
    const calls = [1, 2, 3].map((each) => client.run(count, ['r'], [each]))
    await redis.call(0, 'REPLICAOF', 'NO', 'ONE')
    await Promise.all(calls)
    expect(texts(await client.command(['GET', 'r'], 'r'))).toBe('6')
  })

  it('says that nothing was done when a server takes no writes until the deadline', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, shortMs)
    await client.command(['DEL', 't'], 't')
    await redis.call(0, 'REPLICAOF', '127.0.0.1', '1')
    await expect(client.run(count, ['t'], [1])).rejects.toMatchObject({ became: 'again', code: 'READONLY' })
    await redis.call(0, 'REPLICAOF', 'NO', 'ONE')
    expect(await client.command(['GET', 't'], 't')).toBeNull()
  })

  it('says that the client is closed when whoever handed it in has closed it', async (context) => {
    const client = await room.client(context, shortMs)
    await client.command(['GET', 'u'], 'u')
    await room.end()
    await expect(client.command(['GET', 'u'], 'u')).rejects.toMatchObject({ became: 'refused', code: 'CLOSED' })
  })
}

function rights(room: Room): void {
  it('names the right that is missing', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, shortMs, `redis://half:half@${redis.addresses[0]}`)
    expect(await client.command(['GET', 'mine:a'], 'mine:a')).toBeNull()
    await expect(client.command(['CONFIG', 'GET', 'x'])).rejects.toMatchObject({ became: 'refused', code: 'NOPERM', message: expect.stringContaining('config') })
    await expect(client.command(['GET', 'yours'], 'yours')).rejects.toMatchObject({ became: 'refused', code: 'NOPERM' })
  })

  it.for([['a wrong password', ':wrong@'], ['no password', '']])('ends with %s, in time', async ([, user], context) => {
    const redis = room.server(context)
    const client = await room.client(context, shortMs, `redis://${user}${redis.addresses[0]}`)
    const failure = await client.command(['GET', 'a'], 'a').catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'RedisFailure', code: expect.stringMatching('^(WRONGPASS|NOAUTH|CLOSED|DEADLINE|CONNECTION)$') })
  })
}

function changesPrimary(room: Room): void {
  it('goes on at the new primary, calls and channels, when the old one is gone', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, 2_000)
    const heard: string[] = []
    const own = await client.subscribe({ message: (channel) => heard.push(channel), gap: () => heard.push('gap') }, false)
    await own.add('news')
    expect(texts(await client.command(['SET', 'a', '1'], 'a'))).toBe('OK')
    await redis.node(0, 'kill')
    await vi.waitFor(async () => expect(texts(await client.command(['SET', 'a', '2'], 'a'))).toBe('OK'), longMs)
    expect(await redis.call(1, 'GET', 'a')).toBe('2')
    await vi.waitFor(async () => {
      await client.command(['PUBLISH', 'news', ''])
      expect(heard).toContain('news')
    }, longMs)
    expect(heard).toContain('gap')
    await own.close()
  }, longMs)
}

function followsSlots(room: Room): void {
  it('finds a slot that has moved, and hears its channel there', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context)
    const heard: string[] = []
    const own = await client.subscribe({ message: (channel) => heard.push(channel), gap: () => heard.push('gap') }, true)
    const slot = Number(await redis.call(0, 'CLUSTER', 'KEYSLOT', '{v}'))
    const from = Math.floor((slot * 3) / 16_384)
    await own.add('{v}')
    await client.command(['SET', '{v}n', '0'], '{v}n')
    const calls: Promise<Reply>[] = []
    const moving = redis.moveSlot(slot, from, (from + 1) % 3)
    for (let index = 0; index < 200; index += 1) calls.push(client.run(count, ['{v}n'], [1]))
    await moving
    await Promise.all(calls)
    expect(texts(await client.command(['GET', '{v}n'], '{v}n'))).toBe('200')
    await vi.waitFor(async () => {
      await client.run({ name: 'say', lua: `return redis.call('SPUBLISH', KEYS[1], '')` }, ['{v}'], [])
      expect(heard).toContain('{v}')
    }, longMs)
    await own.close()
  }, longMs)

  it('goes on at the replica when a primary is gone', async (context) => {
    const redis = room.server(context)
    const client = await room.client(context, 2_000)
    await client.command(['SET', '{w}', '1'], '{w}')
    const from = Math.floor((Number(await redis.call(1, 'CLUSTER', 'KEYSLOT', '{w}')) * 3) / 16_384)
    await redis.node(from, 'kill')
    await vi.waitFor(async () => expect(texts(await client.run(count, ['{w}'], [1]))).toEqual(['{w}', expect.anything()]), longMs)
    await redis.node(from, 'start')
  }, longMs)
}
