import assert from 'node:assert/strict'
import type { Need } from './case.js'
import { type Kit, refuses } from './kit.js'

/** The traits that cases need. Each with the proof that an engine without it refuses what it cannot do. */
export const needs = {
  durable: {
    needs: (traits) => traits.persistent,
    refusal: async (kit) => {
      const topic = await kit.topic()
      assert.ok(!kit.traits.durability.includes('os'), 'what is gone after close does not survive a killed process')
      await refuses('UNSUPPORTED', kit.engine.publish([kit.draft(topic, 'a')], 'os'))
      assert.deepEqual(await kit.log(topic), [], 'what was refused is not stored')
    },
  },
  beats: {
    needs: (traits) => traits.beatsWhileBlocked,
    // Nothing asks for it by name: the trait itself is how an engine says so.
    refusal: async (kit) => assert.equal(kit.traits.beatsWhileBlocked, false),
  },
  park: {
    needs: (traits) => traits.park,
    refusal: async (kit) => refuses('UNSUPPORTED', kit.member(await kit.topic(), 'g', { park: true })),
  },
  lend: {
    needs: (traits) => traits.lend,
    refusal: async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const delivery = await member.getsOne('a')
      await refuses('UNSUPPORTED', member.lend(delivery, 'token', 1_000))
      assert.deepEqual(await kit.held({ topic }), [], 'what was refused is not held')
      await member.done(delivery)
    },
  },
  broadcast: {
    needs: (traits) => traits.broadcast,
    refusal: async (kit) => refuses('UNSUPPORTED', kit.member(await kit.topic(), 'g', { mode: 'broadcast' })),
  },
  dedup: {
    needs: (traits) => traits.dedup,
    refusal: async (kit) => {
      const topic = await kit.topic()
      await kit.refusesDraft('UNSUPPORTED', kit.draft(topic, 'a', { dedup: { id: 'once', windowMs: 1_000 } }))
      assert.deepEqual(await kit.log(topic), [])
    },
  },
  prepared: {
    needs: (traits) => traits.prepared,
    refusal: async (kit) => {
      const topic = await kit.topic()
      await kit.refusesDraft('UNSUPPORTED', kit.draft(topic, 'a', { hold: kit.prepared() }))
      await refuses('UNSUPPORTED', kit.keeper({ billing: async () => 'commit' }))
      assert.deepEqual(await kit.held({ topic }), [])
    },
  },
  trim: {
    needs: (traits) => traits.trim,
    refusal: async (kit) => {
      await refuses('UNSUPPORTED', kit.topic({ mayPassUnread: true }))
      await refuses('UNSUPPORTED', kit.topic({ cap: { count: 3, whenFull: 'trim' } }))
      assert.deepEqual(await kit.engine.topics.list(), [])
    },
  },
  cap: {
    needs: (traits) => traits.cap,
    refusal: async (kit: Kit) => {
      await refuses('UNSUPPORTED', kit.topic({ cap: { count: 3, whenFull: 'refuse' } }))
      assert.deepEqual(await kit.engine.topics.list(), [])
    },
  },
  capOverPartitions: {
    needs: (traits) => traits.capsOnePartition !== true,
    refusal: async (kit) => {
      await refuses('UNSUPPORTED', kit.topic({ partitions: 2, cap: { count: 3, whenFull: 'refuse' } }))
      const topic = await kit.topic({ cap: { count: 3, whenFull: 'refuse' } })
      await refuses('UNSUPPORTED', kit.engine.topics.alter(topic, { partitions: 2 }))
    },
  },
  exactCensus: {
    needs: (traits) => traits.census === 'exact',
    refusal: async (kit) => {
      const topic = await kit.topic()
      await kit.publish(topic, null, 'a')
      assert.equal(kit.traits.census, 'estimated', 'an engine that does not count says so')
      await kit.census(topic)
    },
  },
} satisfies Record<string, Need>

/** Both traits; refused as the first one that is absent is. */
export function both(one: Need, other: Need): Need {
  return {
    needs: (traits) => one.needs(traits) && other.needs(traits),
    refusal: (kit) => (one.needs(kit.traits) ? other : one).refusal(kit),
  }
}
