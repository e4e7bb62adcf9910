import assert from 'node:assert/strict'
import { about } from '../case.js'
import { bytes, text, textsOf } from '../text.js'

export const deadLetters = about('dead letters', {
  // Loss path 2 and 4.
  'a dead letter is one entry with its message, its attempts and why it failed': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const draft = kit.draft(topic, 'a', { key: 'k', headers: [['h', bytes('1')], ['h', bytes('2')]], producerId: 'ann' })
    const { offset } = await kit.sendOne(draft)
    for (let attempt = 1; attempt < 3; attempt += 1) {
      await member.retry(await member.getsOne('a'), 1_000)
      await kit.pass(1_000)
    }
    const delivery = await member.getsOne('a')
    const failure = { reason: 'not a word', kind: 'SCHEMA', stack: 'at line 1', firstAt: kit.wall() - 5_000, lastAt: kit.wall() }
    await member.hold(delivery, { ...member.dying(delivery), failure })
    await member.getsNothing(30_000)
    const { hold, message } = await kit.heldOne({ topic })
    assert.deepEqual([hold.why, hold.until, hold.group, hold.attempt, hold.failure], ['dead', 'decided', 'g', 3, failure])
    assert.deepEqual([message.id, message.key, message.offset, message.producerId, message.timestamp, text(message.value)], [draft.id, 'k', offset, 'ann', draft.timestamp, 'a'])
    assert.deepEqual(message.headers.map(([name, value]) => [name, text(value)]), [['h', '1'], ['h', '2']])
  },

  'the other groups get what one has dead-lettered': async (kit) => {
    const topic = await kit.topic()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, null, 'a')
    await one.dead(await one.getsOne('a'))
    await other.finishes('a')
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'], 'the original is intact')
  },

  'a dead letter waits for as long as it takes': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await member.dead(await member.getsOne('a'))
    await kit.jumpWall(10 * 365 * 24 * 3_600_000)
    await member.getsNothing(20_000)
    assert.equal((await kit.heldOne({ topic })).hold.why, 'dead')
  },

  'a dead letter pins nothing: the watermark passes it': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const [a] = await kit.publish(topic, null, 'a')
    await member.dead(await member.getsOne('a'))
    await kit.until('the watermark passes it', async () => {
      const { watermark, lag } = await kit.position(topic, 'g')
      return lag === 0 && watermark > (a?.offset ?? assert.fail())
    })
  },

  'a redriven dead letter goes to its group, with its attempts counted anew and its failure visible': async (kit) => {
    const topic = await kit.topic()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, 'k', 'a')
    await other.finishes('a')
    const first = await one.getsOne('a')
    await kit.decide({ hold: await one.dead(first, 'broken', 'TypeError'), to: 'release' })
    const again = await one.getsOne('a')
    assert.deepEqual([again.message.id, again.message.key, again.message.offset, again.attempt, again.alone], [first.message.id, 'k', first.message.offset, 1, false])
    assert.deepEqual([again.failure?.reason, again.failure?.kind], ['broken', 'TypeError'])
    await one.done(again)
    await one.getsNothing()
    await other.getsNothing()
    assert.deepEqual(await kit.held({ topic }), [])
    assert.equal((await kit.log(topic)).length, 1, 'nothing was appended')
  },

  'a dead letter redriven twice comes once': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.dead(await member.getsOne('a'))
    await kit.decide({ hold, to: 'release' })
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    await member.finishes('a')
    await member.getsNothing(5_000)
  },

  'a dead letter may be edited as it is redriven': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'wrong', { key: 'k', headers: [['h', bytes('1')]] }))
    const hold = await member.dead(await member.getsOne('wrong'))
    await kit.decide({ hold, to: 'release', edit: { value: bytes('right'), headers: [['fixed-by', bytes('ann')]] } })
    const { message } = await member.getsOne('right')
    assert.deepEqual([message.id, message.key, message.headers.map(([name, value]) => [name, text(value)])], [id, 'k', [['fixed-by', 'ann']]])
    assert.deepEqual(textsOf(await kit.log(topic)), ['wrong'], 'the log is as it was')
  },

  'a dead letter may be edited where it lies, and be redriven later': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'wrong')
    const hold = await member.dead(await member.getsOne('wrong'))
    const { hold: before } = await kit.heldOne({ topic })
    await kit.decide({ hold, to: 'hold', anew: before, edit: { value: bytes('right') } })
    await member.getsNothing()
    const held = await kit.heldOne({ topic })
    assert.deepEqual([text(held.message.value), held.hold.why, held.hold.failure?.reason], ['right', 'dead', 'broken'])
    await kit.decide({ hold, to: 'release' })
    await member.finishes('right')
  },

  'a purged dead letter is gone': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.dead(await member.getsOne('a'))
    await kit.decide({ hold, to: 'drop' })
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    assert.deepEqual(await kit.held({ topic }), [])
    await member.getsNothing(5_000)
  },

  'a redriven message that fails again is one dead letter again': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    for (let round = 0; round < 3; round += 1) {
      const hold = await member.dead(await member.getsOne('a'), `round ${round}`)
      assert.equal((await kit.heldOne({ topic })).hold.failure?.reason, `round ${round}`)
      await kit.decide({ hold, to: 'release' })
    }
    await member.finishes('a')
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a redriven message whose owner dies is not lost': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a')
    await kit.decide({ hold: await dying.dead(await dying.getsOne('a')), to: 'release' })
    await dying.getsOne('a')
    await doomed.kill()
    const { attempt, alone } = await (await kit.member(topic, 'g')).getsOne('a')
    assert.deepEqual([attempt, alone], [2, true])
  },

  'a message that is dead-lettered again after a replay is one dead letter': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await member.dead(await member.getsOne('a'), 'first')
    await kit.engine.groups.seek(topic, 'g', 'start')
    await member.dead(await member.getsOne('a'), 'second')
    assert.equal((await kit.heldOne({ topic })).hold.failure?.reason, 'second')
  },

  // Loss path 5.
  'ten slow messages do not stall dead-lettering': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, ...Array.from({ length: 11 }, (_, index) => `v${index}`))
    const taken = await member.take(11)
    await member.dead(taken[10] ?? assert.fail())
    assert.equal(text((await kit.heldOne({ topic, why: 'dead' })).message.value), 'v10')
    await member.done(...taken.slice(0, 10))
  },

  // Loss path 20.
  'one broken message does not strand the batch it came in': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const values = Array.from({ length: 10 }, (_, index) => `v${index}`)
    await kit.publish(topic, null, ...values)
    const taken = await member.gets(...values)
    const outcomes = await member.settle(...taken.map((delivery, index) => (index === 4 ? { delivery, is: 'hold' as const, hold: member.dying(delivery) } : { delivery, is: 'done' as const })))
    assert.deepEqual(outcomes, values.map(() => 'settled'))
    await member.getsNothing()
    assert.deepEqual(textsOf((await kit.held({ topic })).map(({ message }) => message)), ['v4'])
    await kit.until('the group is at the end', async () => (await kit.position(topic, 'g')).lag === 0)
  },

  // Loss path 3.
  'a message whose dead letter was not stored is not finished': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a')
    const delivery = await dying.getsOne('a')
    await doomed.kill()
    const outcome = await dying.settle({ delivery, is: 'hold', hold: dying.dying(delivery) }).catch(() => ['lapsed'])
    assert.notEqual(outcome[0], 'settled')
    const member = await kit.member(topic, 'g')
    const again = await member.getsOne('a')
    assert.deepEqual(await kit.held({ topic }), [])
    await member.dead(again)
    assert.equal((await kit.held({ topic })).length, 1)
  },
})
