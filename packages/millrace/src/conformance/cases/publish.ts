import assert from 'node:assert/strict'
import type { Durability } from '../../core/message.js'
import { about } from '../case.js'
import { receipts, refused, refuses } from '../kit.js'
import { bytes, texts, textsOf } from '../text.js'

export const publish = about('publish', {
  'each draft has one answer, in the order of the drafts': async (kit) => {
    const one = await kit.topic({ partitions: 2 })
    const other = await kit.topic()
    const drafts = [kit.draft(one, 'a', { partition: 1 }), kit.draft(other, 'b'), kit.draft(one, 'c'), kit.draft(one, 'd', { partition: 1 })]
    const answers = receipts(await kit.engine.publish(drafts))
    assert.deepEqual(answers.map(({ id, topic, partition }) => ({ id, topic, partition })), drafts.map(({ id, topic, partition }) => ({ id, topic, partition })))
  },

  'a receipt names the place, the time and the faults that the message survives': async (kit) => {
    const topic = await kit.topic()
    const receipt = await kit.sendOne(kit.draft(topic, 'a', { timestamp: 1_234_567 }))
    const [message] = await kit.log(topic)
    assert.equal(typeof receipt.offset, 'bigint')
    assert.equal(receipt.offset, message?.offset)
    assert.equal(receipt.timestamp, 1_234_567)
    assert.equal(receipt.duplicate, false)
    assert.ok(receipt.survives.length > 0 && receipt.survives.every((level) => kit.traits.durability.includes(level)))
  },

  'a message arrives exactly as it was sent': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const member = await kit.member(topic, 'g')
    const value = Uint8Array.from({ length: 256 }, (_, index) => index)
    const draft = kit.draft(topic, '', {
      id: 'id of 语', partition: 1, key: 'kéy 键 😀', value, timestamp: 1_700_000_000_123, producerId: 'ann/1',
      headers: [['b', value], ['a', bytes('1')], ['a', bytes('2')], ['empty', new Uint8Array()]],
    })
    const receipt = await kit.sendOne(draft)
    const { message } = await member.takeOne()
    const { hold: _, dedup: __, ...sent } = draft
    const headers = message.headers.map(([name, each]) => [name, [...each]])
    assert.deepEqual({ ...message, value: [...(message.value ?? [])], headers },
      { ...sent, value: [...value], headers: draft.headers.map(([name, each]) => [name, [...each]]), offset: receipt.offset, kind: 'normal' })
  },

  'no value, no bytes, no key and an empty key stay what they are': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, '', { value: null }), kit.draft(topic, '', { value: new Uint8Array() }), kit.draft(topic, 'x', { key: '' }), kit.draft(topic, 'y', { key: null }))
    const taken = (await member.take(4)).map(({ message }) => message)
    assert.equal(taken[0]?.value, null)
    assert.equal(taken[1]?.value?.byteLength, 0)
    assert.deepEqual([taken[2]?.key, taken[3]?.key], ['', null])
  },

  'a key whose bytes are not UTF-8 comes back as it went in': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, 'raw \udcff\udc80 key', 'a')
    assert.equal((await member.takeOne()).message.key, 'raw \udcff\udc80 key')
  },

  'one bad draft does not fail its neighbours': async (kit) => {
    const topic = await kit.topic({ maxMessageBytes: 100 })
    const answers = await kit.engine.publish([
      kit.draft(topic, 'a'), kit.draft('nowhere', 'b'), kit.draft(topic, 'x'.repeat(101)), kit.draft(topic, 'c', { partition: 1 }), kit.draft(topic, 'd'), kit.draft(topic, 'e', { id: '' }), kit.draft(topic, 'f'),
    ])
    assert.equal(answers.length, 7)
    refused('UNKNOWN_TOPIC', answers[1] ?? assert.fail())
    refused('TOO_LARGE', answers[2] ?? assert.fail())
    refused('INVALID', answers[3] ?? assert.fail())
    refused('INVALID', answers[5] ?? assert.fail())
    receipts([answers[0] ?? assert.fail(), answers[4] ?? assert.fail(), answers[6] ?? assert.fail()])
    assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'd', 'f'])
  },

  'drafts of one call and one partition keep their order': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const values = Array.from({ length: 50 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value, index) => kit.draft(topic, value, { partition: index % 2 })))
    for (const partition of [0, 1]) {
      assert.deepEqual(textsOf(await kit.log(topic, { partition })), values.filter((_, index) => index % 2 === partition))
    }
  },

  'offsets of a partition are unique and grow from call to call': async (kit) => {
    const topic = await kit.topic()
    const sent = [...(await kit.publish(topic, null, 'a', 'b')), ...(await kit.publish(topic, null, 'c')), ...(await kit.publish(topic, null, 'd'))]
    for (const [index, { offset }] of sent.entries()) {
      const before = sent[index - 1]?.offset
      assert.ok(offset !== null && (before === undefined || (before !== null && offset > before)), 'each offset is above the one before')
    }
  },

  'every draft that was answered ok is in the log once': async (kit) => {
    const topic = await kit.topic({ partitions: 3 })
    const calls = Array.from({ length: 20 }, (_, call) =>
      kit.send(...Array.from({ length: 10 }, (__, index) => kit.draft(topic, `${call}-${index}`, { partition: index % 3 }))))
    const sent = (await Promise.all(calls)).flat()
    const place = ({ partition, offset, id }: { partition: number; offset: bigint | null; id: string }): string => `${partition}/${offset} ${id}`
    assert.deepEqual((await kit.log(topic)).map(place).sort(), sent.map(place).sort())
  },

  'no drafts have no answers': async (kit) => {
    assert.deepEqual(await kit.engine.publish([]), [])
  },

  'two messages with one id are two messages': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'a', { id: 'same' }), kit.draft(topic, 'b', { id: 'same' }))
    assert.deepEqual(texts(await member.gets('a', 'b')), ['a', 'b'])
  },

  'a durability that the engine meets is met, and any other is refused': async (kit) => {
    const topic = await kit.topic()
    for (const level of ['memory', 'os', 'fsync', 'replicated'] satisfies Durability[]) {
      const draft = kit.draft(topic, level)
      if (kit.traits.durability.includes(level)) assert.ok((await kit.sendOne(draft, level)).survives.includes(level), `the receipt says ${level}`)
      else await refuses('UNSUPPORTED', kit.engine.publish([draft], level))
    }
    const stored = textsOf(await kit.log(topic))
    assert.deepEqual(stored.sort(), [...kit.traits.durability].sort(), 'only what was met is stored')
  },

  "a topic's durability is what its messages survive, and one the engine cannot meet is refused": async (kit) => {
    for (const level of ['memory', 'os', 'fsync', 'replicated'] satisfies Durability[]) {
      if (kit.traits.durability.includes(level)) {
        const topic = await kit.topic({ durability: level })
        assert.ok((await kit.sendOne(kit.draft(topic, 'a'))).survives.includes(level))
      } else {
        await refuses('UNSUPPORTED', kit.topic({ durability: level }))
      }
    }
  },
})
