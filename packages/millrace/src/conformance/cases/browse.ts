import assert from 'node:assert/strict'
import { about } from '../case.js'
import { textsOf } from '../text.js'

export const browse = about('browse', {
  'browsing reads without consuming': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const [a] = await kit.publish(topic, 'k', 'a', 'b')
    const log = await kit.log(topic)
    assert.deepEqual(textsOf(log), ['a', 'b'])
    assert.deepEqual([log[0]?.id, log[0]?.offset, log[0]?.key, log[0]?.kind], [a?.id, a?.offset, 'k', 'normal'])
    assert.equal((await kit.position(topic, 'g')).lag, 2)
    await member.finishes('a', 'b')
    assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'b'], 'what was consumed and is kept can be read')
  },

  'browsing starts at an offset, at a time, at the start or at the end': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a')
    await kit.pass(10_000)
    const time = kit.wall()
    const [b] = await kit.publish(topic, null, 'b', 'c')
    assert.deepEqual(textsOf(await kit.log(topic, { from: { offset: b?.offset ?? assert.fail() }, partition: 0 })), ['b', 'c'])
    assert.deepEqual(textsOf(await kit.log(topic, { from: { time } })), ['b', 'c'])
    assert.deepEqual(textsOf(await kit.log(topic, { from: 'start' })), ['a', 'b', 'c'])
    assert.deepEqual(textsOf(await kit.log(topic, { from: 'end' })), [])
  },

  'browsing goes by pages, partition after partition, each message once': async (kit) => {
    const topic = await kit.topic({ partitions: 3 })
    const values = Array.from({ length: 30 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value, index) => kit.draft(topic, value, { partition: index % 3 })))
    const page = await kit.engine.browse({ topic, from: 'start', limit: 7 })
    assert.ok(page.items.length <= 7 && page.cursor !== undefined)
    const log = await kit.log(topic, { limit: 7 })
    assert.deepEqual(textsOf(log), [0, 1, 2].flatMap((partition) => values.filter((_, index) => index % 3 === partition)))
    assert.deepEqual(textsOf(await kit.log(topic, { limit: 4, partition: 1 })), values.filter((_, index) => index % 3 === 1))
  },

  'held messages are not in the log': async (kit) => {
    const topic = await kit.topic()
    await kit.send(kit.draft(topic, 'a'), kit.draft(topic, 'later', { hold: kit.delay(60_000) }))
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
  },

  'an empty topic has an empty log': async (kit) => {
    assert.deepEqual(await kit.log(await kit.topic({ partitions: 2 })), [])
  },
})
