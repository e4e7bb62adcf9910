import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { about } from '../case.js'
import { needs } from '../needs.js'
import { textsOf } from '../text.js'

export const durability = about('durability', {
  'what was published is there after close and open': async (kit) => {
    const topic = await kit.topic({ partitions: 2, description: 'kept' })
    const sent = await kit.send(kit.draft(topic, 'a', { key: 'k' }), kit.draft(topic, 'b', { partition: 1 }))
    const before = await kit.log(topic)
    const reopened = await kit.reopen()
    assert.deepEqual(await reopened.log(topic), before)
    assert.deepEqual((await reopened.log(topic)).map(({ offset }) => offset), sent.map(({ offset }) => offset))
    assert.equal((await reopened.engine.topics.list())[0]?.description, 'kept')
  },

  // Loss path 14.
  'what was answered ok is there after the process was killed': async (kit) => {
    const topic = await kit.topic()
    const acked: string[] = []
    const calls = Array.from({ length: 30 }, async (_, index) => {
      await kit.publish(topic, 'k', `v${index}`)
      acked.push(`v${index}`)
    })
    await Promise.race(calls)
    await kit.first.kill()
    const known = [...acked]
    const reopened = await kit.reopen()
    const stored = textsOf(await reopened.log(topic))
    assert.deepEqual(known.filter((value) => !stored.includes(value)), [], 'everything that was acknowledged is stored')
    assert.equal(new Set(stored).size, stored.length, 'and stored once')
    await Promise.allSettled(calls)
  },

  'a group goes on where it was after close and open': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c', 'd')
    const [a, , c] = await member.gets('a', 'b', 'c')
    await member.done(a ?? assert.fail(), c ?? assert.fail())
    const reopened = await kit.reopen()
    const again = await reopened.member(topic, 'g')
    const taken = await again.gets('b', 'd')
    assert.deepEqual(taken.map(({ attempt }) => attempt), [1, 1], 'a clean close counts nothing')
  },

  'a verdict that was settled stands after the process was killed': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    const [a] = await member.gets('a', 'b')
    await member.done(a ?? assert.fail())
    await kit.first.kill()
    const reopened = await kit.reopen()
    const again = await reopened.member(topic, 'g')
    const delivery = await again.getsOne('b')
    assert.deepEqual([delivery.attempt, delivery.alone], [2, true])
    await again.done(delivery)
    await again.getsNothing()
  },

  'holds are there after the process was killed, and ripen': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'delayed', { id: 'delayed', hold: kit.delay(20_000) }))
    await kit.publish(topic, null, 'dead', 'retried')
    const [dead, retried] = await member.gets('dead', 'retried')
    const letter = await member.dead(dead ?? assert.fail())
    const retry = await member.retry(retried ?? assert.fail(), 10_000)
    await kit.first.kill()
    const reopened = await kit.reopen()
    assert.deepEqual((await reopened.held({ topic })).map(({ id }) => id).sort(), [messageHold(topic, 'delayed'), letter, retry].sort())
    await reopened.keeper()
    const again = await reopened.member(topic, 'g')
    await reopened.pass(10_000)
    assert.equal((await again.getsOne('retried')).attempt, 2)
    await reopened.pass(10_000)
    await again.gets('delayed')
  },

  // Loss path 9.
  'members find their work again after a restart in the middle of a waiting lease': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const waiting = member.lease(10, { waitMs: 600_000 }).catch(() => [])
    await kit.pass(100)
    await kit.first.kill()
    const reopened = await kit.reopen()
    await reopened.publish(topic, null, 'a')
    await (await reopened.member(topic, 'g')).finishes('a')
    void waiting
  },

  'a rolled-back message stays rolled back and a decided one decided after close and open': async (kit) => {
    const topic = await kit.topic()
    await kit.send(kit.draft(topic, 'dropped', { id: 'dropped', hold: kit.delay(60_000) }), kit.draft(topic, 'released', { id: 'released', hold: kit.delay(60_000) }))
    await kit.decide({ hold: messageHold(topic, 'dropped'), to: 'drop' })
    await kit.decide({ hold: messageHold(topic, 'released'), to: 'release' })
    const reopened = await kit.reopen()
    assert.deepEqual(await reopened.held({ topic }), [])
    await (await reopened.member(topic, 'g')).finishes('released')
  },

  'the census counts on after close and open': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    await member.finishes('a')
    await member.leave()
    const before = await kit.census(topic)
    const reopened = await kit.reopen()
    const after = await reopened.census(topic)
    assert.deepEqual({ ...after, groups: after.groups.map((group) => ({ ...group, members: 0 })) }, { ...before, groups: before.groups.map((group) => ({ ...group, members: 0 })) })
  },
}, needs.durable)
