import assert from 'node:assert/strict'
import { about } from '../case.js'
import { type Kit, refuses } from '../kit.js'
import type { Member, MemberOptions } from '../member.js'
import { needs } from '../needs.js'
import { textsOf } from '../text.js'

function listener(kit: Kit, topic: string, group: string, options: MemberOptions = {}): Promise<Member> {
  return kit.member(topic, group, { mode: 'broadcast', ...options })
}

export const broadcast = about('broadcast', {
  'every broadcast member sees every message': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const members = [await listener(kit, topic, 'g'), await listener(kit, topic, 'g'), await listener(kit, topic, 'g', { engine: (await kit.another()).engine })]
    await kit.send(kit.draft(topic, 'a'), kit.draft(topic, 'b', { partition: 1 }), kit.draft(topic, 'c'))
    for (const member of members) {
      await member.done(...(await member.getsInAnyOrder('a', 'b', 'c')))
      await member.getsNothing()
    }
  },

  'a broadcast member sees nothing from before it joined': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'before')
    const member = await listener(kit, topic, 'g', { from: 'start' })
    await kit.publish(topic, null, 'after')
    await member.finishes('after')
    await member.getsNothing()
  },

  'a broadcast member sees each key in order': async (kit) => {
    const topic = await kit.topic()
    const member = await listener(kit, topic, 'g')
    const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
    await kit.publish(topic, 'k', ...values)
    await member.finishes(...values)
  },

  'a broadcast member pins nothing': async (kit) => {
    const topic = await kit.topic({ keep: { count: 0 } })
    await listener(kit, topic, 'g')
    const reader = await kit.member(topic, 'reader')
    await kit.publish(topic, null, 'a', 'b')
    await reader.finishes('a', 'b')
    await kit.until('the log is cut', async () => (await kit.log(topic)).length === 0)
  },

  'broadcast takes nothing away from the groups that share': async (kit) => {
    const topic = await kit.topic()
    const sharing = await kit.member(topic, 'sharing')
    const member = await listener(kit, topic, 'listening')
    await kit.publish(topic, null, 'a')
    await member.finishes('a')
    await sharing.finishes('a')
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
  },

  'a broadcast member that comes again begins anew': async (kit) => {
    const topic = await kit.topic()
    const first = await listener(kit, topic, 'g', { member: 'same' })
    await kit.publish(topic, null, 'a')
    await first.getsOne('a')
    await first.leave()
    await kit.publish(topic, null, 'missed')
    const again = await listener(kit, topic, 'g', { member: 'same' })
    await kit.publish(topic, null, 'b')
    await again.finishes('b')
  },

  'a broadcast member hears a partition that is added from its first message': async (kit) => {
    const topic = await kit.topic()
    const member = await listener(kit, topic, 'g')
    await kit.engine.topics.alter(topic, { partitions: 2 })
    await kit.send(kit.draft(topic, 'a', { partition: 1 }))
    await member.finishes('a')
    await member.getsNothing()
  },

  'a dead letter of a broadcast member is kept until it is purged, and comes to nobody': async (kit) => {
    const topic = await kit.topic()
    const member = await listener(kit, topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.dead(await member.getsOne('a'))
    assert.deepEqual((await kit.heldOne({ topic, why: 'dead' })).id, hold)
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    await member.getsNothing()
    assert.equal((await kit.held({ topic })).length, 1)
    await kit.decide({ hold, to: 'drop' })
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a broadcast member cannot keep a message for later': async (kit) => {
    const topic = await kit.topic()
    const member = await listener(kit, topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    await refuses('UNSUPPORTED', member.retry(delivery, 1_000))
    await member.done(delivery)
  },

  'the leases of a broadcast member lapse when its topic is removed': async (kit) => {
    const topic = await kit.topic()
    const member = await listener(kit, topic, 'g')
    await kit.engine.topics.remove(topic)
    await kit.until('it lapses', () => member.lease().then(() => false, () => true))
    await refuses('LAPSED', member.lease())
  },
}, needs.broadcast)
