import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { type Topic, topicConfig } from '../../core/topic.js'
import { about } from '../case.js'
import { type Kit, refused, refuses } from '../kit.js'
import { textsOf } from '../text.js'

async function listed(kit: Kit, name: string): Promise<Topic> {
  const topic = (await kit.engine.topics.list()).find((each) => each.name === name)
  assert.ok(topic, `topic ${name} is listed`)
  return topic
}

export const topics = about('topics', {
  'a created topic is listed with everything it was given': async (kit) => {
    const asked = { name: 'answers', description: 'what users answered', partitions: 3, keep: { ageMs: 60_000 }, maxMessageBytes: 2_000, config: { a: 'b' }, createdBy: 'ann' }
    const created = await kit.engine.topics.create(topicConfig(asked))
    const found = await listed(kit, 'answers')
    assert.deepEqual(found, created)
    assert.deepEqual({ ...found, ...asked }, found, 'every field is as it was asked for')
    assert.ok(found.id.length > 0 && found.createdAt <= kit.wall() && found.updatedAt >= found.createdAt)
  },

  'a topic that exists cannot be created again and keeps its messages': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a')
    await refuses('TOPIC_EXISTS', kit.topic({ name: topic, partitions: 2 }))
    assert.equal((await listed(kit, topic)).partitions, 1)
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
  },

  // Loss path 13.
  'a draft for an unknown topic is answered UNKNOWN_TOPIC and makes no topic': async (kit) => {
    await kit.refusesDraft('UNKNOWN_TOPIC', kit.draft('nowhere', 'a'))
    assert.deepEqual(await kit.engine.topics.list(), [])
  },

  'joining, browsing and altering an unknown topic is refused and makes none': async (kit) => {
    await refuses('UNKNOWN_TOPIC', kit.member('nowhere', 'g'))
    await refuses('UNKNOWN_TOPIC', kit.log('nowhere'))
    await refuses('UNKNOWN_TOPIC', kit.engine.holds({ topic: 'nowhere', limit: 1 }))
    await refuses('UNKNOWN_TOPIC', kit.engine.holds({ topic: 'nowhere', id: messageHold('nowhere', 'a'), limit: 1 }))
    await refuses('UNKNOWN_TOPIC', kit.engine.topics.alter('nowhere', { description: 'x' }))
    await refuses('UNKNOWN_TOPIC', kit.engine.topics.remove('nowhere'))
    await refuses('UNKNOWN_TOPIC', kit.engine.groups.create('nowhere', 'g', 'start'))
    await refuses('UNKNOWN_TOPIC', kit.engine.groups.positions('nowhere', 'g'))
    assert.deepEqual(await kit.engine.topics.list(), [])
  },

  'altering a topic changes what is named and nothing else': async (kit) => {
    const topic = await kit.topic({ description: 'before', partitions: 2 })
    const before = await listed(kit, topic)
    await kit.pass(1_000)
    const altered = await kit.engine.topics.alter(topic, { description: 'after' })
    assert.deepEqual(altered, { ...before, description: 'after', updatedAt: altered.updatedAt })
    assert.ok(altered.updatedAt > before.updatedAt, 'updatedAt moves')
    assert.deepEqual(await listed(kit, topic), altered)
  },

  'partitions cannot shrink': async (kit) => {
    const topic = await kit.topic({ partitions: 3 })
    await refuses('INVALID', kit.engine.topics.alter(topic, { partitions: 2 }))
    assert.equal((await listed(kit, topic)).partitions, 3)
  },

  'a partition that is added starts empty and reaches every group from its first message': async (kit) => {
    const topic = await kit.topic()
    await kit.engine.groups.create(topic, 'late', 'end')
    const member = await kit.member(topic, 'late')
    await kit.engine.topics.alter(topic, { partitions: 2 })
    await kit.send(kit.draft(topic, 'new', { partition: 1 }))
    await member.done(await member.getsOne('new'))
    assert.deepEqual(textsOf(await kit.log(topic, { partition: 1 })), ['new'])
  },

  'a removed topic takes its messages, groups and holds with it': async (kit) => {
    const topic = await kit.topic()
    await kit.engine.groups.create(topic, 'g', 'start')
    await kit.send(kit.draft(topic, 'a'), kit.draft(topic, 'later', { hold: kit.delay(60_000) }))
    await kit.engine.topics.remove(topic)
    assert.deepEqual(await kit.engine.topics.list(), [])
    await refuses('UNKNOWN_TOPIC', kit.log(topic))
    await refuses('UNKNOWN_TOPIC', kit.engine.groups.positions(topic, 'g'))
    assert.deepEqual(await kit.held(), [])
    await kit.refusesDraft('UNKNOWN_TOPIC', kit.draft(topic, 'b'))
  },

  'the leases of a removed topic lapse': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    await kit.engine.topics.remove(topic)
    assert.deepEqual(await member.settle({ delivery, is: 'done' }), ['lapsed'])
    await refuses('LAPSED', member.lease())
  },

  'a topic created again under its name is new: nothing of the old one is in it': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'old one', 'old two')
    await member.dead((await member.take(2))[0] ?? assert.fail())
    await kit.send(kit.draft(topic, 'old delay', { id: 'delayed', hold: kit.delay(1_000) }))
    const old = await listed(kit, topic)
    await kit.engine.topics.remove(topic)

    await kit.keeper()
    await kit.topic({ name: topic })
    assert.notEqual((await listed(kit, topic)).id, old.id)
    assert.deepEqual(await kit.held(), [])
    await kit.publish(topic, null, 'new')
    const again = await kit.member(topic, 'g')
    await again.finishes('new')
    await again.getsNothing(5_000)
  },

  'a paused topic takes messages, delivers none, and delivers all of them afterwards': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.engine.topics.alter(topic, { paused: true })
    await kit.publish(topic, null, 'a', 'b')
    await member.getsNothing()
    await kit.engine.topics.alter(topic, { paused: false })
    await member.finishes('a', 'b')
  },

  'what is leased when a topic is paused may still settle': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    const delivery = await member.takeOne()
    await kit.engine.topics.alter(topic, { paused: true })
    await member.done(delivery)
    await member.getsNothing()
    await kit.engine.topics.alter(topic, { paused: false })
    await member.finishes('b')
  },

  'topics do not share messages, groups or holds': async (kit) => {
    const one = await kit.topic()
    const other = await kit.topic()
    const ones = await kit.member(one, 'g')
    const others = await kit.member(other, 'g')
    await kit.publish(one, 'k', 'for one')
    await ones.dead(await ones.getsOne('for one'))
    await others.getsNothing()
    assert.equal((await kit.held({ topic: other })).length, 0)
    await kit.engine.topics.remove(other)
    assert.equal((await kit.held({ topic: one })).length, 1)
    const [answer] = await kit.engine.publish([kit.draft(other, 'x')])
    refused('UNKNOWN_TOPIC', answer ?? assert.fail())
  },
})
