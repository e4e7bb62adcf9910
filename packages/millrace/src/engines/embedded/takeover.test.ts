import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Delivery, Engine, Membership } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { idsOf, type OtherProcess, ownersBecome, Processes, request } from './processes.harness.js'

const forever = 25_000
let processes: Processes
let engine: Engine
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
  engine = guard(embedded(processes.options))
  await engine.open()
})
afterEach(async () => {
  await engine.close()
  await processes.end()
})

async function topic(other: OtherProcess, partitions: number): Promise<void> {
  await other.call('createTopic', { name: 't', partitions, keep: {} })
}

async function publish(count: number, partitions = 1): Promise<string[]> {
  const drafts = Array.from({ length: count }, (_, index) => processes.draft('t', { partition: index % partitions }))
  await engine.publish(drafts)
  return drafts.map(({ id }) => id)
}

function join(member: string, over: Partial<Parameters<Engine['join']>[0]> = {}): Promise<Membership> {
  return engine.join({ ...request(member, over), revoke: async () => undefined })
}

/** Takes and finishes until so many have come. */
async function finish(member: Membership, count: number): Promise<Delivery[]> {
  const all: Delivery[] = []
  while (all.length < count) {
    const some = await member.lease({ max: 100, waitMs: forever })
    await member.settle(some.map((delivery) => ({ delivery, is: 'done' })))
    all.push(...some)
  }
  return all
}

describe('members of another process', () => {
  it('take over from a killed one: each unfinished message comes once more, alone, and what was settled never comes again', async () => {
    const other = await processes.open()
    await topic(other, 2)
    const ids = await publish(20, 2)
    const theirs = await other.call('join', request('killed'))
    const leased = await other.call('lease', theirs, { max: 12, waitMs: forever })
    const settled = leased.filter((_, index) => index % 3 === 0)
    await other.call('settle', theirs, settled.map((delivery) => ({ delivery, is: 'done' })))
    const unfinished = idsOf(leased).filter((id) => !idsOf(settled).includes(id))
    await other.kill()
    const mine = await join('survivor')

    const came = await finish(mine, 20 - settled.length)
    expect(idsOf(came).sort()).toEqual(ids.filter((id) => !idsOf(settled).includes(id)).sort())
    for (const { message, attempt, alone } of came) {
      const wasTheirs = unfinished.includes(message.id)
      expect({ id: message.id, attempt, alone }).toEqual({ id: message.id, attempt: wasTheirs ? 2 : 1, alone: wasTheirs })
    }
    expect(await mine.lease({ max: 100, waitMs: 0 })).toEqual([])
    const [census] = (await engine.census()).topics
    expect(census?.groups[0]).toMatchObject({ settled: 20, ready: 0, leased: 0, dead: 0, members: 1 })
  })

  // A process that stops inside a commit stops every writer until it goes on. It is very unlikely here, and a limit that the engine documents.
  it('take over from a stopped one: when it goes on its verdicts are lapsed, change nothing, and its member is told', { retry: 2 }, async () => {
    const other = await processes.open()
    await topic(other, 1)
    const ids = await publish(4)
    const theirs = await other.call('join', request('stopped'))
    const leased = await other.call('lease', theirs, { max: 3, waitMs: forever })
    const mine = await join('survivor')
    other.signal('SIGSTOP')

    const came = await finish(mine, 3)
    expect(came.map(({ message, attempt, epoch }) => [message.id, attempt, epoch > (leased[0]?.epoch ?? 0)])).toEqual(ids.slice(0, 3).map((id) => [id, 2, true]))
    const [last] = await mine.lease({ max: 1, waitMs: forever })
    const before = (await engine.census()).topics[0]?.groups
    other.signal('SIGCONT')
    expect(await other.call('settle', theirs, leased.map((delivery, index) => ({ delivery, is: index === 0 ? 'back' : 'done' })))).toEqual(['lapsed', 'lapsed', 'lapsed'])
    await expect(other.call('lease', theirs, { max: 1, waitMs: forever })).rejects.toThrow(expect.objectContaining({ code: 'LAPSED' }))
    expect((await engine.census()).topics[0]?.groups).toEqual(before)
    expect(last && (await mine.settle([{ delivery: last, is: 'done' }]))).toEqual(['settled'])
  })

  it('share partitions so that each has one owner, and one that joins late gets its share, with nothing handled twice', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => processes.open()))
    await topic(all[0]!, 8)
    const work = async (other: OtherProcess, name: string): Promise<void> => {
      await other.call('work', await other.call('join', request(name, { leaseMs: 10_000 })))
    }
    const names = ['a', 'b', 'c', 'd']
    for (const [index, name] of names.entries()) await work(all[index]!, name)
    expect(await ownersBecome(engine, ...names)).toEqual([2, 2, 2, 2])
    const ids = await publish(400, 8)
    for (const other of all) await other.heard('finished')
    all.push(await processes.open())
    await work(all[4]!, 'late')
    expect(await ownersBecome(engine, ...names, 'late')).toEqual([1, 1, 2, 2, 2])
    ids.push(...(await publish(400, 8)))
    await all[4]!.heard('finished')
    for (const id of ids) await Promise.any(all.map((other) => other.heard('finished', (event) => event.id === id)))

    const finished = all.flatMap((other) => other.all('finished'))
    expect(finished.map(({ id, outcome }) => `${id} ${outcome}`).sort()).toEqual(ids.map((id) => `${id} settled`).sort())
    const got = all.flatMap((other) => other.all('got'))
    expect(got.map(({ id, attempt, alone }) => `${id} ${attempt} ${alone}`).sort()).toEqual(ids.map((id) => `${id} 1 false`).sort())
  })

  it('may all open a new store at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => processes.fork()))
    const options = { ...processes.options, path: `${processes.options.path}-new` }
    await Promise.all(all.map((other) => other.call('open', options)))
    await topic(all[0]!, 1)
    for (const other of all) expect(await other.call('publish', [processes.draft('t')])).toEqual([{ ok: expect.objectContaining({ topic: 't' }) }])
    expect((await all[4]!.call('census')).topics).toEqual([expect.objectContaining({ topic: 't', messages: 5 })])
  })
})
