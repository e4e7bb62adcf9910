import { describe, expect, it } from 'vitest'
import { groupHold, type Hold, messageHold } from '../../core/hold.js'
import type { Draft } from '../../core/message.js'
import { topicConfig, type TopicDraft } from '../../core/topic.js'
import type { Delivery, JoinRequest, Membership } from '../../engine/engine.js'
import { HandClock } from '../../testing/hand-clock.js'
import { memory, type MemoryEngine } from './memory.js'
import { memoryStore } from './store.js'

const day = 24 * 3_600_000

async function world(topic: Partial<TopicDraft> = {}, engines = 1) {
  const clock = new HandClock()
  const store = memoryStore()
  const all: MemoryEngine[] = []
  for (let index = 0; index < engines; index += 1) all.push(memory({ store, clock }))
  for (const each of all) await each.open()
  const [engine, other] = [all[0] as MemoryEngine, all[1] as MemoryEngine]
  await engine.topics.create(topicConfig({ name: 't', partitions: 1, ...topic }))
  let sent = 0
  const draft = (over: Partial<Draft> = {}): Draft => {
    sent += 1
    return { id: `m${sent}`, topic: 't', partition: 0, key: null, value: Buffer.from(String(sent)), headers: [], timestamp: clock.wall(), producerId: 'p', ...over }
  }
  const send = (...overs: Partial<Draft>[]) => engine.publish(overs.map(draft))
  return { clock, store, engine, other, draft, send }
}

function request(member: string, over: Partial<JoinRequest> = {}): JoinRequest {
  return {
    topic: 't', group: 'g', member, mode: 'share', from: 'start', leaseMs: 9_000, stallMs: 60_000, drainMs: 5_000, maxDeliveries: 3, park: false,
    revoke: async () => undefined, ...over,
  }
}

const ids = (deliveries: readonly Delivery[]): string[] => deliveries.map((delivery) => delivery.message.id)
const take = (member: Membership, max = 100) => member.lease({ max, waitMs: 0 })
const done = (member: Membership, deliveries: readonly Delivery[]) => member.settle(deliveries.map((delivery) => ({ delivery, is: 'done' })))
const held = (member: Membership, delivery: Delivery | undefined, hold: Partial<Hold>) =>
  member.settle(delivery ? [{ delivery, is: 'hold', hold: { why: 'retry', until: 'decided', then: 'release', attempt: delivery.attempt, ...hold } }] : [])

describe('memory engine: leases', () => {
  it('wakes a waiting lease by a send, without a timer', async () => {
    const { engine, send } = await world()
    const member = await engine.join(request('a'))
    const waiting = member.lease({ max: 10, waitMs: day })
    await send({}, {})
    expect(ids(await waiting)).toEqual(['m1', 'm2'])
  })

  it('ends a waiting lease when its time is over, its signal aborts, or its member leaves', async () => {
    const { engine, clock } = await world()
    const member = await engine.join(request('a'))
    const abort = new AbortController()
    const waiting = [member.lease({ max: 1, waitMs: 50 }), member.lease({ max: 1, waitMs: day, signal: abort.signal }), member.lease({ max: 1, waitMs: day })]
    await clock.advance(50)
    expect(await waiting[0]).toEqual([])
    abort.abort()
    expect(await waiting[1]).toEqual([])
    await member.leave()
    expect(await waiting[2]).toEqual([])
    await expect(member.lease({ max: 1, waitMs: 0 })).rejects.toMatchObject({ code: 'LAPSED' })
  })

  it('finishes out of order and moves the watermark only over what is finished', async () => {
    const { engine, send } = await world()
    const member = await engine.join(request('a'))
    await send({}, {}, {})
    const [first, ...rest] = await take(member)
    await done(member, rest)
    expect((await engine.groups.positions('t', 'g'))[0]).toMatchObject({ watermark: 0n, lag: 1 })
    await done(member, first ? [first] : [])
    expect((await engine.groups.positions('t', 'g'))[0]).toMatchObject({ watermark: 3n, lag: 0 })
  })

  it('answers a second verdict with lapsed and counts it once', async () => {
    const { engine, send } = await world()
    const member = await engine.join(request('a'))
    await send({})
    const deliveries = await take(member)
    expect(await done(member, [...deliveries, ...deliveries])).toEqual(['settled', 'lapsed'])
    expect((await engine.census()).topics[0]?.groups[0]).toMatchObject({ settled: 1, ready: 0, leased: 0 })
  })

  it('keeps what is not in its place any more out of reach: thousands of messages, taken in any order, each once', async () => {
    const { engine, send } = await world({ partitions: 3 })
    const member = await engine.join(request('a'))
    for (let round = 0; round < 30; round += 1) await send(...Array.from({ length: 100 }, (_, index) => ({ partition: index % 3 })))
    const seen = new Set<string>()
    const inHand: Delivery[] = []
    for (;;) {
      const batch = await take(member, 70)
      inHand.push(...batch)
      if (inHand.length === 0) break
      const some = inHand.splice(Math.floor(inHand.length / 3))
      for (const id of ids(some)) seen.add(id)
      expect(new Set(await done(member, some))).toEqual(new Set(['settled']))
      if (batch.length === 0) expect(new Set(await done(member, inHand.splice(0)))).toEqual(inHand.length === 0 ? expect.anything() : new Set())
    }
    expect((await engine.census()).topics[0]?.groups[0]).toMatchObject({ settled: 3_000, lag: 0 })
  })
})

describe('memory engine: members', () => {
  it('gives a joining member its share once the other has drained, and hands back what was unfinished, uncounted', async () => {
    const { engine, send } = await world({ partitions: 2 })
    let drained = (): void => undefined
    const revoke = () => new Promise<void>((resolve) => { drained = resolve })
    const a = await engine.join(request('a', { revoke }))
    await send({ partition: 0 }, { partition: 1 })
    const inHand = await take(a)
    const b = await engine.join(request('b'))
    expect(await take(b)).toEqual([])
    const waiting = b.lease({ max: 10, waitMs: day })
    drained()
    const [again] = await waiting
    expect(again).toMatchObject({ attempt: 1, alone: false, message: { id: 'm2' } })
    expect(await done(a, inHand)).toEqual(['settled', 'lapsed'])
  })

  it('takes partitions by force when revoke outlasts drainMs', async () => {
    const { engine, clock, send } = await world({ partitions: 2 })
    let signal: AbortSignal | undefined
    const revoke = async (_: readonly number[], given: AbortSignal) => {
      signal = given
      await new Promise(() => undefined)
    }
    await engine.join(request('a', { revoke }))
    const b = await engine.join(request('b'))
    await send({ partition: 0 }, { partition: 1 })
    await clock.advance(4_999)
    expect(await take(b)).toEqual([])
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)
    expect(signal?.aborted).toBe(true)
    expect(ids(await take(b))).toEqual(['m2'])
  })

  it('does not take a busy thread for the death of those it kept from beating', async () => {
    const { engine, other, clock, send } = await world({}, 2)
    const a = await engine.join(request('a'))
    const b = await other.join(request('b'))
    await send({})
    const inHand = await take(a)
    await clock.stall(60_000)
    await clock.advance(0)
    expect(await take(b)).toEqual([])
    expect(await done(a, inHand)).toEqual(['settled'])
  })

  it('tells a member what it has lost without being asked', async () => {
    const { engine } = await world({ partitions: 2 })
    const lost: unknown[] = []
    const a = await engine.join(request('a', { revoke: async (partitions, signal) => void lost.push([...partitions], signal.aborted) }))
    const waiting = a.lease({ max: 1, waitMs: day })
    await engine.groups.remove('t', 'g')
    await expect(waiting).rejects.toMatchObject({ code: 'LAPSED' })
    expect(lost).toEqual([[0, 1], true])
  })

  it('gives a dead member’s unfinished messages to another, alone and counted, after its lease and not before', async () => {
    const { engine, other, clock, send } = await world({}, 2)
    const a = await engine.join(request('a'))
    const b = await other.join(request('b'))
    await send({}, {})
    const inHand = await take(a)
    await engine.die()
    await clock.advance(8_999)
    expect(await take(b)).toEqual([])
    await clock.advance(1)
    const [first, ...rest] = await take(b)
    expect(first).toMatchObject({ attempt: 2, alone: true, message: { id: 'm1' } })
    expect(rest).toEqual([])
    expect(await take(b)).toEqual([])
    expect(await done(a, inHand)).toEqual(['lapsed', 'lapsed'])
    await done(b, first ? [first] : [])
    expect(ids(await take(b))).toEqual(['m2'])
  })

  it('parks a message whose owners die as poison after maxDeliveries, and its neighbours go on', async () => {
    const { store, clock, send } = await world({}, 1)
    await send({}, {})
    for (let life = 1; life <= 3; life += 1) {
      const engine = memory({ store, clock })
      await engine.open()
      const member = await engine.join(request(`life-${life}`))
      const deliveries = await take(member)
      expect(deliveries[0]).toMatchObject({ attempt: life, message: { id: 'm1' } })
      await engine.die()
      await clock.advance(9_000)
    }
    const last = memory({ store, clock })
    const member = await last.join(request('last'))
    const [neighbour] = await take(member)
    expect(neighbour).toMatchObject({ attempt: 2, alone: true, message: { id: 'm2' } })
    const [dead] = (await last.holds({ limit: 10, why: 'dead' })).items
    expect(dead).toMatchObject({ id: groupHold('t', 0, 0n, 'g'), hold: { attempt: 3, failure: { kind: 'POISON' } } })
  })
})

describe('memory engine: keys that wait', () => {
  it('moves later messages of a parked key behind it, and lets the log go on without them', async () => {
    const { engine, send, clock } = await world({ keep: { count: 0 } })
    const member = await engine.join(request('a', { park: true }))
    await engine.keep({ answers: new Map() })
    await send({ key: 'k' }, { key: 'k' }, { key: 'other' }, { key: 'k' })
    const [first] = await take(member, 1)
    await held(member, first, { until: clock.wall() + 1_000 })
    const next = await take(member)
    expect(ids(next)).toEqual(['m3'])
    await done(member, next)
    expect((await engine.groups.positions('t', 'g'))[0]?.watermark).toBe(4n)
    expect((await engine.census()).topics[0]?.groups[0]).toMatchObject({ parked: 2, retrying: 1, ready: 0 })
    await clock.advance(1_000)
    const [again, ...others] = await take(member)
    expect(again).toMatchObject({ attempt: 2, message: { id: 'm1' } })
    expect(others).toEqual([])
    await done(member, again ? [again] : [])
    expect(ids(await take(member))).toEqual(['m2', 'm4'])
  })

  it('lets a parked message that waits behind another parked one follow it', async () => {
    const { engine, send, clock } = await world()
    const member = await engine.join(request('a', { park: true }))
    await engine.keep({ answers: new Map() })
    await send({ key: 'k' }, { key: 'k' }, { key: 'k' })
    for (const delivery of await take(member, 2)) await held(member, delivery, { until: clock.wall() + 1_000 })
    await clock.advance(1_000)
    for (const id of ['m1', 'm2', 'm3']) {
      const next = await take(member)
      expect(ids(next)).toEqual([id])
      await done(member, next)
    }
  })

  it('keeps a key in order when two of its messages are lent at once', async () => {
    const { engine, send } = await world()
    const member = await engine.join(request('a'))
    await send({ key: 'k' }, { key: 'k' }, { key: 'k' })
    const [one, two] = await take(member, 2)
    await held(member, one, { why: 'lent', token: 'one' })
    await held(member, two, { why: 'lent', token: 'two' })
    expect(await take(member)).toEqual([])
    expect(await engine.decide([{ hold: groupHold('t', 0, 0n, 'g'), token: 'one', to: 'drop' }])).toEqual(['done'])
    expect(await take(member)).toEqual([])
    expect(await engine.decide([{ hold: groupHold('t', 0, 1n, 'g'), token: 'one', to: 'drop' }])).toEqual(['gone'])
    expect(await engine.decide([{ hold: groupHold('t', 0, 1n, 'g'), token: 'two', to: 'release' }])).toEqual(['done'])
    const again = await take(member)
    expect(again.map(({ attempt, message }) => [message.id, attempt])).toEqual([['m2', 2]])
    await done(member, again)
    expect(ids(await take(member))).toEqual(['m3'])
  })
})

describe('memory engine: keeping', () => {
  it('ripens a million-year delay’s neighbours on time and nothing early', async () => {
    const { engine, clock, send } = await world()
    await engine.keep({ answers: new Map() })
    const until = clock.wall() + 90_000
    const hold = (at: number): Hold => ({ why: 'delay', until: at, then: 'release', attempt: 0 })
    await send({ hold: hold(until) }, { hold: hold(until + 1e15) })
    await clock.advance(89_999)
    expect((await engine.browse({ topic: 't', from: 'start', limit: 10 })).items).toEqual([])
    await clock.advance(1)
    expect((await engine.browse({ topic: 't', from: 'start', limit: 10 })).items).toMatchObject([{ id: 'm1', kind: 'delay', delayedUntil: until, offset: 0n }])
  })

  it('finds out within a second that the wall clock has jumped to the due time', async () => {
    const { engine, clock, send } = await world()
    await engine.keep({ answers: new Map() })
    await send({ hold: { why: 'delay', until: clock.wall() + 7_200_000, then: 'release', attempt: 0 } })
    await clock.jumpWall(7_200_000)
    await clock.advance(1_000)
    expect((await engine.browse({ topic: 't', from: 'start', limit: 10 })).items).toHaveLength(1)
  })

  it('asks on whichever instance answers for the producer group, and parks what stays unknown', async () => {
    const { engine, other, clock, send } = await world({}, 2)
    let asked = 0
    const now = clock.wall()
    await engine.keep({ answers: new Map() })
    await send({ hold: { why: 'prepared', until: now + 100, then: { ask: 'p', checks: 2, everyMs: 1_000, parkAt: now + day }, attempt: 0 } })
    await clock.advance(500)
    await other.keep({ answers: new Map([['p', async () => { asked += 1; throw new Error('not now') }]]) })
    await clock.advance(5_000)
    expect(asked).toBe(2)
    const { items } = await engine.holds({ limit: 1, id: messageHold('t', 'm1') })
    expect(items).toMatchObject([{ hold: { why: 'prepared', until: 'decided' } }])
    expect(await engine.decide([{ hold: messageHold('t', 'm1'), to: 'release' }])).toEqual(['done'])
    expect((await engine.browse({ topic: 't', from: 'start', limit: 10 })).items).toMatchObject([{ kind: 'transaction' }])
  })
})

describe('memory engine: bounds', () => {
  it('trims the oldest unread, leaves what is in hand settleable, and counts the rest as purged', async () => {
    const { engine, send } = await world({ cap: { count: 2, whenFull: 'trim' }, keep: { count: 0 } })
    const member = await engine.join(request('a'))
    await send({}, {})
    const [first] = await take(member, 1)
    await send({}, {})
    expect(await done(member, first ? [first] : [])).toEqual(['settled'])
    expect(ids(await take(member))).toEqual(['m3', 'm4'])
    expect((await engine.census()).topics[0]?.groups[0]).toMatchObject({ settled: 1, leased: 2, purged: 1 })
  })

  it('refuses when full, says when there is room, and takes again', async () => {
    const { engine, send } = await world({ cap: { count: 1, whenFull: 'refuse' } })
    const stirs: string[] = []
    engine.watch((stir) => stirs.push(stir.what))
    const member = await engine.join(request('a'))
    const [ok, full] = await send({}, {})
    expect(ok).toHaveProperty('ok')
    expect(full).toMatchObject({ stored: 'no', error: { code: 'FULL' } })
    await done(member, await take(member))
    expect(stirs).toContain('room')
    expect((await send({}))[0]).toHaveProperty('ok')
  })

  it('cuts what every group has read and nothing else', async () => {
    const { engine, clock, send } = await world({ keep: { count: 1 } })
    const member = await engine.join(request('a'))
    await engine.groups.create('t', 'slow', 'start')
    await send({}, {}, {})
    await done(member, await take(member))
    await clock.advance(2_000)
    expect((await engine.census()).topics[0]).toMatchObject({ messages: 3, published: 3 })
    await engine.groups.remove('t', 'slow')
    await clock.advance(2_000)
    expect((await engine.census()).topics[0]).toMatchObject({ messages: 1, partitions: [{ start: 2n, end: 3n }] })
  })

  it('lets a group that has been idle for long stop pinning, and counts what it missed', async () => {
    const { engine, clock, send } = await world({ keep: { count: 0 }, groupIdleMs: 60_000 })
    await engine.groups.create('t', 'g', 'start')
    await send({}, {})
    await clock.advance(59_000)
    expect((await engine.census()).topics[0]?.messages).toBe(2)
    await clock.advance(2_000)
    expect((await engine.census()).topics[0]).toMatchObject({ messages: 0, groups: [{ purged: 2, lag: 0 }] })
  })
})
