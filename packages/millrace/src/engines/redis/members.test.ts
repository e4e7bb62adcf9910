import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { MillraceError } from '../../core/errors.js'
import { type OwnRedis, ownRedis } from './clients/servers.harness.js'
import { becomes, done, ids, nothingComes, Rig, take } from './members.harness.js'

const longMs = 60_000
let server: OwnRedis | { readonly missing: string }
let rig: Rig
beforeAll(async () => void (server = await ownRedis({})), longMs)
afterAll(async () => ('missing' in server ? undefined : server.stop()))
beforeEach(async (context) => {
  if ('missing' in server) {
    context.skip(server.missing)
    return
  }
  rig = new Rig(server.url)
  await rig.open()
})
afterEach(() => rig?.close())

/** A number of the hash in which the group stands. */
const field = async (name: string): Promise<string> => String(await rig.command('HGET', rig.part.cursor('g'), name))

describe('members on a server', { timeout: longMs }, () => {
  it('what is handed out and settled is in the store before it is answered', async () => {
    const member = await rig.first.join('a')
    await rig.send(3)
    const [first, ...rest] = await take(member, 3)
    expect([await field('leased'), await field('read'), await field('settled')]).toEqual(['3', '3', '0'])
    expect(await member.settle([done(first!)])).toEqual(['settled'])
    expect([await field('leased'), await field('settled'), await field('low')]).toEqual(['2', '1', String(rest[0]?.message.offset)])
    expect(await member.settle([done(first!)])).toEqual(['lapsed'])
  })

  it('what is on its way to a member that leaves is the next one\'s alone', async () => {
    const member = await rig.first.join('a')
    await rig.send(2)
    await becomes(async () => (await field('o')) === 'a')
    await take(member, 1)
    const leasing = member.lease({ max: 1, waitMs: 0 })
    await member.leave()
    expect(await leasing).toEqual([])
    expect(ids(await take(await rig.first.join('b'), 2))).toEqual(['m0', 'm1'])
  })

  it('a verdict of which nobody knows does not stand for the next one, when the message has come again', async () => {
    const member = await rig.first.join('a')
    await rig.send(1)
    const [first] = await take(member, 1)
    const { writes } = rig.first.store
    const run = writes.run.bind(writes)
    vi.spyOn(writes, 'run').mockImplementationOnce(async (...args) => {
      await run(...args)
      throw new MillraceError('UNKNOWN_OUTCOME', 'the answer got lost')
    })
    expect(await member.settle([{ delivery: first!, is: 'back' }])).toEqual(['unknown'])
    expect(await member.settle((await take(member, 1)).map(done))).toEqual(['settled'])
    expect([await field('leased'), await field('settled')]).toEqual(['0', '1'])
  })

  it('a commit that somebody overtook changes nothing, and the member claims the partition anew', async () => {
    const member = await rig.first.join('a')
    await rig.send(2)
    const taken = await take(member, 2)
    await rig.command('HINCRBY', rig.part.cursor('g'), 'e', 1)
    expect(await member.settle(taken.map(done))).toEqual(['lapsed', 'lapsed'])
    expect(await field('settled')).toBe('0')
    expect(ids(await take(member, 2))).toEqual(['m0', 'm1'])
  })

  it('a server that has lost the last commits is noticed, in whichever epoch', async () => {
    const member = await rig.first.join('a')
    await rig.send(2)
    const before = await rig.command('DUMP', rig.part.cursor('g'))
    const taken = await take(member, 2)
    await rig.command('RESTORE', rig.part.cursor('g'), 0, before as Buffer, 'REPLACE')
    expect(await member.settle(taken.map(done))).toEqual(['lapsed', 'lapsed'])
    expect(ids(await take(member, 2))).toEqual(['m0', 'm1'])
  })

  it('what was read ahead and then lost with a failover is not handed out, and what came instead is', async () => {
    const member = await rig.first.join('a')
    await rig.send(3)
    await take(member, 1)
    const before = await rig.command('DUMP', rig.part.log)
    await rig.send(2)
    expect(ids(await take(member, 2))).toEqual(['m1', 'm2'])
    await rig.command('RESTORE', rig.part.log, 0, before as Buffer, 'REPLACE')
    await rig.send(1)
    expect(ids(await take(member, 4))).toEqual(['m0', 'm1', 'm2', 'm5'])
  })

  it('goes on after all was lost, in a topic that was put back', async () => {
    const member = await rig.first.join('a')
    await rig.send(2)
    const taken = await take(member, 2)
    await rig.command('FLUSHALL')
    expect(await member.settle(taken.map(done))).toEqual(['lapsed', 'lapsed'])
    rig.first.store.registry.look()
    await becomes(async () => (await field('o')) === 'a')
    await rig.send(1)
    expect(ids(await take(member, 1))).toEqual(['m2'])
    expect(rig.reports.join()).toContain('gone')
  })

  it('what a killed member had in hand comes to another, alone and counted; what it had finished does not', async () => {
    const other = await rig.instance()
    const killed = await other.join('k', { leaseMs: 500 })
    await rig.send(3)
    const taken = await take(killed, 3)
    await killed.settle([done(taken[1]!)])
    other.members.quiet()
    const member = await rig.first.join('a')
    const [first] = await take(member, 1)
    expect(ids([first!])).toEqual(['m0#2!'])
    await nothingComes(member)
    await member.settle([done(first!)])
    expect(ids(await take(member, 1))).toEqual(['m2#2!'])
  })

  it('what a member that leaves had in hand comes to another at once, as if nothing had been', async () => {
    const leaving = await rig.first.join('l', { leaseMs: 60_000 })
    await rig.send(3)
    const taken = await take(leaving, 3)
    await leaving.settle([done(taken[0]!)])
    await leaving.leave()
    const member = await rig.first.join('a')
    expect(ids(await take(member, 2))).toEqual(['m1', 'm2'])
    expect(await leaving.settle(taken.map(done))).toEqual(['lapsed', 'lapsed', 'lapsed'])
  })

  it('a member under the name of one that was killed need not wait for its lease', async () => {
    const other = await rig.instance()
    const killed = await other.join('same', { leaseMs: 60_000 })
    await rig.send(1)
    await take(killed, 1)
    other.members.quiet()
    const member = await rig.first.join('same')
    expect(ids(await take(member, 1))).toEqual(['m0#2!'])
  })

  it('a member that others count as dead lapses', async () => {
    const { store } = rig.first
    const member = await rig.first.join('a', { leaseMs: 900 })
    await becomes(async () => {
      await rig.command('ZADD', store.names.topic('t').beats('g'), Date.now() - 10, 'a')
      return member.lease({ max: 1, waitMs: 50 }).then(() => false, (error: unknown) => (error as { readonly code: string }).code === 'LAPSED')
    })
  })

  it('nobody is dead because the clock of the server was set forward, and nobody lives on because it was set back', async () => {
    const beats = rig.first.store.names.topic('t').beats('g')
    const member = await rig.first.join('a')
    const hourMs = 3_600_000
    // As it looks to members after the clock was set an hour forward, and after it was set back.
    await rig.command('ZADD', beats, Date.now() + 2_000 - hourMs, 'a', Date.now() + 2_000 - hourMs, 'b', Date.now() + hourMs, 'dead')
    await becomes(async () => Number(String(await rig.command('ZSCORE', beats, 'b'))) > Date.now() - 5_000)
    expect(Number(String(await rig.command('ZSCORE', beats, 'dead')))).toBeLessThan(Date.now() + 61_000)
    await rig.send(1)
    expect(ids(await take(member, 1))).toEqual(['m0'])
  })

  it('members of a group that is removed lapse', async () => {
    const member = await rig.first.join('a')
    await rig.command('HDEL', rig.first.store.names.topic('t').groups, 'g')
    rig.first.store.stirAll('t', { what: 'members', group: 'g' })
    await expect(member.lease({ max: 1, waitMs: 5_000 })).rejects.toMatchObject({ code: 'LAPSED' })
  })

  it('entries of others whose ids are no offsets are moved to the end, in their order, once for all groups', async () => {
    await rig.send(1)
    const ms = Date.now()
    await rig.command('XADD', rig.part.log, `${ms}-5000`, 'value', 'one', 'extra', 'x')
    await rig.command('XADD', rig.part.log, `${ms}-5001`, 'message', 'two')
    await becomes(() => Promise.resolve(Date.now() > ms))
    await rig.send(1)
    const member = await rig.first.join('b')
    const taken = await take(member, 4)
    expect(taken.map(({ message: { value } }) => String(value))).toEqual(['v', 'v', 'one', 'two'])
    expect(taken[2]?.message.headers).toEqual([['extra', Buffer.from('x')]])
    expect(await rig.command('XLEN', rig.part.log)).toBe(4)
  })

  it('a broadcast member sees what comes after it joined, and leaves nothing behind', async () => {
    await rig.send(2)
    const keys = await rig.command('DBSIZE')
    const member = await rig.first.join('a', { mode: 'broadcast', group: 'shown' })
    await rig.send(2)
    const taken = await take(member, 2)
    expect(ids(taken)).toEqual(['m2', 'm3'])
    expect(await member.settle(taken.map(done))).toEqual(['settled', 'settled'])
    expect(await rig.command('DBSIZE')).toBe(keys)
  })

  it('a partition that a member let go of, and whose last commit got lost, does not stay its own', async () => {
    await rig.close()
    if ('missing' in server) return
    rig = new Rig(server.url)
    await rig.open(2)
    const members = [await rig.first.join('a'), await rig.first.join('b')]
    const cursors = [0, 1].map((partition) => rig.first.store.part('t', partition).cursor('g'))
    const owners = async (): Promise<string[]> => (await Promise.all(cursors.map((each) => rig.command('HGET', each, 'o')))).map(String)
    await becomes(async () => (await owners()).toSorted().join() === 'a,b')
    const [kept, lost] = (await owners())[0] === 'a' ? cursors : cursors.toReversed()
    await rig.command('HSET', lost!, 'o', 'a', 'i', String(await rig.command('HGET', kept!, 'i')))
    await rig.command('HINCRBY', lost!, 'e', 1)
    await becomes(async () => (await owners()).toSorted().join() === 'a,b')
    expect(members).toHaveLength(2)
  })

  it('asks for one thing a second while there is nothing to do, however many partitions', async () => {
    await rig.close()
    if ('missing' in server) return
    rig = new Rig(server.url)
    await rig.open(8)
    const member = await rig.first.join('a', { leaseMs: 10_000 })
    const calls = async (): Promise<number> => {
      const stats = String(await rig.command('INFO', 'stats'))
      return Number(/total_commands_processed:(\d+)/u.exec(stats)?.[1])
    }
    await nothingComes(member, 1_000)
    const before = await calls()
    await nothingComes(member, 4_000)
    const scripts = (await calls()) - before
    // Commands of scripts count too: what is asked for at most, and each partition's look.
    expect(scripts).toBeLessThan(5 * (8 * 4 + 10))
  })
})
