import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { about } from '../case.js'
import { bytes, textsOf } from '../text.js'

export const delays = about('delays', {
  'a delayed message is not to be read before its time': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { offset } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(20_000) }))
    assert.equal(offset, null, 'it has no place while it is held')
    await member.getsNothing(15_000)
    assert.deepEqual(await kit.log(topic), [])
    assert.equal((await kit.position(topic, 'g')).lag, 0)
  },

  'a delayed message is delivered when its time has come, and says so': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const draft = kit.draft(topic, 'a', { key: 'k', headers: [['h', bytes('1')]], hold: kit.delay(5_000) })
    await kit.send(draft)
    await kit.pass(5_000)
    const delivery = await member.getsOne('a')
    const { message, attempt } = delivery
    assert.deepEqual([message.id, message.key, message.kind, message.delayedUntil, attempt], [draft.id, 'k', 'delay', draft.hold?.until, 1])
    assert.deepEqual(message.headers.map(([name, value]) => [name, [...value]]), [['h', [...bytes('1')]]])
    await member.done(delivery)
    await member.getsNothing(20_000)
  },

  'a delay never ends early': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const until = kit.in(3_000)
    await kit.send(kit.draft(topic, 'a', { hold: { ...kit.delay(0), until } }))
    const taken = await kit.until('it comes', async () => {
      const [delivery] = await member.lease()
      return delivery && { delivery, at: kit.wall() }
    })
    assert.ok(taken.at >= until, `delivered ${until - taken.at} ms early`)
  },

  'a delayed message reaches every group, also one that came while it was held': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const one = await kit.member(topic, 'one')
    await kit.send(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
    const other = await kit.member(topic, 'other', { from: 'end' })
    await kit.pass(5_000)
    await one.finishes('a')
    await other.finishes('a')
  },

  'delays end in the order of their times': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'third', { hold: kit.delay(9_000) }), kit.draft(topic, 'first', { hold: kit.delay(3_000) }), kit.draft(topic, 'second', { hold: kit.delay(6_000) }))
    for (const value of ['first', 'second', 'third']) {
      await kit.pass(3_000)
      await member.finishes(value)
    }
  },

  'of many delays that end in one moment none is forgotten': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const until = kit.in(5_000)
    const values = Array.from({ length: 1_000 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value) => kit.draft(topic, value, { hold: { ...kit.delay(0), until } })))
    await kit.pass(5_000)
    await member.done(...(await member.getsInAnyOrder(...values)))
    await member.getsNothing(5_000)
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a delayed message takes its place when it is released': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    await kit.send(kit.draft(topic, 'delayed', { key: 'k', hold: kit.delay(5_000) }))
    await kit.publish(topic, 'k', 'a', 'b')
    await kit.pass(5_000)
    await (await kit.member(topic, 'g')).finishes('a', 'b', 'delayed')
    assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'b', 'delayed'])
  },

  'a time that is over already ends at once': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    await kit.send(kit.draft(topic, 'a', { hold: kit.delay(-60_000) }))
    await (await kit.member(topic, 'g')).finishes('a')
  },

  'a delay of a hundred years is a delay': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const century = 100 * 365 * 24 * 3_600_000
    await kit.send(kit.draft(topic, 'a', { hold: { ...kit.delay(0), until: kit.wall() + century } }))
    await member.getsNothing(10_000)
    assert.equal((await kit.heldOne({ topic })).hold.why, 'delay')
  },

  'a delay until somebody decides waits for that': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: { ...kit.delay(0), until: 'decided' } }))
    await member.getsNothing(20_000)
    await kit.decide({ hold: messageHold(topic, id), to: 'release' })
    await member.finishes('a')
  },

  'a cancelled delay is never delivered, and cancelling again finds nothing': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
    await kit.decide({ hold: messageHold(topic, id), to: 'drop' })
    assert.equal(await kit.decided({ hold: messageHold(topic, id), to: 'drop' }), 'gone')
    assert.deepEqual(await kit.held({ topic }), [])
    await member.getsNothing(20_000)
  },

  'a delay put off ends at its new time and not at the old': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
    await kit.decide({ hold: messageHold(topic, id), to: 'hold', anew: kit.delay(30_000) })
    await member.getsNothing(25_000)
    await kit.pass(5_000)
    await member.finishes('a')
    await member.getsNothing(10_000)
  },

  'a delay brought forward ends at its new time, once': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(20_000) }))
    await kit.decide({ hold: messageHold(topic, id), to: 'hold', anew: kit.delay(2_000) })
    await kit.pass(2_000)
    await member.finishes('a')
    await member.getsNothing(25_000)
  },

  'a delay released by decision is delivered at once, and not again at its time': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(20_000) }))
    await kit.decide({ hold: messageHold(topic, id), to: 'release' })
    await member.finishes('a')
    await member.getsNothing(30_000)
    assert.equal(await kit.decided({ hold: messageHold(topic, id), to: 'release' }), 'gone')
  },

  'a second draft with the id of one that is held is refused, and the first stays': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'first', { id: 'same', hold: kit.delay(5_000) }))
    await kit.refusesDraft('HELD_ALREADY', kit.draft(topic, 'second', { id: 'same', hold: kit.delay(1_000) }))
    await kit.pass(5_000)
    await member.finishes('first')
    await kit.send(kit.draft(topic, 'third', { id: 'same', hold: kit.delay(1_000) }))
    await kit.pass(1_000)
    await member.finishes('third')
  },

  'the same id may be held in two topics': async (kit) => {
    const [one, other] = [await kit.topic(), await kit.topic()]
    await kit.send(kit.draft(one, 'a', { id: 'same', hold: kit.delay(60_000) }), kit.draft(other, 'b', { id: 'same', hold: kit.delay(60_000) }))
    await kit.decide({ hold: messageHold(one, 'same'), to: 'drop' })
    assert.equal((await kit.held({ topic: other })).length, 1)
  },

  'a held message that is edited goes on as it was edited, under its id': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'before', { key: 'k', headers: [['a', bytes('1')]], hold: kit.delay(60_000) }))
    await kit.decide({ hold: messageHold(topic, id), to: 'hold', anew: kit.delay(60_000), edit: { headers: [['b', bytes('2')]] } })
    await kit.decide({ hold: messageHold(topic, id), to: 'release', edit: { value: bytes('after') } })
    const { message } = await member.getsOne('after')
    assert.deepEqual([message.id, message.key, message.headers.map(([name]) => name)], [id, 'k', ['b']])
  },
})
