import assert from 'node:assert/strict'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import { text, texts } from '../text.js'

/** An instance takes what there is and dies with it. */
async function dieWith(kit: Kit, topic: string, maxDeliveries: number): Promise<readonly { value: string; attempt: number; alone: boolean }[]> {
  const doomed = await kit.another()
  const member = await kit.member(topic, 'g', { engine: doomed.engine, maxDeliveries })
  const first = await member.takeOne()
  const taken = [first, ...(await member.lease())]
  await doomed.kill()
  return taken.map((delivery) => ({ value: texts([delivery])[0] ?? '', attempt: delivery.attempt, alone: delivery.alone }))
}

export const poison = about('poison', {
  // Loss path 12.
  'a message that kills its process runs exactly as often as it may, and is a dead letter then': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'killer')
    for (const attempt of [1, 2, 3]) {
      assert.deepEqual(await dieWith(kit, topic, 3), [{ value: 'killer', attempt, alone: attempt > 1 }])
    }
    const member = await kit.member(topic, 'g', { maxDeliveries: 3 })
    await member.getsNothing(10_000)
    const { hold, message } = await kit.heldOne({ topic })
    assert.deepEqual([hold.why, hold.until, hold.group, hold.failure?.kind, text(message.value)], ['dead', 'decided', 'g', 'POISON', 'killer'])
  },

  // Loss path 12.
  'the neighbours of a process-killer are not parked with it': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'killer', 'one', 'two')
    assert.equal((await dieWith(kit, topic, 2)).length, 3)
    assert.deepEqual(await dieWith(kit, topic, 2), [{ value: 'killer', attempt: 2, alone: true }], 'it runs alone from then on')
    const member = await kit.member(topic, 'g', { maxDeliveries: 2 })
    const survivors = await kit.until('the neighbours come or are parked', async () => {
      const taken = await member.lease()
      if (taken.length > 0) await member.done(...taken)
      return (await kit.position(topic, 'g')).lag === 0 && taken
    })
    assert.ok(survivors)
    assert.deepEqual((await kit.held({ topic })).map(({ message }) => text(message.value)), ['killer'])
  },

  'what runs alone is in no batch with others': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    await kit.send(kit.draft(topic, 'killer'))
    await dieWith(kit, topic, 3)
    const member = await kit.member(topic, 'g')
    await kit.send(...Array.from({ length: 10 }, (_, index) => kit.draft(topic, `v${index}`, { partition: 1 })))
    let finished = 0
    await kit.until('all are finished', async () => {
      const taken = await member.lease()
      assert.ok(taken.length === 1 || taken.every(({ alone }) => !alone), `alone, not with ${texts(taken).join(', ')}`)
      if (taken[0]?.alone) assert.deepEqual(texts(await member.lease()), [], 'nothing comes beside it')
      await member.done(...taken)
      finished += taken.length
      return finished === 11
    })
  },

  'a member that loses what it ran alone goes on with the rest': async (kit) => {
    const topic = await kit.topic({ partitions: 2 })
    await kit.send(kit.draft(topic, 'killer'))
    await dieWith(kit, topic, 3)
    const member = await kit.member(topic, 'g')
    await member.getsOne('killer')
    await kit.send(kit.draft(topic, 'other', { partition: 1 }))
    await member.getsNothing()
    await kit.engine.groups.seek(topic, 'g', 'start', 0)
    const finished: string[] = []
    for (let round = 0; round < 2; round += 1) {
      const delivery = await member.takeOne()
      finished.push(...texts([delivery]))
      await member.done(delivery)
    }
    assert.deepEqual(finished.sort(), ['killer', 'other'])
  },

  'a message of a dead member that finishes alone is finished': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a', 'b')
    await dieWith(kit, topic, 3)
    const member = await kit.member(topic, 'g')
    await member.finishes('a')
    await member.finishes('b')
    await member.getsNothing()
    assert.deepEqual(await kit.held({ topic }), [])
  },

  'a poisoned message may be redriven': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'killer')
    await dieWith(kit, topic, 1)
    const member = await kit.member(topic, 'g', { maxDeliveries: 1 })
    await kit.until('it is parked', async () => {
      assert.deepEqual(texts(await member.lease()), [])
      return (await kit.held({ topic, why: 'dead' })).length === 1
    })
    await kit.decide({ hold: (await kit.heldOne({ topic })).id, to: 'release' })
    assert.equal((await member.getsOne('killer')).attempt, 1)
  },

  'the other groups are not troubled by a death': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, null, 'a')
    await dieWith(kit, topic, 1)
    const other = await kit.member(topic, 'other')
    const { attempt, alone } = await other.getsOne('a')
    assert.deepEqual([attempt, alone], [1, false])
  },
})
