import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { about } from '../case.js'
import { receipts, refused } from '../kit.js'
import { needs } from '../needs.js'
import { textsOf } from '../text.js'

const once = { dedup: { id: 'once', windowMs: 60_000 } }

export const dedup = about('dedup', {
  'a second draft with a dedup id is answered with the place of the first and not stored': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const first = await kit.sendOne(kit.draft(topic, 'first', once))
    const second = await kit.sendOne(kit.draft(topic, 'second', once))
    assert.deepEqual([first.duplicate, second.duplicate], [false, true])
    assert.deepEqual([second.partition, second.offset], [first.partition, first.offset])
    await member.finishes('first')
    await member.getsNothing()
    assert.deepEqual(textsOf(await kit.log(topic)), ['first'])
  },

  'a duplicate within one call is found': async (kit) => {
    const topic = await kit.topic()
    const answers = await kit.send(kit.draft(topic, 'first', once), kit.draft(topic, 'second', once), kit.draft(topic, 'third', { dedup: { id: 'other', windowMs: 60_000 } }))
    assert.deepEqual(answers.map(({ duplicate }) => duplicate), [false, true, false])
    assert.deepEqual(textsOf(await kit.log(topic)), ['first', 'third'])
  },

  'duplicates that race are stored once': async (kit) => {
    const topic = await kit.topic()
    const other = (await kit.another()).engine
    const engines = [kit.engine, other, kit.engine, other]
    const answers = receipts((await Promise.all(engines.map((engine) => engine.publish([kit.draft(topic, 'a', once)])))).flat())
    assert.equal(answers.filter(({ duplicate }) => !duplicate).length, 1)
    assert.equal((await kit.log(topic)).length, 1)
  },

  'a dedup id is forgotten after its window': async (kit) => {
    const topic = await kit.topic()
    await kit.send(kit.draft(topic, 'first', once))
    await kit.pass(50_000)
    assert.equal((await kit.sendOne(kit.draft(topic, 'second', once))).duplicate, true)
    await kit.pass(20_000)
    assert.equal((await kit.sendOne(kit.draft(topic, 'third', once))).duplicate, false)
    assert.deepEqual(textsOf(await kit.log(topic)), ['first', 'third'])
  },

  'a dedup id belongs to its topic and partition': async (kit) => {
    const [one, other] = [await kit.topic({ partitions: 2 }), await kit.topic()]
    const answers = await kit.send(kit.draft(one, 'a', once), kit.draft(one, 'b', { ...once, partition: 1 }), kit.draft(other, 'c', once))
    assert.ok(answers.every(({ duplicate }) => !duplicate))
  },

  'a draft that was refused does not use its dedup id up': async (kit) => {
    const topic = await kit.topic({ maxMessageBytes: 100 })
    const [answer] = await kit.engine.publish([kit.draft(topic, 'x'.repeat(200), once)])
    refused('TOO_LARGE', answer ?? assert.fail())
    assert.equal((await kit.sendOne(kit.draft(topic, 'a', once))).duplicate, false)
  },

  'a dedup id of a delayed message counts while it is held': async (kit) => {
    const topic = await kit.topic()
    const first = await kit.sendOne(kit.draft(topic, 'first', { ...once, hold: kit.delay(30_000) }))
    const second = await kit.sendOne(kit.draft(topic, 'second', { ...once, hold: kit.delay(30_000) }))
    assert.deepEqual([first.duplicate, second.duplicate, second.offset], [false, true, null])
    assert.equal((await kit.held({ topic })).length, 1)
    await kit.decide({ hold: messageHold(topic, first.id), to: 'release' })
    const [released] = await kit.until('it is in the log', async () => {
      const log = await kit.log(topic)
      return log.length > 0 && log
    })
    const third = await kit.sendOne(kit.draft(topic, 'third', once))
    assert.deepEqual([third.duplicate, third.offset], [true, released?.offset])
  },

  'a dedup id is known though its message has been read and removed': async (kit) => {
    const topic = await kit.topic({ keep: { count: 0 } })
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'a', once))
    await member.finishes('a')
    await kit.until('it is removed', async () => (await kit.log(topic)).length === 0)
    assert.equal((await kit.sendOne(kit.draft(topic, 'b', once))).duplicate, true)
    await member.getsNothing()
  },
}, needs.dedup)
