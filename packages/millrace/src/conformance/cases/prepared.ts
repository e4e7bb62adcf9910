import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import type { Held, Stir } from '../../engine/engine.js'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import type { Member } from '../member.js'
import { needs } from '../needs.js'
import { text } from '../text.js'

type Answer = 'commit' | 'rollback' | 'unknown'
type PreparedOptions = Parameters<Kit['prepared']>[0]

/** A prepared message and a member that must not see it yet. */
async function prepare(kit: Kit, options: PreparedOptions = {}): Promise<{ topic: string; member: Member; hold: string }> {
  const topic = await kit.topic()
  const member = await kit.member(topic, 'g')
  const { id, offset } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.prepared(options) }))
  assert.equal(offset, null)
  return { topic, member, hold: messageHold(topic, id) }
}

/** A checker that answers from a list, the last answer for ever, and remembers what it was asked. */
function checker(...answers: readonly Answer[]): { check: (held: Held) => Promise<Answer>; asked: Held[] } {
  const asked: Held[] = []
  return {
    asked,
    check: async (held) => {
      asked.push(held)
      return answers[Math.min(asked.length, answers.length) - 1] ?? 'unknown'
    },
  }
}

export const prepared = about('prepared', {
  'a prepared message is not to be read': async (kit) => {
    const { topic, member } = await prepare(kit)
    await kit.keeper()
    await member.getsNothing(20_000)
    assert.deepEqual(await kit.log(topic), [])
    assert.equal((await kit.heldOne({ topic })).hold.why, 'prepared')
  },

  'a committed message is delivered to every group, once': async (kit) => {
    const { topic, member, hold } = await prepare(kit)
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check })
    await kit.decide({ hold, to: 'release' })
    const delivery = await member.getsOne('a')
    assert.deepEqual([delivery.message.kind, delivery.attempt], ['transaction', 1])
    await member.done(delivery)
    await (await kit.member(topic, 'other')).finishes('a')
    await member.getsNothing(20_000)
    assert.deepEqual(asked, [], 'who has answered is not asked')
  },

  'a rolled-back message is never delivered and not asked about': async (kit) => {
    const { topic, member, hold } = await prepare(kit)
    const { check, asked } = checker('commit')
    await kit.decide({ hold, to: 'drop' })
    await kit.keeper({ billing: check })
    await member.getsNothing(30_000)
    assert.deepEqual(asked, [])
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'what was decided first stands: a rollback after a commit is gone': async (kit) => {
    const { member, hold } = await prepare(kit)
    await kit.decide({ hold, to: 'release' })
    assert.equal(await kit.decided({ hold, to: 'drop' }), 'gone')
    await member.finishes('a')
  },

  'what was decided first stands: a commit after a rollback is gone': async (kit) => {
    const { topic, member, hold } = await prepare(kit)
    await kit.decide({ hold, to: 'drop' })
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    await member.getsNothing(5_000)
    assert.deepEqual(await kit.log(topic), [])
  },

  'silence makes a keeper ask, and a commit releases': async (kit) => {
    const { topic, member, hold } = await prepare(kit, { afterMs: 6_000 })
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check })
    await kit.pass(5_000)
    assert.equal(asked.length, 0, 'not before its time')
    await kit.pass(1_000)
    const { message } = await member.getsOne('a')
    assert.equal(message.kind, 'transaction')
    const [held] = asked
    assert.deepEqual([held?.id, held?.message.topic, text(held?.message.value ?? null)], [hold, topic, 'a'])
  },

  'silence makes a keeper ask, and a rollback drops': async (kit) => {
    const { topic, member } = await prepare(kit)
    const { check, asked } = checker('rollback')
    await kit.keeper({ billing: check })
    await kit.until('it is dropped', async () => (await kit.held({ topic })).length === 0)
    await member.getsNothing(20_000)
    assert.equal(asked.length, 1)
  },

  'who does not know yet is asked again, after the time between two questions': async (kit) => {
    const { member } = await prepare(kit, { afterMs: 2_000, everyMs: 5_000, checks: 5 })
    const { check, asked } = checker('unknown', 'unknown', 'commit')
    await kit.keeper({ billing: check })
    await kit.pass(2_000)
    await kit.until('the first question', () => asked.length === 1)
    await kit.pass(3_000)
    assert.equal(asked.length, 1)
    await member.finishes('a')
    assert.equal(asked.length, 3)
  },

  'a checker that throws does not know': async (kit) => {
    const { member } = await prepare(kit, { afterMs: 1_000, everyMs: 2_000 })
    let asked = 0
    await kit.keeper({
      billing: async () => {
        asked += 1
        if (asked === 1) throw new Error('the database is away')
        return 'commit'
      },
    })
    await member.finishes('a')
    assert.equal(asked, 2)
  },

  // Loss path 18.
  'when all questions are used up a message is parked, rung for and never lost': async (kit) => {
    const { topic, member, hold } = await prepare(kit, { afterMs: 1_000, everyMs: 1_000, checks: 2 })
    const stirs: Stir[] = []
    kit.engine.watch((stir) => stirs.push(stir))
    const { check, asked } = checker('unknown')
    await kit.keeper({ billing: check })
    await kit.until('it is parked', async () => (await kit.heldOne({ topic })).hold.until === 'decided')
    await kit.until('parked is rung', () => stirs.some(({ what }) => what === 'parked'))
    await member.getsNothing(30_000)
    assert.equal(asked.length, 2)
    assert.equal((await kit.heldOne({ topic })).hold.why, 'prepared')
    await kit.decide({ hold, to: 'release' })
    await member.finishes('a')
  },

  // Loss path 18.
  'a message that nobody answers for is parked at its time, by any keeper': async (kit) => {
    const { topic, member } = await prepare(kit, { ask: 'nobody', afterMs: 1_000, parkInMs: 10_000 })
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check })
    await kit.pass(9_000)
    assert.notEqual((await kit.heldOne({ topic })).hold.until, 'decided')
    await kit.pass(1_000)
    await kit.until('it is parked', async () => (await kit.heldOne({ topic })).hold.until === 'decided')
    await member.getsNothing(10_000)
    assert.deepEqual(asked, [], 'another producer group is not asked')
  },

  // Loss path 18.
  'when the producer has died another instance of its producer group is asked': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const doomed = await kit.another()
    const gone = checker('rollback')
    await kit.keeper({ billing: gone.check }, doomed.engine)
    await doomed.engine.publish([kit.draft(topic, 'a', { hold: kit.prepared({ afterMs: 5_000 }) })])
    await doomed.kill()
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check }, (await kit.another()).engine)
    await member.finishes('a')
    assert.deepEqual([asked.length, gone.asked.length], [1, 0])
  },

  'who comes to answer for a producer group late is asked about what has waited': async (kit) => {
    const { topic, member } = await prepare(kit, { afterMs: 1_000, parkInMs: 600_000 })
    await kit.keeper()
    await member.getsNothing(20_000)
    assert.notEqual((await kit.heldOne({ topic })).hold.until, 'decided')
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check }, (await kit.another()).engine)
    await member.finishes('a')
    assert.equal(asked.length, 1)
  },

  'a keeper stops after the question that is open': async (kit) => {
    const { member } = await prepare(kit, { afterMs: 1_000 })
    let answer: (answer: Answer) => void = () => assert.fail('not asked')
    let asked = 0
    const keeping = await kit.keeper({
      billing: () => {
        asked += 1
        return new Promise((resolve) => (answer = resolve))
      },
    })
    await kit.until('the question', () => asked > 0)
    const stopped = keeping.stop()
    answer('commit')
    await kit.comes(stopped)
    await member.finishes('a')
  },

  'of many prepared messages each is asked about once': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const { check, asked } = checker('commit')
    await kit.keeper({ billing: check })
    const values = Array.from({ length: 200 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value) => kit.draft(topic, value, { hold: kit.prepared({ afterMs: 2_000 }) })))
    await kit.pass(2_000)
    await member.done(...(await member.getsInAnyOrder(...values)))
    assert.equal(asked.length, values.length)
    assert.equal(new Set(asked.map(({ id }) => id)).size, values.length)
  },

  'two instances that answer for one producer group are not both asked': async (kit) => {
    const { member } = await prepare(kit, { afterMs: 2_000, everyMs: 60_000 })
    const [one, other] = [checker('unknown'), checker('unknown')]
    await kit.keeper({ billing: one.check })
    await kit.keeper({ billing: other.check }, (await kit.another()).engine)
    await member.getsNothing(10_000)
    assert.equal(one.asked.length + other.asked.length, 1)
  },

  'a decision while the question is open stands, whatever is answered then': async (kit) => {
    const { topic, member, hold } = await prepare(kit, { afterMs: 1_000 })
    let answer: (answer: Answer) => void = () => undefined
    let asked = 0
    await kit.keeper({
      billing: () => {
        asked += 1
        return new Promise((resolve) => (answer = resolve))
      },
    })
    await kit.until('the question', () => asked > 0)
    await kit.decide({ hold, to: 'release' })
    answer('rollback')
    await member.finishes('a')
    await member.getsNothing(5_000)
    assert.equal((await kit.log(topic)).length, 1)
  },

  // Loss path 16.
  'a message that is committed late is not skipped by a group that has read on': async (kit) => {
    const { topic, member, hold } = await prepare(kit)
    await kit.publish(topic, null, 'b', 'c')
    await member.finishes('b', 'c')
    await kit.decide({ hold, to: 'release' })
    await kit.publish(topic, null, 'd')
    await member.finishes('a', 'd')
  },
}, needs.prepared)
