import assert from 'node:assert/strict'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import { refused } from '../kit.js'
import { both, needs } from '../needs.js'
import { textsOf } from '../text.js'

/** Longer than the janitor takes between two looks. */
const sweepMs = 5_000

async function logIs(kit: Kit, topic: string, ...values: readonly string[]): Promise<void> {
  await kit.until(`the log is ${values.join(', ')}`, async () => textsOf(await kit.log(topic)).join() === values.join())
}

async function logStays(kit: Kit, topic: string, ...values: readonly string[]): Promise<void> {
  await kit.pass(sweepMs)
  assert.deepEqual(textsOf(await kit.log(topic)), values)
}

export const retention = [
  ...about('retention', {
    // Loss path 8.
    'nothing that a group has not read is removed': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0, ageMs: 0, bytes: 0 } })
      await kit.engine.groups.create(topic, 'g', 'start')
      await kit.publish(topic, null, 'a', 'b', 'c')
      await logStays(kit, topic, 'a', 'b', 'c')
      await (await kit.member(topic, 'g')).finishes('a', 'b', 'c')
    },

    // Loss path 8.
    'nothing that is in the hands of a member is removed': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c')
      const [a, b, c] = await member.gets('a', 'b', 'c')
      await member.done(b ?? assert.fail(), c ?? assert.fail())
      await logStays(kit, topic, 'a', 'b', 'c')
      await member.back(a ?? assert.fail())
      await kit.pass(sweepMs)
      await member.finishes('a')
      await logIs(kit, topic)
    },

    'what every group has read goes once it is beyond the count to keep': async (kit) => {
      const topic = await kit.topic({ keep: { count: 2 } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c', 'd')
      await member.finishes('a', 'b', 'c', 'd')
      await logIs(kit, topic, 'c', 'd')
      await logStays(kit, topic, 'c', 'd')
    },

    'what every group has read goes as fast as it was read, however much it is': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      const member = await kit.member(topic, 'g')
      const values = Array.from({ length: 8_000 }, (_, index) => String(index))
      await kit.publish(topic, null, ...values)
      await member.finishes(...values)
      await kit.pass(sweepMs)
      assert.deepEqual(await kit.log(topic), [])
    },

    'what every group has read goes once it is older than the age to keep': async (kit) => {
      const topic = await kit.topic({ keep: { ageMs: 30_000 } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      await kit.pass(15_000)
      await kit.publish(topic, null, 'b')
      await member.finishes('a', 'b')
      await logStays(kit, topic, 'a', 'b')
      await kit.pass(15_000)
      await logIs(kit, topic, 'b')
    },

    'what every group has read goes once there are more bytes than to keep': async (kit) => {
      const topic = await kit.topic({ keep: { bytes: 2_500 } })
      const member = await kit.member(topic, 'g')
      const values = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(1_000))
      await kit.publish(topic, null, ...values)
      await member.finishes(...values)
      const left = await kit.until('the oldest are gone', async () => {
        const log = textsOf(await kit.log(topic))
        return log.length < 4 && log
      })
      await kit.pass(sweepMs)
      assert.ok(left.length > 0 && left.length <= 2, 'no more than the bound, and not all')
      assert.deepEqual(left, values.slice(4 - left.length), 'the youngest stay')
    },

    'without a bound everything is kept': async (kit) => {
      const topic = await kit.topic({ keep: {} })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b')
      await member.finishes('a', 'b')
      await kit.jumpWall(365 * 24 * 3_600_000)
      await logStays(kit, topic, 'a', 'b')
    },

    'the slowest group pins the log, also one that nobody has joined': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      const fast = await kit.member(topic, 'fast')
      await kit.engine.groups.create(topic, 'absent', 'start')
      await kit.publish(topic, null, 'a', 'b')
      await fast.finishes('a', 'b')
      await logStays(kit, topic, 'a', 'b')
      await (await kit.member(topic, 'absent')).finishes('a')
      await logIs(kit, topic, 'b')
      await kit.engine.groups.remove(topic, 'absent')
      await logIs(kit, topic)
    },

    'a topic without groups keeps what it is told to keep': async (kit) => {
      const topic = await kit.topic({ keep: { count: 2 } })
      await kit.publish(topic, null, 'a', 'b', 'c')
      await logIs(kit, topic, 'b', 'c')
      await (await kit.member(topic, 'g', { from: 'start' })).finishes('b', 'c')
    },

    'held messages pin nothing and outlive the log': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      await kit.keeper()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'dead', 'retried', 'done')
      const [dead, retried, done] = await member.gets('dead', 'retried', 'done')
      const hold = await member.dead(dead ?? assert.fail())
      await member.retry(retried ?? assert.fail(), 20_000)
      await member.done(done ?? assert.fail())
      await logIs(kit, topic)
      await kit.pass(20_000)
      await member.finishes('retried')
      await kit.decide({ hold, to: 'release' })
      await member.finishes('dead')
    },

    'a group that nobody uses for long enough stops pinning': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 }, groupIdleMs: 20_000 })
      const used = await kit.member(topic, 'used')
      const idle = await kit.member(topic, 'idle')
      await idle.leave()
      await kit.publish(topic, null, 'a')
      await used.finishes('a')
      await kit.pass(10_000)
      assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
      await kit.pass(14_000)
      await logIs(kit, topic)
      await kit.publish(topic, null, 'b')
      await used.finishes('b')
    },

    'a group that is used again after it was idle pins again': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 }, groupIdleMs: 20_000 })
      await kit.engine.groups.create(topic, 'g', 'start')
      await kit.publish(topic, null, 'a')
      await kit.pass(24_000)
      await logIs(kit, topic)
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'b')
      await logStays(kit, topic, 'b')
      await member.finishes('b')
    },

    'a group whose only member died stops pinning once it has been idle': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 }, groupIdleMs: 20_000 })
      const doomed = await kit.another()
      const dying = await kit.member(topic, 'g', { engine: doomed.engine })
      await kit.publish(topic, null, 'a')
      await dying.getsOne('a')
      await doomed.kill()
      await kit.pass(10_000)
      assert.deepEqual(textsOf(await kit.log(topic)), ['a'])
      await kit.pass(20_000)
      await logIs(kit, topic)
    },

    // Loss path 19, small.
    'a log that is read as it is written does not grow': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      const member = await kit.member(topic, 'g')
      for (let round = 0; round < 10; round += 1) {
        const values = Array.from({ length: 500 }, (_, index) => `${round}-${index}`)
        await kit.publish(topic, null, ...values)
        await member.finishes(...values)
      }
      await logIs(kit, topic)
      const { messages, bytes } = await kit.until('the census sees it', async () => {
        const census = await kit.census(topic)
        return census.messages === 0 && census
      })
      assert.deepEqual([messages, bytes], [0, 0])
    },

    'offsets go on where they were after the log was cut': async (kit) => {
      const topic = await kit.topic({ keep: { count: 0 } })
      const member = await kit.member(topic, 'g')
      const [a] = await kit.publish(topic, null, 'a')
      await member.finishes('a')
      await logIs(kit, topic)
      const [b] = await kit.publish(topic, null, 'b')
      assert.ok((b?.offset ?? assert.fail()) > (a?.offset ?? assert.fail()))
      await member.finishes('b')
    },
  }),

  ...about('retention', {
    'a full topic refuses what is new with FULL, and takes it when there is room': async (kit) => {
      const topic = await kit.topic({ cap: { count: 3, whenFull: 'refuse' } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c')
      await kit.refusesDraft('FULL', kit.draft(topic, 'd'))
      await member.finishes('a', 'b', 'c')
      await kit.until('there is room', async () => 'ok' in ((await kit.engine.publish([kit.draft(topic, 'e')]))[0] ?? {}))
      await member.finishes('e')
    },

    'of drafts of one call those are stored that fit': async (kit) => {
      const topic = await kit.topic({ cap: { count: 2, whenFull: 'refuse' } })
      await kit.engine.groups.create(topic, 'g', 'start')
      const answers = await kit.engine.publish(['a', 'b', 'c'].map((value) => kit.draft(topic, value)))
      assert.deepEqual(answers.map((answer) => 'ok' in answer), [true, true, false])
      refused('FULL', answers[2] ?? assert.fail())
      assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'b'])
    },

    'a bound that is raised makes room': async (kit) => {
      const topic = await kit.topic({ cap: { count: 1, whenFull: 'refuse' } })
      await kit.engine.groups.create(topic, 'g', 'start')
      await kit.publish(topic, null, 'a')
      await kit.refusesDraft('FULL', kit.draft(topic, 'b'))
      await kit.engine.topics.alter(topic, { cap: { count: 2, whenFull: 'refuse' } })
      await kit.publish(topic, null, 'b')
      assert.deepEqual(textsOf(await kit.log(topic)), ['a', 'b'])
    },

    'a group that is removed fills its topic no longer': async (kit) => {
      const topic = await kit.topic({ cap: { count: 1, whenFull: 'refuse' } })
      await kit.engine.groups.create(topic, 'g', 'start')
      await kit.publish(topic, null, 'a')
      await kit.refusesDraft('FULL', kit.draft(topic, 'b'))
      await kit.engine.groups.remove(topic, 'g')
      await kit.engine.groups.create(topic, 'h', 'end')
      await kit.until('there is room', async () => 'ok' in ((await kit.engine.publish([kit.draft(topic, 'c')]))[0] ?? {}))
    },

    'a bound in bytes refuses as well': async (kit) => {
      const topic = await kit.topic({ cap: { bytes: 5_000, whenFull: 'refuse' } })
      await kit.engine.groups.create(topic, 'g', 'start')
      const first = await kit.engine.publish([kit.draft(topic, 'x'.repeat(3_000))])
      assert.ok('ok' in (first[0] ?? {}))
      await kit.refusesDraft('FULL', kit.draft(topic, 'y'.repeat(4_000)))
    },
  }, needs.cap),

  ...about('retention', {
    'a full topic that may trim lets its oldest unread messages go': async (kit) => {
      const topic = await kit.topic({ cap: { count: 3, whenFull: 'trim' } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c')
      await kit.publish(topic, null, 'd', 'e')
      await logIs(kit, topic, 'c', 'd', 'e')
      await member.finishes('c', 'd', 'e')
      await member.getsNothing()
    },

    'what a member has in hand when the log passes it may still be finished': async (kit) => {
      const topic = await kit.topic({ keep: { count: 1 }, mayPassUnread: true })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const delivery = await member.getsOne('a')
      await kit.publish(topic, null, 'b', 'c')
      await logIs(kit, topic, 'c')
      await member.settle({ delivery, is: 'done' })
      await member.finishes('c')
      await kit.until('nothing is behind', async () => (await kit.position(topic, 'g')).lag === 0)
    },

    'a topic that may pass unread messages keeps what it is told to and no more': async (kit) => {
      const topic = await kit.topic({ keep: { count: 2 }, mayPassUnread: true })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c', 'd')
      await logIs(kit, topic, 'c', 'd')
      await member.finishes('c', 'd')
      await kit.until('nothing is behind', async () => (await kit.position(topic, 'g')).lag === 0)
    },
  }, needs.trim),

  ...about('retention', {
    'of all partitions the oldest unread message goes first': async (kit) => {
      const topic = await kit.topic({ partitions: 2, cap: { count: 2, whenFull: 'trim' } })
      await kit.engine.groups.create(topic, 'g', 'start')
      for (const [value, partition] of [['a', 1], ['b', 0], ['c', 1], ['d', 0]] as const) {
        await kit.send(kit.draft(topic, value, { partition }))
        await kit.pass(1_000)
      }
      await kit.until('the oldest are gone', async () => textsOf(await kit.log(topic)).sort().join() === 'c,d')
    },
  }, both(needs.trim, needs.capOverPartitions)),
]
