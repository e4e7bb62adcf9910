import assert from 'node:assert/strict'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import type { Member } from '../member.js'
import { needs } from '../needs.js'

/** A group that parks, with the first message of key k held for retry and b behind it. */
async function parked(kit: Kit, inMs = 20_000): Promise<{ topic: string; member: Member; hold: string }> {
  const topic = await kit.topic()
  await kit.keeper()
  const member = await kit.member(topic, 'g', { park: true })
  await kit.publish(topic, 'k', 'a')
  const hold = await member.retry(await member.getsOne('a'), inMs)
  await kit.publish(topic, 'k', 'b')
  return { topic, member, hold }
}

export const park = about('park', {
  'later messages of a key wait while one is held for retry, other keys do not': async (kit) => {
    const { topic, member } = await parked(kit)
    await kit.send(kit.draft(topic, 'other', { key: 'o' }), kit.draft(topic, 'c', { key: 'k' }))
    await member.finishes('other')
    await member.getsNothing(5_000)
  },

  'what waited follows in order when the retried one is done': async (kit) => {
    const { topic, member } = await parked(kit, 5_000)
    await kit.publish(topic, 'k', 'c')
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    const again = await member.getsOne('a')
    assert.equal(again.attempt, 2)
    await member.done(again)
    await member.finishesEach('b', 'c')
  },

  'what waited goes on waiting when the retried one fails again': async (kit) => {
    const { member } = await parked(kit, 5_000)
    await kit.pass(5_000)
    await member.retry(await member.getsOne('a'), 5_000)
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    const again = await member.getsOne('a')
    assert.equal(again.attempt, 3)
    await member.done(again)
    await member.finishes('b')
  },

  'what waited follows when the retried one becomes a dead letter': async (kit) => {
    const { topic, member } = await parked(kit, 5_000)
    await kit.pass(5_000)
    await member.dead(await member.getsOne('a'))
    await member.finishes('b')
    assert.equal((await kit.held({ topic, why: 'dead' })).length, 1)
  },

  'what waited follows when the retry is dropped': async (kit) => {
    const { member, hold } = await parked(kit)
    await member.getsNothing()
    await kit.decide({ hold, to: 'drop' })
    await member.finishes('b')
  },

  'messages without a key never wait': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { park: true })
    await kit.publish(topic, null, 'a', 'b')
    await member.retry(await member.takeOne(), 20_000)
    await member.finishes('b')
  },

  'a later message of the key that was out already waits too once it is handed back': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { park: true })
    await kit.publish(topic, 'k', 'a', 'b', 'c')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    await member.retry(a ?? assert.fail(), 5_000)
    await member.back(c ?? assert.fail(), b ?? assert.fail())
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    await member.finishes('a')
    await member.finishesEach('b', 'c')
  },

  'what was handed back comes before the log, however many of a held key stand before it': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { park: true })
    await kit.send(...[['k', 'a'], ['k', 'b'], ['o', 'c']].map(([key, value]) => kit.draft(topic, value ?? '', { key: key ?? null })))
    await member.back(...(await member.gets('a', 'b', 'c')))
    await kit.publish(topic, 'o', 'd')
    await member.retry(await member.getsOne('a'), 20_000)
    await member.finishesEach('c', 'd')
  },

  'a message that waits to be had again waits too when an earlier one of its key is held': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { park: true })
    await kit.publish(topic, 'k', 'a', 'b')
    await member.back(...(await member.gets('a', 'b')))
    await member.retry(await member.getsOne('a'), 5_000)
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    await member.finishesEach('a', 'b')
    await member.getsNothing()
  },

  'what waits keeps its order in whatever order it was handed back': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { park: true })
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await kit.publish(topic, 'k', ...values)
    const taken = await member.gets(...values)
    await member.retry(taken[0] ?? assert.fail(), 5_000)
    for (const index of [4, 2, 7, 1, 6, 3, 5]) await member.back(taken[index] ?? assert.fail())
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    await member.finishesEach(...values)
  },

  'of two messages of a key that are held each lets go only what is before the next': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { park: true })
    await kit.publish(topic, 'k', 'a', 'b', 'c')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    await member.retry(c ?? assert.fail(), 20_000)
    await member.retry(a ?? assert.fail(), 5_000)
    await member.back(b ?? assert.fail())
    await kit.publish(topic, 'k', 'd')
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    await member.finishesEach('a', 'b')
    await member.getsNothing(5_000)
    await kit.pass(10_000)
    await member.finishesEach('c', 'd')
    await member.getsNothing(5_000)
  },

  'what waits does not hold the watermark back': async (kit) => {
    const { topic, member } = await parked(kit, 600_000)
    await member.getsNothing()
    const [c] = await kit.publish(topic, 'o', 'c')
    await member.finishes('c')
    await kit.until('the watermark passes all', async () => (await kit.position(topic, 'g')).watermark > (c?.offset ?? assert.fail()))
  },

  'what waits goes to the next owner when its member leaves': async (kit) => {
    const { topic, member } = await parked(kit, 8_000)
    await member.getsNothing()
    await member.leave()
    const next = await kit.member(topic, 'g', { park: true })
    await next.getsNothing(4_000)
    await kit.pass(4_000)
    await next.finishes('a')
    await next.finishes('b')
  },

  'a move back lets go of what waits: everything comes once': async (kit) => {
    const { topic, member } = await parked(kit)
    await member.getsNothing()
    await kit.engine.groups.seek(topic, 'g', 'start')
    await member.finishesEach('a', 'b')
    await member.getsNothing(30_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'after a move past the retried message the later ones of its key still wait for it': async (kit) => {
    const { topic, member, hold } = await parked(kit)
    const [, b] = await kit.log(topic)
    await member.getsNothing()
    await kit.engine.groups.seek(topic, 'g', { offset: b?.offset ?? assert.fail() })
    await member.getsNothing()
    await kit.decide({ hold, to: 'release' })
    await member.finishesEach('a', 'b')
    await member.getsNothing()
  },

  'the other groups never notice that one parks': async (kit) => {
    const { topic } = await parked(kit)
    await (await kit.member(topic, 'other')).finishes('a', 'b')
  },
}, needs.park)
