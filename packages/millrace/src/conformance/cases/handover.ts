import assert from 'node:assert/strict'
import type { Delivery, Verdict } from '../../engine/engine.js'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import type { Member } from '../member.js'
import { texts } from '../text.js'

/** The verdict of somebody who is fenced or dead: whatever is answered, it must not say that it counted. */
async function tooLate(member: Member, ...verdicts: readonly Verdict[]): Promise<void> {
  const outcomes = await member.settle(...verdicts).catch(() => ['lapsed'])
  assert.ok(outcomes.every((outcome) => outcome === 'lapsed'), `a late verdict is lapsed, not ${outcomes.join(', ')}`)
}

function partitionsOf(kit: Kit, topic: string, member: Member): Promise<readonly number[]> {
  return kit.engine.groups.positions(topic, 'g').then((all) => all.filter(({ owner }) => owner === member.name).map(({ partition }) => partition))
}

async function ownsAll(kit: Kit, topic: string, member: Member, count: number): Promise<void> {
  await kit.until(`${member.name} owns all`, async () => (await partitionsOf(kit, topic, member)).length === count)
}

export const handover = about('handover', {
  'before a partition goes to another member its owner is asked to let go, and awaited': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    let letGo: () => void = () => undefined
    const revoked: (readonly number[])[] = []
    const first = await kit.member(topic, 'g', {
      drainMs: 20_000,
      revoke: (partitions) => {
        revoked.push(partitions)
        return new Promise((resolve) => (letGo = resolve))
      },
    })
    await ownsAll(kit, topic, first, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const taken = await first.getsInAnyOrder('p0', 'p1')
    const second = await kit.member(topic, 'g')
    await kit.until('one partition is revoked', () => revoked.length > 0)
    await second.getsNothing(2_000)
    const moving = taken.find(({ message }) => revoked[0]?.includes(message.partition)) ?? assert.fail('what is revoked was owned')
    await first.done(moving)
    letGo()
    await kit.until('the second owns one', async () => (await partitionsOf(kit, topic, second)).length === 1)
    await second.getsNothing()
  },

  'what is unfinished when a partition is let go is handed back and not counted': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const first = await kit.member(topic, 'g')
    await ownsAll(kit, topic, first, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const taken = await first.getsInAnyOrder('p0', 'p1')
    const second = await kit.member(topic, 'g')
    const moved = await second.takeOne()
    assert.deepEqual([moved.attempt, moved.alone], [1, false])
    const stale = taken.find(({ message }) => message.id === moved.message.id) ?? assert.fail()
    assert.ok(moved.epoch > stale.epoch, 'the epoch grew')
    await tooLate(first, { delivery: stale, is: 'done' })
    await second.done(moved)
    await first.done(...taken.filter((each) => each !== stale))
  },

  'an owner that does not let go within its drain time is told, and the partition is taken by force': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    let aborted = false
    const first = await kit.member(topic, 'g', {
      drainMs: 2_000,
      revoke: (_, signal) => {
        signal.addEventListener('abort', () => (aborted = true))
        return new Promise(() => undefined)
      },
    })
    await ownsAll(kit, topic, first, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const taken = await first.getsInAnyOrder('p0', 'p1')
    const second = await kit.member(topic, 'g')
    const moved = await second.takeOne()
    assert.ok(aborted, 'the signal said that the time is over')
    const stale = taken.find(({ message }) => message.id === moved.message.id) ?? assert.fail()
    await tooLate(first, { delivery: stale, is: 'done' })
    await second.done(moved)
  },

  'an owner that fails to let go has let go': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const first = await kit.member(topic, 'g', { revoke: () => Promise.reject(new Error('cannot drain')) })
    await ownsAll(kit, topic, first, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const taken = await first.getsInAnyOrder('p0', 'p1')
    const second = await kit.member(topic, 'g')
    const moved = await second.takeOne()
    assert.equal(moved.attempt, 1)
    await second.done(moved)
    await first.done(...taken.filter(({ message }) => message.id !== moved.message.id))
  },

  'a member that leaves while it is asked to let go leaves everything to the others': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    let aborted = false
    let asked = false
    const first = await kit.member(topic, 'g', {
      drainMs: 600_000,
      revoke: (_, signal) => {
        asked = true
        return new Promise((resolve) => signal.addEventListener('abort', () => ((aborted = true), resolve())))
      },
    })
    await ownsAll(kit, topic, first, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    await first.getsInAnyOrder('p0', 'p1')
    const second = await kit.member(topic, 'g')
    await kit.until('it is asked', () => asked)
    await kit.comes(first.leave())
    await second.done(...(await second.getsInAnyOrder('p0', 'p1')))
    await kit.until('the signal says that the partitions are lost', () => aborted)
  },

  // Loss path 11.
  "a stale owner's verdict changes nothing": async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    assert.ok(a && b && c)
    await kit.engine.groups.seek(topic, 'g', { offset: a.message.offset })
    const outcomes = await member.settle({ delivery: a, is: 'done' }, { delivery: b, is: 'hold', hold: member.dying(b) }, { delivery: c, is: 'back' })
    assert.deepEqual(outcomes, ['lapsed', 'lapsed', 'lapsed'])
    assert.deepEqual(await kit.held({ topic }), [])
    await member.finishes('a', 'b', 'c')
  },

  'among verdicts of one call only the stale ones lapse': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const member = await kit.member(topic, 'g')
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const taken = [...(await member.getsInAnyOrder('p0', 'p1'))].sort((one, other) => one.message.partition - other.message.partition)
    await kit.engine.groups.seek(topic, 'g', 'start', 0)
    assert.deepEqual(await member.settle(...taken.map((delivery) => ({ delivery, is: 'done' as const }))), ['lapsed', 'settled'])
    await member.finishes('p0')
    await member.getsNothing()
  },

  // Loss path 7.
  'what a member that leaves has unfinished goes to the others at once, not counted': async (kit) => {
    const topic = await kit.topic()
    const leaving = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b')
    await leaving.gets('a', 'b')
    await leaving.leave()
    const member = await kit.member(topic, 'g')
    const taken = await member.gets('a', 'b')
    assert.deepEqual(taken.map(({ attempt, alone }) => [attempt, alone]), [[1, false], [1, false]])
  },

  // Loss path 7.
  'the partitions of a dead member go to the living, with what it had unfinished': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await ownsAll(kit, topic, dying, 2)
    await kit.send(kit.draft(topic, 'p0'), kit.draft(topic, 'p1', { partition: 1 }))
    const before = await dying.getsInAnyOrder('p0', 'p1')
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    for (let round = 0; round < 2; round += 1) {
      const delivery = await member.takeOne()
      assert.deepEqual([delivery.attempt, delivery.alone], [2, true])
      assert.ok(delivery.epoch > (before.find(({ message }) => message.id === delivery.message.id)?.epoch ?? assert.fail()))
      await member.done(delivery)
    }
    await member.getsNothing()
  },

  'a silent member is not dead before its lease is over': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine, leaseMs: 10_000 })
    await kit.publish(topic, null, 'a')
    await dying.getsOne('a')
    const member = await kit.member(topic, 'g', { leaseMs: 10_000 })
    await doomed.kill()
    await member.getsNothing(4_000)
    await member.done(await member.getsOne('a'))
  },

  'a dead member that speaks again changes nothing': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a', 'b')
    const [a, b] = await dying.gets('a', 'b')
    assert.ok(a && b)
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    const again = await member.getsOne('a')
    await tooLate(dying, { delivery: a, is: 'done' }, { delivery: b, is: 'hold', hold: dying.dying(b) })
    await member.done(again)
    await member.finishes('b')
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'what a dead owner had unfinished runs alone until it has its verdict': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, null, 'a', 'b', 'c')
    await dying.gets('a', 'b')
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    const a = await member.getsOne('a')
    assert.deepEqual([a.alone, a.attempt], [true, 2])
    await member.getsNothing()
    await member.done(a)
    const b = await member.getsOne('b')
    assert.deepEqual([b.alone, b.attempt], [true, 2])
    await member.getsNothing()
    await member.done(b)
    const c = await member.getsOne('c')
    assert.deepEqual([c.alone, c.attempt], [false, 1])
  },

  'the epoch of a partition grows with every change of its owner': async (kit) => {
    const topic = await kit.topic()
    const epochs: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, `v${round}`)
      const delivery = await member.getsOne(`v${round}`)
      assert.equal((await kit.position(topic, 'g')).epoch, delivery.epoch)
      epochs.push(delivery.epoch)
      await member.done(delivery)
      await member.leave()
    }
    assert.ok(epochs.every((epoch, index) => index === 0 || epoch > (epochs[index - 1] ?? epoch)), `epochs grow: ${epochs.join(', ')}`)
  },

  // Loss path 10.
  'members that come and go all the time skip nothing, stall nothing and break no order': async (kit) => {
    const topic = await kit.topic({ partitions: 4 })
    const first = new Map<string, number>()
    const finished = new Map<string, number>()
    const lastOf = new Map<string, number>()
    const total = 120
    await kit.send(...Array.from({ length: total }, (_, index) => kit.draft(topic, `${index}`, { key: `k${index % 8}`, partition: index % 4 })))

    const saw = (delivery: Delivery): void => {
      const [value] = texts([delivery])
      const { key } = delivery.message
      assert.ok(value !== undefined && key !== null)
      if (first.has(value)) return
      assert.ok(Number(value) > (lastOf.get(key) ?? -1), `first deliveries of ${key} come in order: ${value} after ${lastOf.get(key)}`)
      first.set(value, 1)
      lastOf.set(key, Number(value))
    }
    const round = async (member: Member): Promise<void> => {
      const taken = await member.lease(7)
      for (const delivery of taken) saw(delivery)
      const verdicts = taken.filter((_, index) => index % 3 !== 2).map((delivery) => ({ delivery, is: 'done' as const }))
      for (const [index, outcome] of (await member.settle(...verdicts)).entries()) {
        const [value] = texts([verdicts[index]?.delivery ?? assert.fail()])
        if (outcome === 'settled') finished.set(value ?? '', (finished.get(value ?? '') ?? 0) + 1)
      }
    }

    let members = [await kit.member(topic, 'g'), await kit.member(topic, 'g')]
    await kit.until('all are finished', async () => {
      members.push(await kit.member(topic, 'g'))
      for (const member of members) await round(member)
      const [leaving, ...rest] = members
      await leaving?.leave()
      members = rest
      await kit.pass(400)
      return finished.size === total
    }, () => `${finished.size} of ${total} are finished`)
    assert.ok([...finished.values()].every((count) => count === 1), 'each is finished once')
    await kit.until('the watermarks are at the end', async () => (await kit.engine.groups.positions(topic, 'g')).every(({ lag }) => lag === 0))
  },
})
