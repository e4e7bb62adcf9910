import assert from 'node:assert/strict'
import { about } from '../case.js'
import { textsOf } from '../text.js'

export const replay = about('replay', {
  'a group moved to the start gets everything again': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    await member.finishes('a', 'b')
    await kit.engine.groups.seek(topic, 'g', 'start')
    await kit.publish(topic, null, 'c')
    const again = await member.gets('a', 'b', 'c')
    assert.deepEqual(again.map(({ attempt }) => attempt), [1, 1, 1])
  },

  'a group moved to the end gets only what comes then': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    await kit.engine.groups.seek(topic, 'g', 'end')
    await kit.publish(topic, null, 'c')
    await member.finishes('c')
    await member.getsNothing()
  },

  'a group moved to an offset goes on with the message there': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const [, b] = await kit.publish(topic, null, 'a', 'b', 'c')
    await member.finishes('a', 'b', 'c')
    await kit.engine.groups.seek(topic, 'g', { offset: b?.offset ?? assert.fail() })
    await member.finishes('b', 'c')
  },

  'a group moved to a time goes on with the first message from then on': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await kit.pass(10_000)
    const time = kit.wall()
    await kit.publish(topic, null, 'b')
    await kit.pass(10_000)
    await kit.publish(topic, null, 'c')
    await member.finishes('a', 'b', 'c')
    await kit.engine.groups.seek(topic, 'g', { time })
    await member.finishes('b', 'c')
    await kit.engine.groups.seek(topic, 'g', { time: kit.wall() + 60_000 })
    await member.getsNothing()
  },

  'a group moved in one partition stays where it is in the others': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    await member.done(...(await member.getsInAnyOrder('p0', 'p1')))
    await kit.engine.groups.seek(topic, 'g', 'start', 1)
    await member.finishes('p1')
    await member.getsNothing()
  },

  'the other groups stay where they are': async (kit) => {
    const topic = await kit.topic()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, null, 'a')
    const delivery = await other.getsOne('a')
    await one.finishes('a')
    await kit.engine.groups.seek(topic, 'one', 'start')
    await one.finishes('a')
    await other.done(delivery)
    await other.getsNothing()
  },

  'a move bumps the epoch, and what was leased lapses': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    const taken = await member.gets('a', 'b')
    const before = await kit.position(topic, 'g')
    await kit.engine.groups.seek(topic, 'g', 'end')
    assert.ok((await kit.position(topic, 'g')).epoch > before.epoch)
    assert.deepEqual(await member.settle(...taken.map((delivery) => ({ delivery, is: 'done' as const }))), ['lapsed', 'lapsed'])
    await member.getsNothing()
    await kit.engine.groups.seek(topic, 'g', 'start')
    await member.finishes('a', 'b')
  },

  'a move to where the group stands fences as well': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const stale = await member.getsOne('a')
    await kit.engine.groups.seek(topic, 'g', { offset: stale.message.offset })
    const fresh = await member.getsOne('a')
    assert.ok(fresh.epoch > stale.epoch)
    assert.deepEqual(await member.settle({ delivery: stale, is: 'done' }), ['lapsed'])
    await member.done(fresh)
  },

  'a move drops retries at and after the place and keeps earlier ones': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    assert.ok(a && b && c)
    const early = await member.retry(a, 20_000)
    await member.retry(b, 20_000)
    await member.retry(c, 20_000)
    await kit.engine.groups.seek(topic, 'g', { offset: b.message.offset })
    assert.deepEqual((await kit.held({ topic })).map(({ id }) => id), [early])
    await member.finishes('b', 'c')
    await kit.pass(20_000)
    await member.finishes('a')
    await member.getsNothing(5_000)
  },

  'a move keeps dead letters': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.dead(await member.getsOne('a'))
    await kit.engine.groups.seek(topic, 'g', 'end')
    assert.deepEqual((await kit.held({ topic })).map(({ id }) => id), [hold])
    await kit.decide({ hold, to: 'release' })
    await member.finishes('a')
  },

  'a move drops redeliveries that wait at and after the place': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    const [a, b] = await member.gets('a', 'b')
    await member.back(a ?? assert.fail(), b ?? assert.fail())
    await kit.engine.groups.seek(topic, 'g', { offset: b?.message.offset ?? assert.fail() })
    await member.finishes('a', 'b', 'c')
    await member.getsNothing()
  },

  'a move drops released retries that wait at and after the place': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    const [a, b] = await member.gets('a', 'b')
    for (const delivery of [a ?? assert.fail(), b ?? assert.fail()]) await kit.decide({ hold: await member.retry(delivery, 60_000), to: 'release' })
    await kit.engine.groups.seek(topic, 'g', { offset: b?.message.offset ?? assert.fail() })
    await member.done(...(await member.getsInAnyOrder('a', 'b')))
    await member.getsNothing()
  },

  "a place before the log's start is its start": async (kit) => {
    const topic = await kit.topic({ keep: { count: 1 } })
    const member = await kit.member(topic, 'g')
    const [a] = await kit.publish(topic, null, 'a', 'b', 'c')
    await member.finishes('a', 'b', 'c')
    await kit.until('the log is cut', async () => textsOf(await kit.log(topic)).join() === 'c')
    await kit.engine.groups.seek(topic, 'g', { offset: a?.offset ?? assert.fail() })
    await member.finishes('c')
    await kit.engine.groups.seek(topic, 'g', { time: 0 })
    await member.finishes('c')
  },

  'a group without members can be moved': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a')
    await kit.engine.groups.create(topic, 'g', 'end')
    await kit.engine.groups.seek(topic, 'g', 'start')
    await (await kit.member(topic, 'g', { from: 'end' })).finishes('a')
  },
})
