import assert from 'node:assert/strict'
import { about } from '../case.js'
import { refuses } from '../kit.js'
import { texts } from '../text.js'

export const groups = about('groups', {
  'every group sees every message': async (kit) => {
    const topic = await kit.topic()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, 'k', 'a', 'b')
    await one.finishes('a', 'b')
    await other.finishes('a', 'b')
  },

  'inside a group each message goes to one member': async (kit) => {
    const topic = await kit.topic({ partitions: 4 })
    const [one, other] = [await kit.member(topic, 'g'), await kit.member(topic, 'g')]
    await kit.until('both own a part', async () => new Set((await kit.engine.groups.positions(topic, 'g')).map(({ owner }) => owner)).size === 2)
    const values = Array.from({ length: 40 }, (_, index) => `v${index}`)
    await kit.send(...values.map((value, index) => kit.draft(topic, value, { partition: index % 4 })))
    const seen: string[] = []
    await kit.until('all are delivered', async () => {
      seen.push(...texts(await one.lease()), ...texts(await other.lease()))
      return seen.length >= values.length
    })
    assert.deepEqual(seen.sort(), values.sort())
    await one.getsNothing()
    await other.getsNothing()
  },

  // Loss path 1.
  'what was published before any group exists is delivered to a group that starts at the start': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a', 'b')
    const member = await kit.member(topic, 'g', { from: 'start' })
    await kit.publish(topic, null, 'c')
    await member.finishes('a', 'b', 'c')
  },

  'a group that starts at the end sees what is published from then on': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'before')
    const member = await kit.member(topic, 'g', { from: 'end' })
    await member.getsNothing()
    await kit.publish(topic, null, 'after')
    await member.finishes('after')
  },

  'where to start counts only for the join that creates the group': async (kit) => {
    const topic = await kit.topic()
    const first = await kit.member(topic, 'g', { from: 'start' })
    await kit.publish(topic, null, 'a', 'b')
    await first.finishes('a')
    await first.leave()
    await (await kit.member(topic, 'g', { from: 'end' })).finishes('b')
  },

  'a group that was created and never joined keeps its place': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'before')
    assert.equal(await kit.engine.groups.create(topic, 'g', 'end'), true)
    await kit.publish(topic, null, 'after')
    assert.equal(await kit.engine.groups.create(topic, 'g', 'start'), false, 'it existed')
    await (await kit.member(topic, 'g', { from: 'start' })).finishes('after')
  },

  'what a group has finished does not come back to a later member': async (kit) => {
    const topic = await kit.topic()
    const first = await kit.member(topic, 'g')
    await kit.publish(topic, 'k', 'a', 'b', 'c')
    await first.finishes('a', 'b')
    await first.leave()
    const second = await kit.member(topic, 'g')
    await second.finishes('c')
    await second.getsNothing()
  },

  'a member alone owns every partition, two share them, and each partition has one owner': async (kit) => {
    const topic = await kit.topic({ partitions: 5 })
    const owners = async (): Promise<(string | null)[]> => (await kit.engine.groups.positions(topic, 'g')).map(({ owner }) => owner)
    const first = await kit.member(topic, 'g')
    await kit.until('the first owns all', async () => (await owners()).every((owner) => owner === first.name))
    const second = await kit.member(topic, 'g')
    await kit.until('both own their share', async () => {
      const all = await owners()
      const shares = [first, second].map(({ name }) => all.filter((owner) => owner === name).length)
      return all.length === 5 && shares[0] !== undefined && shares[0] >= 2 && shares[0] <= 3 && shares[0] + (shares[1] ?? 0) === 5
    })
  },

  'positions say watermark, end and lag as verdicts come in': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const [a, b, c] = await kit.publish(topic, null, 'a', 'b', 'c')
    const start = await kit.position(topic, 'g')
    assert.equal(start.lag, 3)
    assert.ok(start.watermark <= (a?.offset ?? assert.fail()) && start.end > (c?.offset ?? assert.fail()))

    await member.finishes('a')
    const after = await kit.until('one is finished', async () => {
      const position = await kit.position(topic, 'g')
      return position.lag === 2 && position
    })
    assert.ok(after.watermark > (a?.offset ?? assert.fail()) && after.watermark <= (b?.offset ?? assert.fail()))
    assert.equal(after.owner, member.name)

    await member.finishes('b', 'c')
    await kit.until('all is finished', async () => {
      const { lag, watermark } = await kit.position(topic, 'g')
      return lag === 0 && watermark > (c?.offset ?? assert.fail())
    })
  },

  'the watermark does not pass what is unfinished, though later ones are done': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    await member.done(c ?? assert.fail(), b ?? assert.fail())
    const { watermark, lag } = await kit.position(topic, 'g')
    assert.ok(watermark <= (a?.message.offset ?? assert.fail()))
    assert.equal(lag, 1)
    await member.done(a ?? assert.fail())
    await kit.until('the watermark passes all', async () => (await kit.position(topic, 'g')).watermark > (c?.message.offset ?? assert.fail()))
  },

  'an unknown group has no positions and cannot be removed': async (kit) => {
    const topic = await kit.topic()
    await refuses('UNKNOWN_GROUP', kit.engine.groups.positions(topic, 'nobody'))
    await refuses('UNKNOWN_GROUP', kit.engine.groups.remove(topic, 'nobody'))
  },

  'a paused group leases nothing and settles what it has; the other groups go on': async (kit) => {
    const topic = await kit.topic()
    const [paused, other] = [await kit.member(topic, 'paused'), await kit.member(topic, 'other')]
    await kit.publish(topic, null, 'a', 'b')
    const delivery = await paused.takeOne()
    await kit.engine.groups.pause(topic, 'paused', true)
    await paused.done(delivery)
    await paused.getsNothing()
    await other.finishes('a', 'b')
    await kit.engine.groups.pause(topic, 'paused', false)
    await paused.finishes('b')
  },

  'a removed group is gone with its holds, and its leases lapse': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    const [a, b] = await member.gets('a', 'b')
    await member.dead(a ?? assert.fail())
    await kit.engine.groups.remove(topic, 'g')
    assert.deepEqual(await member.settle({ delivery: b ?? assert.fail(), is: 'done' }), ['lapsed'])
    await refuses('LAPSED', member.lease())
    assert.deepEqual(await kit.held({ topic }), [])
    await refuses('UNKNOWN_GROUP', kit.engine.groups.positions(topic, 'g'))
  },

  'a group created again after its removal begins anew': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    await member.finishes('a', 'b')
    await kit.engine.groups.remove(topic, 'g')
    await (await kit.member(topic, 'g', { from: 'start' })).finishes('a', 'b')
  },

  'removing a group leaves the others and their holds': async (kit) => {
    const topic = await kit.topic()
    const [one, other] = [await kit.member(topic, 'one'), await kit.member(topic, 'other')]
    await kit.publish(topic, null, 'a', 'b')
    await one.dead((await one.gets('a', 'b'))[0] ?? assert.fail())
    const [a, b] = await other.gets('a', 'b')
    const hold = await other.dead(a ?? assert.fail())
    await kit.engine.groups.remove(topic, 'one')
    assert.deepEqual((await kit.held({ topic })).map(({ id }) => id), [hold])
    await other.done(b ?? assert.fail())
  },
})
