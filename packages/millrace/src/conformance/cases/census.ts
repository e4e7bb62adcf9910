import assert from 'node:assert/strict'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import { both, needs } from '../needs.js'

/** Held to the law: published = settled + ready + leased + held + dead + purged. */
async function conserved(kit: Kit, topic: string, group: string): Promise<void> {
  const { published } = await kit.census(topic)
  const { settled, ready, leased, retrying, lent, parked, dead, purged } = await kit.groupCensus(topic, group)
  const parts = { settled, ready, leased, retrying, lent, parked, dead, purged }
  assert.equal(Object.values(parts).reduce((sum, part) => sum + part, 0), published, `published is the sum of ${JSON.stringify(parts)}`)
}

export const census = about('census', {
  'counts follow a message through its life, and nothing is lost on the way': async (kit) => {
    const topic = await kit.topic()
    await kit.keeper()
    const member = await kit.member(topic, 'g')
    const counts = async (): Promise<Record<string, number>> => {
      await conserved(kit, topic, 'g')
      const { ready, leased, lag, retrying, dead, settled, purged } = await kit.groupCensus(topic, 'g')
      return { ready, leased, lag, retrying, dead, settled, purged }
    }
    const none = { ready: 0, leased: 0, lag: 0, retrying: 0, dead: 0, settled: 0, purged: 0 }
    assert.deepEqual(await counts(), none)
    await kit.publish(topic, null, 'a', 'b', 'c', 'd')
    assert.deepEqual(await counts(), { ...none, ready: 4, lag: 4 })
    const [a, b, c, d] = await member.gets('a', 'b', 'c', 'd')
    assert.ok(a && b && c && d)
    assert.deepEqual(await counts(), { ...none, leased: 4, lag: 4 })
    await member.done(a)
    const retry = await member.retry(b, 600_000)
    const letter = await member.dead(c)
    await member.back(d)
    assert.deepEqual(await counts(), { ...none, settled: 1, retrying: 1, dead: 1, ready: 1, lag: 1 })
    await kit.decide({ hold: retry, to: 'release' })
    await kit.decide({ hold: letter, to: 'drop' })
    assert.deepEqual(await counts(), { ...none, settled: 1, ready: 2, lag: 2, purged: 1 })
    await member.done(...(await member.getsInAnyOrder('b', 'd')))
    assert.deepEqual(await counts(), { ...none, settled: 3, purged: 1 })
  },

  'a redriven dead letter is counted once when it is finished': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a')
    await kit.decide({ hold: await member.dead(await member.getsOne('a')), to: 'release' })
    await conserved(kit, topic, 'g')
    await member.finishes('a')
    await conserved(kit, topic, 'g')
    const { settled, dead } = await kit.groupCensus(topic, 'g')
    assert.deepEqual([settled, dead], [1, 0])
  },

  'what is held for every group is counted with its topic, and not as published': async (kit) => {
    const topic = await kit.topic()
    await kit.send(kit.draft(topic, 'a'), kit.draft(topic, 'b', { id: 'b', hold: kit.delay(60_000) }), kit.draft(topic, 'c', { hold: kit.delay(60_000) }))
    const { published, messages, delayed, prepared } = await kit.census(topic)
    assert.deepEqual([published, messages, delayed, prepared], [1, 1, 2, 0])
    await kit.decide({ hold: `${topic}:b`, to: 'release' })
    const after = await kit.census(topic)
    assert.deepEqual([after.published, after.messages, after.delayed], [2, 2, 1])
  },

  'partitions are counted each, and add up': async (kit) => {
    const topic = await kit.topic({ partitions: 3 })
    await kit.send(...[0, 0, 1].map((partition) => kit.draft(topic, 'value', { partition })))
    const { published, messages, bytes, partitions } = await kit.census(topic)
    assert.deepEqual(partitions.map(({ partition, published: p, messages: m }) => [partition, p, m]), [[0, 2, 2], [1, 1, 1], [2, 0, 0]])
    assert.deepEqual([published, messages], [3, 3])
    assert.equal(bytes, partitions.reduce((sum, each) => sum + each.bytes, 0))
    assert.ok(bytes >= 15, 'at least the values')
    const [busy, , empty] = partitions
    assert.ok(busy && empty && busy.end > busy.start && empty.end === empty.start)
  },

  'what was removed from the log stays counted as published': async (kit) => {
    const topic = await kit.topic({ keep: { count: 1 } })
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    await member.finishes('a', 'b', 'c')
    const after = await kit.until('the log is cut', async () => {
      const seen = await kit.census(topic)
      return seen.messages === 1 && seen
    })
    assert.equal(after.published, 3)
    await conserved(kit, topic, 'g')
  },

  'what a move passes over is purged, what it goes back to is ready again': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    await member.finishes('a')
    await kit.engine.groups.seek(topic, 'g', 'end')
    const { ready, lag, purged, settled } = await kit.groupCensus(topic, 'g')
    assert.deepEqual([ready, lag, purged, settled], [0, 0, 2, 1])
    await kit.engine.groups.seek(topic, 'g', 'start')
    assert.equal((await kit.groupCensus(topic, 'g')).ready, 3)
  },

  'members come and go, and a pause is seen': async (kit) => {
    const topic = await kit.topic()
    const [first, second] = [await kit.member(topic, 'g'), await kit.member(topic, 'g')]
    assert.deepEqual(await kit.groupCensus(topic, 'g').then(({ members, paused }) => [members, paused]), [2, false])
    await second.leave()
    await kit.engine.groups.pause(topic, 'g', true)
    assert.deepEqual(await kit.groupCensus(topic, 'g').then(({ members, paused }) => [members, paused]), [1, true])
    await first.leave()
    assert.equal((await kit.groupCensus(topic, 'g')).members, 0)
  },

  'a dead member is not counted for ever, and what it had is ready again': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a')
    await dying.getsOne('a')
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    await member.done(await member.getsOne('a'))
    await kit.until('one member is left', async () => (await kit.groupCensus(topic, 'g')).members === 1)
    await conserved(kit, topic, 'g')
  },

  'a dead member whose place nobody takes is not counted for ever': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a')
    await dying.getsOne('a')
    await doomed.kill()
    const seen = await kit.until('no member is left', async () => {
      const counts = await kit.groupCensus(topic, 'g')
      return counts.members === 0 && counts
    })
    assert.equal(seen.lag, 1)
    await conserved(kit, topic, 'g')
  },

  'the oldest unfinished message is known by its time': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    assert.equal((await kit.groupCensus(topic, 'g')).oldest, null)
    const at = kit.wall()
    await kit.publish(topic, null, 'a')
    await kit.pass(5_000)
    await kit.publish(topic, null, 'b')
    assert.equal((await kit.groupCensus(topic, 'g')).oldest, at)
    const [a, b] = await member.gets('a', 'b')
    assert.equal((await kit.groupCensus(topic, 'g')).oldest, at, 'leased is not finished')
    await member.done(a ?? assert.fail())
    const { oldest } = await kit.groupCensus(topic, 'g')
    assert.ok(oldest !== null && oldest > at)
    await member.done(b ?? assert.fail())
    assert.equal((await kit.groupCensus(topic, 'g')).oldest, null)
  },

  'a group that starts at the end owes nothing for what was before': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a', 'b')
    await kit.engine.groups.create(topic, 'late', 'end')
    await kit.publish(topic, null, 'c')
    const { ready, lag } = await kit.groupCensus(topic, 'late')
    assert.deepEqual([ready, lag], [1, 1])
  },
}, needs.exactCensus)

export const censusOfHolds = [
  ...about('census', {
    'what is removed unread is counted as purged': async (kit) => {
      const topic = await kit.topic({ cap: { count: 2, whenFull: 'trim' } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a', 'b', 'c', 'd', 'e')
      const { ready, purged } = await kit.until('the oldest are gone', async () => {
        const seen = await kit.groupCensus(topic, 'g')
        return seen.ready === 2 && seen
      })
      assert.deepEqual([ready, purged], [2, 3])
      await conserved(kit, topic, 'g')
      await member.finishes('d', 'e')
      await conserved(kit, topic, 'g')
    },
  }, both(needs.trim, needs.exactCensus)),

  ...about('census', {
    'a lent message is counted as lent, and what waits behind it as parked': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, 'k', 'a', 'b')
      const hold = await member.lend((await member.lease(1))[0] ?? (await member.takeOne()), 't', 600_000)
      await member.getsNothing()
      const { lent, parked, ready } = await kit.groupCensus(topic, 'g')
      assert.deepEqual([lent, parked + ready], [1, 1])
      await conserved(kit, topic, 'g')
      await kit.decide({ hold, token: 't', to: 'drop' })
      await member.finishes('b')
      await conserved(kit, topic, 'g')
      const after = await kit.groupCensus(topic, 'g')
      assert.deepEqual([after.lent, after.parked, after.ready, after.settled + after.purged], [0, 0, 0, 2])
    },
  }, both(needs.lend, needs.exactCensus)),
]
