import { readFileSync } from 'node:fs'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { fixed, Millrace } from '../../broker/index.js'
import type { MillraceError } from '../../core/errors.js'
import { libraries, type Made } from './clients/libraries.harness.js'
import { type OwnRedis, ownRedis } from './clients/servers.harness.js'
import { redis } from './redis.js'

const longMs = 60_000
const page = readFileSync(new URL('../../../../../docs/engines/redis.md', import.meta.url), 'utf8')
/** The user that the page gives, as arguments of ACL SETUSER. */
const asDocumented = (/```text\nACL SETUSER ([^`]*)```/u.exec(page)?.[1] ?? '').split(/[\s\\]+/u).filter((word) => word !== '')

describe('a user with no more rights than the page lists', { timeout: longMs }, () => {
  let server: OwnRedis | { readonly missing: string }
  let made: Made | undefined
  const reports: MillraceError[] = []
  beforeAll(async () => void (server = await ownRedis({ version: '8.2', config: { appendonly: 'yes' } })), longMs)
  afterAll(async () => {
    await made?.end()
    if ('stop' in server) await server.stop()
  })
  beforeEach((context) => {
    if ('missing' in server) context.skip(server.missing)
  })

  const as = async (user: string, rules: readonly string[], url: string, own: OwnRedis): Promise<Millrace> => {
    await own.call(0, 'ACL', 'SETUSER', user, 'reset', ...rules, '>secret')
    const place = new URL(url)
    place.username = user
    place.password = 'secret'
    made = await libraries[0]?.standalone(place.href)
    return new Millrace({ engine: redis({ client: made?.client, prefix: 'shop:', report: (error) => reports.push(error) }) })
  }
  const denied = async (own: OwnRedis): Promise<readonly string[]> => {
    const log = await own.call(0, 'ACL', 'LOG', 100)
    return Array.isArray(log) ? log.map((fields: readonly unknown[]) => String(fields[7])) : []
  }

  it('does all that there is to do, and nothing is denied', async () => {
    if ('missing' in server) return
    const [user = '', ...rules] = asDocumented
    expect(rules.length).toBeGreaterThan(40)
    const mill = await as(user, rules, server.url, server)
    await mill.topics.ensure({ name: 't', partitions: 2, keep: { count: 1, bytes: 100 } })
    const seen: unknown[] = []
    let failures = 0
    mill.consume('t', 'all', ({ value }) => void seen.push(value), { mode: 'broadcast' })
    const consumer = mill.consume('t', 'g', ({ value }, { deadLetter, retryLater }) => {
      if (value === 'again' && failures++ === 0) throw new Error('once')
      if (value === 'later' && failures++ < 2) retryLater(5)
      if (value === 'dead') deadLetter('no')
    }, { retry: fixed({ attempts: 3, everyMs: 5 }) })
    await consumer.ready
    for (const value of ['again', 'later', 'dead']) await mill.send('t', value, { key: 'k' })
    await mill.send('t', 'once', { id: 'one', dedup: { windowMs: 1_000 } })
    await mill.send('t', 'soon', { delayMs: 5 })
    await mill.send('t', 'never', { id: 'never', delayMs: 60_000 })
    await mill.delays.list({ topic: 't' })
    await mill.delays.cancel('t', 'never')
    await mill.answers('p', () => 'commit')
    await (await mill.prepare('t', 'said', { producerGroup: 'p' })).commit()
    await mill.prepare('t', 'asked', { producerGroup: 'p', immunityMs: 5 })
    await mill.groups.caughtUp('t', 'g')
    await mill.deadLetters.redrive({ filter: { topic: 't', group: 'g' } })
    // Plain clients beside: what they wrote is moved or read, what they have not acknowledged is kept.
    await server.call(0, 'EVAL', `for i = 0, 4999 do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. i, 'value', '1') end`, 1, 'shop:{t/0}log', Date.now() + 1_000)
    await server.call(0, 'XGROUP', 'CREATE', 'shop:{t/1}log', 'plain', '0', 'MKSTREAM')
    await mill.send('t', 'plain', { partition: 1 })
    await server.call(0, 'XREADGROUP', 'GROUP', 'plain', 'me', 'COUNT', 1, 'STREAMS', 'shop:{t/1}log', '>')
    await mill.groups.caughtUp('t', 'g')
    await mill.groups.pause('t', 'g')
    await mill.groups.seek('t', 'g', 'start')
    await mill.census()
    await mill.peek('t')
    await mill.groups.pause('t', 'g', false)
    const own = server
    await vi.waitFor(async () => expect(Number(await own.call(0, 'XLEN', 'shop:{t/0}log'))).toBeLessThan(2), longMs)
    await mill.groups.remove('t', 'g').catch(() => undefined)
    await mill.close()
    // What the library says of itself when it connects; it does without.
    expect((await denied(server)).filter((command) => command !== 'client|setinfo')).toEqual([])
    expect(reports.map(({ message }) => message)).toEqual([])
  })

  it('one that lacks a right is told which', async () => {
    if ('missing' in server) return
    const mill = await as('half', ['on', '~shop:*', '&shop:*', '+@all', '-evalsha'], server.url, server)
    await expect(mill.send('t', 'a')).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('evalsha') })
    await mill.close().catch(() => undefined)
  })
})

describe('in a cluster', { timeout: longMs }, () => {
  it('the same user needs a few rights more', async (context) => {
    const server = await ownRedis({ topology: 'cluster' })
    if ('missing' in server) {
      context.skip(server.missing)
      return
    }
    const more = [...(/^\| Cluster \| `([^`]*)`/mu.exec(page)?.[1] ?? '').replaceAll('\\|', '|').split(' ')]
    const [user = '', ...rules] = asDocumented
    const tried = async (rights: readonly string[]): Promise<unknown> => {
      for (const node of server.addresses.keys()) await server.call(node, 'ACL', 'SETUSER', user, 'reset', ...rules, ...rights)
      const client = new Cluster(server.addresses.map((address) => `redis://${address}`), { redisOptions: { username: user, password: 'secret' } })
      client.on('error', () => undefined)
      const mill = new Millrace({ engine: redis({ client, prefix: 'shop:' }) })
      try {
        await mill.topics.ensure({ name: 't', partitions: 3 })
        const seen: unknown[] = []
        mill.consume('t', 'g', ({ value }) => void seen.push(value))
        for (const value of [1, 2, 3]) await mill.send('t', value)
        await vi.waitFor(() => expect(seen).toHaveLength(3), longMs)
        return 'done'
      } catch (error) {
        return error
      } finally {
        await mill.close().catch(() => undefined)
        client.disconnect()
      }
    }
    expect(await tried(more)).toBe('done')
    await server.stop()
  })
})
