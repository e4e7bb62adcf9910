import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { about } from '../case.js'
import { bytes, text, textsOf } from '../text.js'

export const holds = about('holds', {
  'without a keeper nothing ripens and nothing is lost': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'a', { hold: kit.delay(2_000) }))
    await member.getsNothing(20_000)
    assert.equal((await kit.held({ topic })).length, 1)
    await kit.keeper()
    await member.finishes('a')
  },

  'a keeper that stopped ripens nothing more': async (kit) => {
    const topic = await kit.topic()
    const keeping = await kit.keeper()
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'a', { hold: kit.delay(1_000) }), kit.draft(topic, 'b', { hold: kit.delay(20_000) }))
    await kit.pass(1_000)
    await member.finishes('a')
    await keeping.stop()
    await member.getsNothing(30_000)
    await kit.keeper()
    await member.finishes('b')
  },

  // Loss path 17.
  'a hold ripens once, however many keepers there are': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await Promise.all([kit.keeper(), kit.keeper(), kit.keeper({}, (await kit.another()).engine)])
    const values = Array.from({ length: 20 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value) => kit.draft(topic, value, { hold: kit.delay(5_000) })))
    await kit.pass(5_000)
    await member.done(...(await member.getsInAnyOrder(...values)))
    await member.getsNothing(10_000)
    assert.equal((await kit.log(topic)).length, values.length)
  },

  // Loss path 17.
  'what was due when its keeper died ripens once, by another': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const doomed = await kit.another()
    await kit.keeper({}, doomed.engine)
    const values = ['a', 'b', 'c']
    await kit.send(...values.map((value, index) => kit.draft(topic, value, { hold: kit.delay(3_000 + index * 1_000) })))
    await kit.pass(3_000)
    await member.finishes('a')
    await doomed.kill()
    await kit.pass(2_000)
    await kit.keeper()
    await member.finishes('b', 'c')
    await member.getsNothing(10_000)
  },

  // Loss path 17.
  'a wall clock that is set back makes no delay end early, one set forward ends what is due': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const { id } = await kit.sendOne(kit.draft(topic, 'a', { hold: kit.delay(10_000) }))
    if (!(await kit.jumpWall(-3_600_000))) return kit.decide({ hold: messageHold(topic, id), to: 'drop' })
    await member.getsNothing(20_000)
    await kit.jumpWall(3_600_000)
    await member.finishes('a')
    await kit.send(kit.draft(topic, 'b', { hold: kit.delay(3_600_000) }))
    await kit.jumpWall(3_600_000)
    await member.finishes('b')
    await member.getsNothing(10_000)
  },

  'held messages are listed in the order they were held, whole': async (kit) => {
    const topic = await kit.topic()
    const drafts = ['a', 'b', 'c'].map((value, index) => kit.draft(topic, value, { key: `k${index}`, headers: [['h', bytes(value)]], hold: kit.delay(60_000 - index * 10_000) }))
    for (const draft of drafts) {
      await kit.send(draft)
      await kit.pass(100)
    }
    const held = await kit.held({ topic })
    assert.deepEqual(held.map(({ id }) => id), drafts.map(({ id }) => messageHold(topic, id)))
    for (const [index, { hold, message, heldAt }] of held.entries()) {
      const draft = drafts[index] ?? assert.fail()
      assert.deepEqual([hold.why, hold.until, hold.then, hold.group], ['delay', draft.hold?.until, 'release', undefined])
      assert.deepEqual([message.id, message.topic, message.partition, message.key, text(message.value), message.offset, message.timestamp], [draft.id, topic, 0, draft.key, text(draft.value), null, draft.timestamp])
      assert.deepEqual(message.headers.map(([name, value]) => [name, text(value)]), [['h', text(draft.value)]])
      assert.ok(heldAt <= kit.wall() && heldAt >= draft.timestamp)
    }
  },

  'held messages come by pages, each once': async (kit) => {
    const topic = await kit.topic()
    const values = Array.from({ length: 25 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value) => kit.draft(topic, value, { hold: kit.delay(60_000) })))
    const first = await kit.engine.holds({ topic, limit: 10 })
    assert.ok(first.items.length <= 10 && first.cursor !== undefined, 'a page is no longer than asked for and says that there is more')
    assert.deepEqual(textsOf((await kit.held({ topic, limit: 10 })).map(({ message }) => message)), values)
  },

  'held messages are found by topic, group, why and id': async (kit) => {
    const [one, other] = [await kit.topic(), await kit.topic()]
    const [g, h] = [await kit.member(one, 'g'), await kit.member(one, 'h')]
    await kit.publish(one, null, 'a', 'b')
    const [a, b] = await g.gets('a', 'b')
    const dead = await g.dead(a ?? assert.fail())
    const retry = await g.retry(b ?? assert.fail(), 60_000)
    const dying = await h.dead((await h.gets('a', 'b'))[0] ?? assert.fail())
    const delayed = messageHold(other, (await kit.sendOne(kit.draft(other, 'c', { hold: kit.delay(60_000) }))).id)

    const found = async (query: Parameters<typeof kit.held>[0]): Promise<string[]> => (await kit.held(query)).map(({ id }) => id).sort()
    assert.deepEqual(await found({}), [dead, retry, dying, delayed].sort())
    assert.deepEqual(await found({ topic: other }), [delayed])
    assert.deepEqual(await found({ topic: one, group: 'g' }), [dead, retry].sort())
    assert.deepEqual(await found({ topic: one, why: 'dead' }), [dead, dying].sort())
    assert.deepEqual(await found({ why: 'delay' }), [delayed])
    assert.deepEqual(await found({ id: retry }), [retry])
    assert.deepEqual(await found({ id: 'nothing' }), [])
  },

  'each decision has its own answer, in order; what does not exist is gone': async (kit) => {
    const topic = await kit.topic()
    await kit.send(kit.draft(topic, 'a', { id: 'a', hold: kit.delay(60_000) }), kit.draft(topic, 'b', { id: 'b', hold: kit.delay(60_000) }))
    const answers = await kit.engine.decide([
      { hold: messageHold(topic, 'a'), to: 'release' }, { hold: messageHold(topic, 'nothing'), to: 'release' }, { hold: messageHold(topic, 'b'), to: 'drop' }, { hold: 'no hold at all', to: 'drop' },
    ])
    assert.deepEqual(answers.map((answer) => answer === 'gone'), [false, true, false, true])
    await kit.until('a is in the log', async () => textsOf(await kit.log(topic)).join() === 'a')
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'of two who decide the same hold at once one has it': async (kit) => {
    const topic = await kit.topic()
    const other = (await kit.another()).engine
    await kit.send(kit.draft(topic, 'a', { id: 'a', hold: kit.delay(60_000) }))
    const hold = messageHold(topic, 'a')
    const answers = await Promise.all([kit.decided({ hold, to: 'release' }), kit.decided({ hold, to: 'release' }, other), kit.decided({ hold, to: 'release' })])
    assert.ok(answers.some((answer) => answer !== 'gone'))
    const member = await kit.member(topic, 'g')
    await member.finishes('a')
    await member.getsNothing()
    assert.equal((await kit.log(topic)).length, 1)
  },
})
