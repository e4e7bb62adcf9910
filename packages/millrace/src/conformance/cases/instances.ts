import assert from 'node:assert/strict'
import { messageHold } from '../../core/hold.js'
import { about } from '../case.js'
import { texts, textsOf } from '../text.js'

export const instances = about('instances', {
  'what one instance makes the others see': async (kit) => {
    const { engine } = await kit.another()
    const topic = await kit.topic({ description: 'shared' })
    assert.equal((await engine.topics.list())[0]?.description, 'shared')
    await engine.publish([kit.draft(topic, 'a'), kit.draft(topic, 'later', { id: 'later', hold: kit.delay(60_000) })])
    assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
    assert.deepEqual((await kit.held({ topic })).map(({ id }) => id), [messageHold(topic, 'later')])
    await engine.groups.create(topic, 'g', 'start')
    assert.equal((await kit.position(topic, 'g')).lag, 1)
  },

  // Loss path 14.
  'what was answered ok outlives the instance that answered': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    await doomed.engine.publish(['a', 'b', 'c'].map((value) => kit.draft(topic, value)))
    await doomed.kill()
    assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'b', 'c'])
    await (await kit.member(topic, 'g')).finishes('a', 'b', 'c')
  },

  'a message published by one instance is consumed at another': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { engine: other.engine })
    await kit.publish(topic, 'k', 'a', 'b')
    await member.finishes('a', 'b')
    await kit.until('its verdicts are seen', async () => (await kit.position(topic, 'g')).lag === 0)
  },

  'a sleeper in another instance is woken': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { engine: other.engine })
    await member.getsNothing()
    const waiting = member.lease(10, { waitMs: 60_000 })
    await kit.pass(100)
    await kit.publish(topic, null, 'a')
    assert.deepEqual(textsOf((await kit.comes(waiting)).map(({ message }) => message)), ['a'])
  },

  'what several instances publish at once to a member that waits is delivered, each once': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { engine: other.engine })
    const over = new AbortController()
    const got: string[] = []
    const consuming = (async (): Promise<void> => {
      while (!over.signal.aborted) {
        const taken = await member.lease(100, { waitMs: 600_000, signal: over.signal })
        got.push(...texts(taken))
        await member.done(...taken)
      }
    })().catch((error: unknown) => error)
    const sent: string[] = []
    for (let round = 0; round < 60; round += 1) {
      const values = [`${round}a`, `${round}b`, `${round}c`]
      sent.push(...values)
      await Promise.all(values.map((value, index) => (index === 1 ? kit.engine : other.engine).publish([kit.draft(topic, value)])))
    }
    await kit.until('all are delivered', () => got.length >= sent.length, () => `${got.length} of ${sent.length} were delivered`)
    over.abort()
    assert.ifError(await kit.comes(consuming))
    assert.deepEqual(got.sort(), sent.sort())
    await kit.until('all are finished', async () => (await kit.position(topic, 'g')).lag === 0)
  },

  'members of one group in several instances share its partitions': async (kit) => {
    const topic = await kit.topic({ partitions: 6 })
    const members = [await kit.member(topic, 'g')]
    for (let more = 0; more < 2; more += 1) members.push(await kit.member(topic, 'g', { engine: (await kit.another()).engine }))
    await kit.until('each owns two', async () => {
      const owners = (await kit.engine.groups.positions(topic, 'g')).map(({ owner }) => owner)
      return members.every(({ name }) => owners.filter((owner) => owner === name).length === 2)
    })
    await kit.send(...Array.from({ length: 6 }, (_, partition) => kit.draft(topic, `p${partition}`, { partition })))
    const taken = (await Promise.all(members.map((member) => member.take(2)))).flat()
    assert.deepEqual(textsOf(taken.map(({ message }) => message)).sort(), ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'])
  },

  'a pause at one instance holds at all': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { engine: other.engine })
    await kit.engine.groups.pause(topic, 'g', true)
    await kit.publish(topic, null, 'a')
    await member.getsNothing(2_000)
    await kit.engine.groups.pause(topic, 'g', false)
    await member.finishes('a')
  },

  'a hold is decided at any instance, once': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    const hold = await member.dead(await member.getsOne('a'))
    await kit.decide({ hold, to: 'release' }, other.engine)
    assert.equal(await kit.decided({ hold, to: 'release' }), 'gone')
    await member.finishes('a')
  },

  'a keeper of one instance ripens what another holds': async (kit) => {
    const other = await kit.another()
    await kit.keeper({}, other.engine)
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await member.retry(await member.getsOne('a'), 3_000)
    await kit.pass(3_000)
    assert.equal((await member.getsOne('a')).attempt, 2)
  },

  'a move at one instance fences a member at another': async (kit) => {
    const other = await kit.another()
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g', { engine: other.engine })
    await kit.publish(topic, null, 'a')
    const delivery = await member.getsOne('a')
    await kit.engine.groups.seek(topic, 'g', 'start')
    assert.deepEqual(await member.settle({ delivery, is: 'done' }), ['lapsed'])
    await member.finishes('a')
  },

  'the death of one instance leaves what others lease alone': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    const member = await kit.member(topic, 'g')
    await kit.until('both own one', async () => new Set((await kit.engine.groups.positions(topic, 'g')).map(({ owner }) => owner)).size === 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const [mine] = await member.take(1)
    const [lost] = await dying.take(1)
    assert.ok(mine && lost)
    await doomed.kill()
    await kit.pass(2_000)
    await member.done(mine)
    const again = await member.takeOne()
    assert.deepEqual([again.message.id, again.alone], [lost.message.id, true])
    await member.done(again)
    await member.getsNothing()
  },
})
