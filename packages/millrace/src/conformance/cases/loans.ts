import assert from 'node:assert/strict'
import type { HoldId } from '../../core/hold.js'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import type { Member } from '../member.js'
import { needs } from '../needs.js'

interface Loan {
  readonly topic: string
  readonly member: Member
  readonly hold: HoldId
}

/** One message, lent by a member of group g with token 't'. */
async function lent(kit: Kit, { inMs = 10_000, engine = kit.engine } = {}): Promise<Loan> {
  const topic = await kit.topic()
  await kit.keeper()
  const member = await kit.member(topic, 'g', { engine })
  await kit.publish(topic, 'k', 'a')
  return { topic, member, hold: await member.lend(await member.getsOne('a'), 't', inMs) }
}

export const loans = about('loans', {
  'a lent message is delivered to nobody else and is listed as lent': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await member.getsNothing(5_000)
    const held = await kit.heldOne({ topic, why: 'lent' })
    assert.deepEqual([held.id, held.hold.group, held.hold.attempt, held.message.key], [hold, 'g', 1, 'k'])
    assert.equal((await kit.position(topic, 'g')).lag, 0, 'it is held, not read by the member any more')
  },

  'a loan acknowledged with its token is finished, and a second answer finds nothing': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await kit.decide({ hold, token: 't', to: 'drop' })
    assert.equal(await kit.decided({ hold, token: 't', to: 'drop' }), 'gone')
    assert.equal(await kit.decided({ hold, token: 't', to: 'release' }), 'gone')
    await member.getsNothing(30_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a loan is not ended by a wrong token or by none': async (kit) => {
    const { topic, hold } = await lent(kit)
    assert.equal(await kit.decided({ hold, token: 'wrong', to: 'drop' }), 'gone')
    assert.equal(await kit.decided({ hold, to: 'drop' }), 'gone')
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    assert.equal(await kit.decided({ hold, token: 'wrong', to: 'hold', anew: { why: 'lent', until: kit.in(99_000), then: 'release', group: 'g', attempt: 1, token: 'wrong' } }), 'gone')
    assert.equal((await kit.heldOne({ topic })).hold.why, 'lent')
    await kit.decide({ hold, token: 't', to: 'drop' })
  },

  'a loan refused with its token comes back at once, counted': async (kit) => {
    const { member, hold } = await lent(kit)
    await kit.decide({ hold, token: 't', to: 'release' })
    assert.equal((await member.getsOne('a')).attempt, 2)
    await member.getsNothing(30_000)
  },

  'a loan held anew for no time, with one attempt less, comes back uncounted and before the later ones of its key': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await kit.publish(topic, 'k', 'b')
    const { hold: loan } = await kit.heldOne({ topic })
    await kit.decide({ hold, token: 't', to: 'hold', anew: { ...loan, token: 'another', until: kit.wall(), attempt: loan.attempt - 1 } })
    const again = await member.getsOne('a')
    assert.equal(again.attempt, 1)
    await member.done(again)
    await member.finishesEach('b')
  },

  'a loan whose time is over comes back, counted, and its token is worth nothing': async (kit) => {
    const { member, hold } = await lent(kit, { inMs: 5_000 })
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    const again = await member.getsOne('a')
    assert.equal(again.attempt, 2)
    assert.equal(await kit.decided({ hold, token: 't', to: 'drop' }), 'gone')
    await member.done(again)
  },

  'a loan that is extended lasts until its new time': async (kit) => {
    const { topic, member, hold } = await lent(kit, { inMs: 5_000 })
    const { hold: loan } = await kit.heldOne({ topic })
    await kit.decide({ hold, token: 't', to: 'hold', anew: { ...loan, token: 't', until: kit.in(20_000) } })
    await member.getsNothing(15_000)
    await kit.pass(5_000)
    assert.equal((await member.getsOne('a')).attempt, 2)
  },

  'a loan can become a retry or a dead letter': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    const { hold: loan } = await kit.heldOne({ topic })
    const failure = { reason: 'no', kind: 'Nack', firstAt: kit.wall(), lastAt: kit.wall() }
    await kit.decide({ hold, token: 't', to: 'hold', anew: { why: 'retry', until: kit.in(3_000), then: 'release', group: 'g', attempt: loan.attempt, failure } })
    await kit.pass(3_000)
    const again = await member.getsOne('a')
    assert.deepEqual([again.attempt, again.failure?.kind], [2, 'Nack'])

    const second = await member.lend(again, 't2', 10_000)
    await kit.decide({ hold: second, token: 't2', to: 'hold', anew: { why: 'dead', until: 'decided', then: 'release', group: 'g', attempt: 2, failure } })
    const dead = await kit.heldOne({ topic, why: 'dead' })
    assert.deepEqual([dead.hold.failure?.kind, dead.hold.attempt], ['Nack', 2])
    await member.getsNothing(30_000)
  },

  'a loan may be ended by any instance': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    const other = await kit.another()
    await kit.decide({ hold, token: 't', to: 'drop' }, other.engine)
    await member.getsNothing(20_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a loan outlives the instance that lent it': async (kit) => {
    const doomed = await kit.another()
    const { topic, hold } = await lent(kit, { engine: doomed.engine, inMs: 25_000 })
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    await member.getsNothing(10_000)
    await kit.decide({ hold, token: 't', to: 'drop' })
    await member.getsNothing(25_000)
  },

  'later messages of a key wait for the one that is lent, other keys and keyless ones do not': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await kit.send(kit.draft(topic, 'b', { key: 'k' }), kit.draft(topic, 'other', { key: 'o' }), kit.draft(topic, 'keyless'), kit.draft(topic, 'c', { key: 'k' }))
    await member.finishes('other', 'keyless')
    await member.getsNothing(2_000)
    await kit.decide({ hold, token: 't', to: 'drop' })
    await member.finishesEach('b', 'c')
    await member.getsNothing()
  },

  'a lent message that comes back stays before the later ones of its key': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await kit.publish(topic, 'k', 'b', 'c')
    await member.getsNothing(2_000)
    await kit.decide({ hold, token: 't', to: 'release' })
    await member.done(await member.getsOne('a'))
    await member.finishesEach('b', 'c')
  },

  'later messages of a key keep their order though those that followed a loan are handed back': async (kit) => {
    const { member, hold } = await lent(kit)
    await kit.publish((await kit.heldOne({ id: hold })).message.topic, 'k', 'b', 'c', 'd')
    await member.getsNothing(2_000)
    await kit.decide({ hold, token: 't', to: 'drop' })
    const [b, c] = await member.gets('b', 'c')
    assert.ok(b && c)
    const second = await member.lend(b, 't', 10_000)
    await member.back(c)
    await member.getsNothing(2_000)
    await kit.decide({ hold: second, token: 't', to: 'drop' })
    await member.finishesEach('c', 'd')
  },

  'what a loan became is not ended by its token': async (kit) => {
    const { topic, hold } = await lent(kit)
    await kit.decide({ hold, token: 't', to: 'hold', anew: { why: 'dead', until: 'decided', then: 'release', group: 'g', attempt: 1 } })
    for (const to of ['drop', 'release'] as const) assert.equal(await kit.decided({ hold, token: 't', to }), 'gone')
    assert.equal((await kit.heldOne({ topic })).hold.why, 'dead')
  },

  'later messages of a key follow when the loan becomes a dead letter': async (kit) => {
    const { topic, member, hold } = await lent(kit)
    await kit.publish(topic, 'k', 'b', 'c')
    await member.getsNothing(2_000)
    await kit.decide({ hold, token: 't', to: 'hold', anew: { why: 'dead', until: 'decided', then: 'release', group: 'g', attempt: 1 } })
    await member.finishesEach('b', 'c')
    assert.equal((await kit.held({ topic, why: 'dead' })).length, 1)
  },

  'the other groups never notice a loan': async (kit) => {
    const { topic, hold } = await lent(kit)
    const other = await kit.member(topic, 'other')
    await kit.publish(topic, 'k', 'b')
    await other.finishes('a', 'b')
    await kit.decide({ hold, token: 't', to: 'drop' })
    await other.getsNothing(20_000)
  },
}, needs.lend)
