import assert from 'node:assert/strict'
import type { ErrorCode } from '../../core/errors.js'
import { limits as bounds } from '../../core/limits.js'
import type { Draft } from '../../core/message.js'
import { about } from '../case.js'
import { refuses } from '../kit.js'
import { bytes } from '../text.js'

export const limits = about('limits', {
  'a message of exactly the allowed size is taken, a byte more is refused': async (kit) => {
    const topic = await kit.topic({ maxMessageBytes: 1_000 })
    const member = await kit.member(topic, 'g')
    const fits = kit.draft(topic, 'x'.repeat(990), { key: 'kkkk', headers: [['hh', bytes('1234')]] })
    await kit.send(fits)
    await kit.refusesDraft('TOO_LARGE', { ...fits, value: bytes('x'.repeat(991)) })
    await kit.refusesDraft('TOO_LARGE', { ...fits, key: 'kkkkk' })
    await kit.refusesDraft('TOO_LARGE', { ...fits, headers: [['hhh', bytes('1234')]] })
    await member.take(1)
    await member.getsNothing()
  },

  "a topic's allowed size can be changed": async (kit) => {
    const topic = await kit.topic({ maxMessageBytes: 10 })
    await kit.refusesDraft('TOO_LARGE', kit.draft(topic, 'more than ten bytes'))
    await kit.engine.topics.alter(topic, { maxMessageBytes: 100 })
    await kit.send(kit.draft(topic, 'more than ten bytes'))
  },

  'a held draft that is too large is refused too': async (kit) => {
    const topic = await kit.topic({ maxMessageBytes: 10 })
    await kit.refusesDraft('TOO_LARGE', kit.draft(topic, 'more than ten bytes', { hold: kit.delay(1_000) }))
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a draft with a wrong id, key, partition, header count or hold is refused': async (kit) => {
    const topic = await kit.topic()
    const wrong: readonly Partial<Draft>[] = [
      { id: '' }, { id: 'x'.repeat(bounds.maxIdChars + 1) }, { id: 'line\nbreak' },
      { key: 'k'.repeat(bounds.maxKeyBytes + 1) },
      { partition: 1 }, { partition: -1 }, { partition: 0.5 },
      { headers: Array.from({ length: bounds.maxHeaders + 1 }, () => ['h', bytes('1')] as const) },
      { hold: { why: 'retry', until: kit.in(1_000), then: 'release', group: 'g', attempt: 1 } },
    ]
    for (const change of wrong) await kit.refusesDraft('INVALID', { ...kit.draft(topic, 'a'), ...change })
    assert.deepEqual([await kit.log(topic), await kit.held({ topic })], [[], []])
  },

  'the largest key, id and number of headers are taken': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const draft = kit.draft(topic, 'a', {
      id: 'i'.repeat(bounds.maxIdChars), key: 'k'.repeat(bounds.maxKeyBytes),
      headers: Array.from({ length: bounds.maxHeaders }, (_, index) => [`h${index}`, bytes('1')] as const),
    })
    await kit.send(draft)
    const { message } = await member.getsOne('a')
    assert.deepEqual([message.id, message.key, message.headers.length], [draft.id, draft.key, bounds.maxHeaders])
  },

  'more than a batch in one call is refused whole': async (kit) => {
    const topic = await kit.topic()
    const many = Array.from({ length: bounds.maxBatch + 1 }, () => kit.draft(topic, 'a'))
    await refuses('INVALID', kit.engine.publish(many))
    assert.deepEqual(await kit.log(topic), [])
    await refuses('INVALID', kit.engine.decide(many.map(() => ({ hold: 'none', to: 'drop' as const }))))
  },

  'a lease and a page ask for a number within their limits': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    for (const max of [0, -1, 0.5, bounds.maxLease + 1]) await refuses('INVALID', member.lease(max))
    for (const limit of [0, -1, 0.5, bounds.maxPage + 1]) {
      await refuses('INVALID', kit.engine.holds({ limit }))
      await refuses('INVALID', kit.engine.browse({ topic, from: 'start', limit }))
    }
  },

  'names and numbers that make no sense are refused': async (kit) => {
    const topic = await kit.topic()
    const wrong: readonly [ErrorCode, Promise<unknown>][] = [
      ['INVALID', kit.topic({ name: '' })], ['INVALID', kit.topic({ name: 'with space' })], ['INVALID', kit.topic({ name: '.hidden' })], ['INVALID', kit.topic({ name: 'n'.repeat(201) })],
      ['INVALID', kit.topic({ partitions: 0 })], ['INVALID', kit.topic({ partitions: bounds.maxPartitions + 1 })], ['INVALID', kit.topic({ maxMessageBytes: 0 })], ['INVALID', kit.topic({ keep: { ageMs: -1 } })],
      ['INVALID', kit.member(topic, 'no/group')], ['INVALID', kit.member(topic, 'g', { member: '' })], ['INVALID', kit.member(topic, 'g', { maxDeliveries: 0 })], ['INVALID', kit.engine.groups.create(topic, '', 'start')],
    ]
    for (const [code, promise] of wrong) await refuses(code, promise)
    assert.deepEqual((await kit.engine.topics.list()).map(({ name }) => name), [topic])
  },
})
