import assert from 'node:assert/strict'
import type { Delivery } from '../../engine/engine.js'
import { about } from '../case.js'
import { needs } from '../needs.js'
import { refuses } from '../kit.js'
import type { Member } from '../member.js'
import { texts } from '../text.js'

export const leases = [
  ...about('leases', {
    'a lease hands out at most what was asked for': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c')
      const first = await kit.until('something comes', async () => {
        const some = await member.lease(2)
        return some.length > 0 && some
      })
      assert.ok(first.length <= 2, `${first.length} of at most 2`)
      await member.take(3 - first.length)
    },

    'a first delivery has attempt 1, runs beside others and carries no failure': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const { attempt, alone, failure } = await member.takeOne()
      assert.deepEqual({ attempt, alone, failure }, { attempt: 1, alone: false, failure: undefined })
    },

    'a message is handed out once until it has its verdict': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b')
      const [a, b] = await member.gets('a', 'b')
      await member.getsNothing()
      await member.done(b ?? assert.fail())
      await member.getsNothing()
      await member.done(a ?? assert.fail())
      await member.getsNothing()
    },

    'a waiting lease wakes when a message is published': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await member.getsNothing()
      const waiting = member.lease(10, { waitMs: 20_000 })
      await kit.pass(1_500)
      await kit.publish(topic, null, 'a')
      assert.deepEqual(texts(await kit.comes(waiting)), ['a'])
    },

    'a waiting lease wakes when a held message ripens': async (kit) => {
      const topic = await kit.topic()
      await kit.keeper()
      const member = await kit.member(topic, 'g')
      await kit.send(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
      const waiting = member.lease(10, { waitMs: 20_000 })
      await kit.pass(5_000)
      assert.deepEqual(texts(await kit.comes(waiting)), ['a'])
    },

    'a lease that waited in vain is empty': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      const waiting = member.lease(10, { waitMs: 2_000 })
      await kit.pass(2_000)
      assert.deepEqual(await kit.comes(waiting), [])
      await kit.publish(topic, null, 'a')
      await member.finishes('a')
    },

    'a lease whose signal aborts is empty and takes nothing with it': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      const abort = new AbortController()
      const waiting = member.lease(10, { waitMs: 20_000, signal: abort.signal })
      await kit.pass(100)
      abort.abort()
      assert.deepEqual(await kit.comes(waiting), [])
      await kit.publish(topic, null, 'a')
      assert.deepEqual(await member.lease(10, { waitMs: 20_000, signal: AbortSignal.abort() }), [])
      const { attempt } = await member.getsOne('a')
      assert.equal(attempt, 1)
    },

    'a lease that is aborted as a message comes loses nothing': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      for (let round = 0; round < 20; round += 1) {
        const abort = new AbortController()
        const waiting = member.lease(10, { waitMs: 600_000, signal: abort.signal })
        const published = kit.publish(topic, null, `v${round}`)
        if (round % 2 === 1) await new Promise(setImmediate)
        abort.abort()
        await published
        const taken = await kit.comes(waiting)
        const delivered = taken.length > 0 ? taken : await member.take(1)
        assert.deepEqual(texts(delivered), [`v${round}`])
        await member.done(...delivered)
      }
      await member.getsNothing()
    },

    'a pause as a message comes to a lease that waits loses nothing': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      for (let round = 0; round < 10; round += 1) {
        const abort = new AbortController()
        const waiting = member.lease(10, { waitMs: 600_000, signal: abort.signal })
        await Promise.all([kit.publish(topic, null, `v${round}`), kit.engine.groups.pause(topic, 'g', true)])
        await kit.engine.groups.pause(topic, 'g', false)
        await kit.pass(100)
        abort.abort()
        const taken = await kit.comes(waiting)
        const delivered = taken.length > 0 ? taken : await member.take(1)
        assert.deepEqual(texts(delivered), [`v${round}`])
        await member.done(...delivered)
      }
    },

    'verdicts may come in any order and each has its answer': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c', 'd')
      const [a, b, c, d] = await member.gets('a', 'b', 'c', 'd')
      assert.ok(a && b && c && d)
      const outcomes = await member.settle({ delivery: d, is: 'done' }, { delivery: b, is: 'back' }, { delivery: a, is: 'done' }, { delivery: c, is: 'hold', hold: member.dying(c) })
      assert.deepEqual(outcomes, ['settled', 'settled', 'settled', 'settled'])
      await member.finishes('b')
      await member.getsNothing()
      assert.equal((await kit.held({ topic, why: 'dead' })).length, 1)
    },

    'a message handed back is to be had at once, in its place and not counted': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, 'k', 'a', 'b', 'c')
      const [a, b] = await member.gets('a', 'b')
      await member.back(a ?? assert.fail(), b ?? assert.fail())
      const again = await member.gets('a', 'b', 'c')
      assert.deepEqual(again.map(({ attempt, alone }) => [attempt, alone]), [[1, false], [1, false], [1, false]])
    },

    'handing back over and over never counts as an attempt': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g', { maxDeliveries: 2 })
      await kit.publish(topic, null, 'a')
      for (let round = 0; round < 5; round += 1) {
        const delivery = await member.getsOne('a')
        assert.equal(delivery.attempt, 1)
        await member.back(delivery)
      }
      await member.finishes('a')
      assert.deepEqual(await kit.held({ topic }), [])
    },

    // Loss path 6.
    'a member that is slow and alive keeps what it has, however long it takes': async (kit) => {
      const topic = await kit.topic()
      const slow = await kit.member(topic, 'g', { leaseMs: 2_000 })
      await kit.publish(topic, null, 'a')
      const delivery = await slow.getsOne('a')
      const other = await kit.member(topic, 'g', { leaseMs: 2_000, revoke: async () => undefined })
      const third = await kit.member(topic, 'g', { leaseMs: 2_000, engine: (await kit.another()).engine })
      for (let round = 0; round < 6; round += 1) {
        await other.getsNothing(1_000)
        await third.getsNothing(1_000)
      }
      await slow.done(delivery)
      await other.getsNothing()
    },

    'a verdict counts once: a second one on the same delivery changes nothing': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const delivery = await member.getsOne('a')
      await member.done(delivery)
      await member.settle({ delivery, is: 'hold', hold: member.dying(delivery) })
      await member.settle({ delivery, is: 'back' })
      await member.getsNothing()
      assert.deepEqual(await kit.held({ topic }), [])
    },

    'a member that has left leases nothing and settles nothing; leaving twice is safe': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const delivery = await member.getsOne('a')
      await member.leave()
      await member.leave()
      await refuses('LAPSED', member.lease())
      assert.deepEqual(await member.settle({ delivery, is: 'done' }), ['lapsed'])
      await (await kit.member(topic, 'g')).finishes('a')
    },

    'a lease that waits ends when its member leaves': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      const waiting = member.lease(10, { waitMs: 600_000 }).catch(() => [])
      await kit.pass(100)
      await member.leave()
      assert.deepEqual(await kit.comes(waiting), [])
    },

    'a lease that waits ends when its topic or its group is removed': async (kit) => {
      for (const remove of [(topic: string) => kit.engine.topics.remove(topic), (topic: string) => kit.engine.groups.remove(topic, 'g')]) {
        const topic = await kit.topic()
        const member = await kit.member(topic, 'g')
        const waiting = member.lease(10, { waitMs: 600_000 }).catch(() => [])
        await kit.pass(100)
        await remove(topic)
        assert.deepEqual(await kit.comes(waiting), [])
        await refuses('LAPSED', member.lease())
      }
    },

    'a settled verdict is there for whoever comes next, at once': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b')
      await member.done((await member.gets('a', 'b'))[0] ?? assert.fail())
      const { engine } = await kit.another()
      await kit.first.kill()
      await (await kit.member(topic, 'g', { engine })).finishes('b')
    },
  }),

  ...about('leases', {
    'a member keeps its partitions while its thread is blocked longer than its lease': async (kit) => {
      const topic = await kit.topic()
      const busy = await kit.member(topic, 'g', { leaseMs: 2_000, stallMs: 60_000 })
      await kit.publish(topic, null, 'a', 'b')
      const delivery = (await busy.gets('a', 'b'))[0] ?? assert.fail()
      const before = await kit.position(topic, 'g')
      await kit.stall(10_000)
      await kit.pass(100)
      await busy.done(delivery)
      const { owner, epoch } = await kit.position(topic, 'g')
      assert.deepEqual({ owner, epoch }, { owner: before.owner, epoch: before.epoch })
    },

    'a member whose thread is blocked longer than it may loses its partitions': async (kit) => {
      const topic = await kit.topic()
      const stuck = await kit.member(topic, 'g', { leaseMs: 2_000, stallMs: 5_000 })
      await kit.publish(topic, null, 'a')
      const delivery = await stuck.getsOne('a')
      const other = await kit.member(topic, 'g', { leaseMs: 2_000, stallMs: 600_000, engine: (await kit.another()).engine })
      await kit.stall(15_000)
      // Where the other one is of the same thread, and was blocked as well, the stuck one may have joined again and have it anew.
      const leaseOf = (member: Member): Promise<readonly Delivery[]> => member.lease().catch(() => [])
      await kit.until('it is taken away, and comes again', async () => [...(await leaseOf(other)), ...(await leaseOf(stuck))].length === 1)
      assert.deepEqual(await stuck.settle({ delivery, is: 'done' }), ['lapsed'])
    },
  }, needs.beats),
]
