import assert from 'node:assert/strict'
import { about } from '../case.js'
import { refuses } from '../kit.js'
import { textsOf } from '../text.js'

export const shutdown = about('shutdown', {
  'a closed engine refuses everything; closing twice is safe': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    await kit.engine.close()
    await kit.engine.close()
    await refuses('CLOSED', kit.publish(topic, null, 'b'))
    await refuses('CLOSED', member.lease())
    await refuses('CLOSED', member.settle({ delivery, is: 'done' }))
    await refuses('CLOSED', kit.member(topic, 'g'))
    await refuses('CLOSED', kit.held())
    await refuses('CLOSED', kit.keeper())
    await refuses('CLOSED', kit.engine.census())
    await refuses('CLOSED', kit.engine.topics.list())
    await refuses('CLOSED', kit.engine.open())
  },

  'opening an open engine is safe': async (kit) => {
    const topic = await kit.topic()
    await kit.engine.open()
    await kit.publish(topic, null, 'a')
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
  },

  // Loss path 15.
  'closing hands back what is unfinished, to be had at once and not counted': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const closing = await kit.another()
    const member = await kit.member(topic, 'g', { engine: closing.engine, leaseMs: 600_000 })
    await kit.send(kit.draft(topic, 'a'), kit.draft(topic, 'b'), kit.draft(topic, 'c', { partition: 1 }))
    const taken = await member.getsInAnyOrder('a', 'b', 'c')
    await member.done(taken.find(({ message }) => message.partition === 1) ?? assert.fail())
    await kit.comes(closing.close())
    const other = await kit.member(topic, 'g', { leaseMs: 600_000 })
    const again = await other.gets('a', 'b')
    assert.deepEqual(again.map(({ attempt, alone }) => [attempt, alone]), [[1, false], [1, false]])
    await other.done(...again)
    await other.getsNothing()
  },

  // Loss path 9.
  'closing ends a lease that waits': async (kit) => {
    const topic = await kit.topic()
    const closing = await kit.another()
    const member = await kit.member(topic, 'g', { engine: closing.engine })
    const waiting = member.lease(10, { waitMs: 600_000 }).catch(() => [])
    await kit.pass(100)
    await kit.comes(closing.close())
    assert.deepEqual(await kit.comes(waiting), [])
    await kit.publish(topic, null, 'a')
    await (await kit.member(topic, 'g')).finishes('a')
  },

  // Loss path 9.
  'a lease that waited in a process that died swallows nothing': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    void dying.lease(10, { waitMs: 600_000 }).catch(() => [])
    await kit.pass(100)
    await doomed.kill()
    await kit.publish(topic, null, 'a')
    const delivery = await (await kit.member(topic, 'g')).getsOne('a')
    assert.equal(delivery.attempt, 1, 'nobody had it')
  },

  // Loss path 15.
  'a publish that races with close is stored or refused, and what was answered ok is there': async (kit) => {
    const topic = await kit.topic()
    const closing = await kit.another()
    const calls = Array.from({ length: 20 }, (_, index) => closing.engine.publish([kit.draft(topic, `v${index}`)]))
    const close = closing.close()
    const answers = await kit.comes(Promise.allSettled(calls))
    await kit.comes(close)
    const stored = new Set(textsOf(await kit.log(topic)))
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'fulfilled' && answer.value.some((each) => 'ok' in each)) assert.ok(stored.has(`v${index}`), `v${index} was acknowledged`)
    }
  },

  'closing one instance leaves the others alone': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    const other = await kit.another()
    await kit.comes(other.close())
    await member.done(delivery)
    await kit.publish(topic, null, 'b')
    await member.finishes('b')
  },

  'closing stops keeping, and another keeper goes on': async (kit) => {
    const topic = await kit.topic()
    const closing = await kit.another()
    await kit.keeper({}, closing.engine)
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
    await kit.comes(closing.close())
    await member.getsNothing(10_000)
    await kit.keeper()
    await member.finishes('a')
  },
})
