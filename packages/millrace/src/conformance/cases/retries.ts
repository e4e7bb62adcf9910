import assert from 'node:assert/strict'
import { about } from '../case.js'
import { bytes, text } from '../text.js'

export const retries = about('retries', {
  'a message held for retry comes back when its time has come, with its attempts counted and its failure': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const draft = kit.draft(topic, 'a', { key: 'k', headers: [['h', bytes('1')]] })
    await kit.send(draft)
    const first = await member.getsOne('a')
    await member.retry(first, 5_000)
    await member.getsNothing(4_000)
    await kit.pass(1_000)
    const { message, attempt, alone, failure } = await member.getsOne('a')
    assert.deepEqual([message.id, message.key, message.offset, message.kind, attempt, alone], [draft.id, 'k', first.message.offset, 'normal', 2, false])
    assert.deepEqual([failure?.reason, failure?.kind], ['not yet', 'Busy'])
    assert.deepEqual(message.headers.map(([name, value]) => [name, text(value)]), [['h', '1']])
  },

  'a retry goes to its group only: the others never notice': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, 'k', 'a')
    await other.finishes('a')
    await one.retry(await one.getsOne('a'), 2_000)
    await other.getsNothing(5_000)
    await one.finishes('a')
    await other.getsNothing(5_000)
    assert.equal((await kit.log(topic)).length, 1)
  },

  'attempts grow from retry to retry, and a retry that is done is over': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g', { maxDeliveries: 2 })
    await kit.publish(topic, null, 'a')
    for (const attempt of [1, 2, 3, 4]) {
      const delivery = await member.getsOne('a')
      assert.equal(delivery.attempt, attempt)
      await member.retry(delivery, 1_000)
      await kit.pass(1_000)
    }
    await member.finishes('a')
    await member.getsNothing(10_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a retry never ends early': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    const until = kit.in(4_000)
    await member.hold(delivery, member.retrying(delivery, until))
    const at = await kit.until('it comes', async () => (await member.lease()).length > 0 && kit.wall())
    assert.ok(at >= until, `${until - at} ms early`)
  },

  'unless the group parks, later messages of the key pass one that is held for retry': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, 'k', 'a', 'b')
    await member.retry(await member.takeOne(), 20_000)
    await member.finishes('b')
    await kit.pass(20_000)
    await member.finishes('a')
  },

  'a message held for retry does not hold the watermark back': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const [, b] = await kit.publish(topic, null, 'a', 'b')
    const [first, second] = await member.gets('a', 'b')
    await member.retry(first ?? assert.fail(), 600_000)
    await member.done(second ?? assert.fail())
    await kit.until('the watermark passes both', async () => {
      const { watermark, lag } = await kit.position(topic, 'g')
      return lag === 0 && watermark > (b?.offset ?? assert.fail())
    })
  },

  'a retry waits on when its member leaves and comes to the next one': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const first = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await first.retry(await first.getsOne('a'), 10_000)
    await first.leave()
    const second = await kit.member(topic, 'g')
    await second.getsNothing(3_000)
    await kit.pass(7_000)
    assert.equal((await second.getsOne('a')).attempt, 2)
  },

  'a retry waits on when the instance that asked for it dies': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a')
    await dying.retry(await dying.getsOne('a'), 8_000)
    await doomed.kill()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.pass(8_000)
    const { attempt, alone } = await member.getsOne('a')
    assert.deepEqual([attempt, alone], [2, false], 'its verdict stood: the death does not count')
  },

  'a retry is released early by decision, once': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.retry(await member.getsOne('a'), 20_000)
    await kit.decide({ hold, to: 'release' })
    await member.finishes('a')
    await member.getsNothing(30_000)
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
  },

  'a retry that is dropped never comes back': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await kit.decide({ hold: await member.retry(await member.getsOne('a'), 5_000), to: 'drop' })
    await member.getsNothing(20_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a retry whose time is over already comes back at once': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await member.retry(await member.getsOne('a'), -1_000)
    assert.equal((await member.getsOne('a')).attempt, 2)
  },

  'a retry until somebody decides waits for that': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    const hold = await member.hold(delivery, member.retrying(delivery, 'decided'))
    await member.getsNothing(20_000)
    await kit.decide({ hold, to: 'release' })
    assert.equal((await member.getsOne('a')).attempt, 2)
  },

  'a released retry that is handed back comes again, not counted': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await member.retry(await member.getsOne('a'), 1_000)
    await kit.pass(1_000)
    const second = await member.getsOne('a')
    await member.back(second)
    assert.equal((await member.getsOne('a')).attempt, second.attempt)
  },

  'a released retry whose owner dies is not lost and is counted': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine, maxDeliveries: 5 })
    await kit.publish(topic, null, 'a')
    await dying.retry(await dying.getsOne('a'), 1_000)
    await kit.pass(1_000)
    assert.equal((await dying.getsOne('a')).attempt, 2)
    await doomed.kill()
    const member = await kit.member(topic, 'g', { maxDeliveries: 5 })
    const { attempt, alone } = await member.getsOne('a')
    assert.deepEqual([attempt, alone], [3, true])
  },

  'two groups may hold the same message for retry, each for itself': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, null, 'a')
    await one.retry(await one.getsOne('a'), 2_000)
    const hold = await other.retry(await other.getsOne('a'), 60_000)
    await kit.pass(2_000)
    await one.finishes('a')
    await other.getsNothing()
    assert.deepEqual((await kit.held({ topic })).map(({ id }) => id), [hold])
  },
})
