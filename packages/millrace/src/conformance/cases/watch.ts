import assert from 'node:assert/strict'
import type { Stir } from '../../engine/engine.js'
import { about } from '../case.js'
import type { Kit } from '../kit.js'
import { needs } from '../needs.js'

/** Waits for a ring after something happened. Spurious ones before it are forgiven. */
async function rings(kit: Kit, wanted: Stir['what'], happen: () => Promise<unknown>): Promise<void> {
  const stirs: Stir[] = []
  const unwatch = kit.engine.watch((stir) => stirs.push(stir))
  await kit.pass(100)
  stirs.length = 0
  await happen()
  await kit.until(`${wanted} is rung`, () => stirs.some(({ what }) => what === wanted), () => `only ${stirs.map(({ what }) => what).join(', ')} was rung, not ${wanted}`)
  unwatch()
}

export const watch = [
  ...about('watch', {
    'a published message is rung for': async (kit) => {
      const topic = await kit.topic()
      await kit.member(topic, 'g')
      await rings(kit, 'ready', () => kit.publish(topic, null, 'a'))
    },

    'a message published by another instance is rung for': async (kit) => {
      const topic = await kit.topic()
      await kit.member(topic, 'g')
      const { engine } = await kit.another()
      await rings(kit, 'ready', () => engine.publish([kit.draft(topic, 'a')]))
    },

    'a hold that ripens is rung for': async (kit) => {
      const topic = await kit.topic()
      await kit.keeper()
      await kit.member(topic, 'g')
      await kit.send(kit.draft(topic, 'a', { hold: kit.delay(5_000) }))
      await rings(kit, 'ready', () => kit.pass(5_000))
    },

    'a new hold is rung for': async (kit) => {
      const topic = await kit.topic()
      await rings(kit, 'held', () => kit.send(kit.draft(topic, 'a', { hold: kit.delay(60_000) })))
    },

    'a message that is held by verdict, and its decision, are rung for': async (kit) => {
      const topic = await kit.topic()
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      const delivery = await member.getsOne('a')
      await rings(kit, 'held', () => member.dead(delivery))
      await rings(kit, 'held', () => kit.decide({ hold: member.holdOf(delivery), to: 'drop' }))
    },

    'members that come are rung for': async (kit) => {
      const topic = await kit.topic()
      await rings(kit, 'members', () => kit.member(topic, 'g'))
    },

    'a pause of a group or a topic is rung for': async (kit) => {
      const topic = await kit.topic()
      await kit.engine.groups.create(topic, 'g', 'start')
      await rings(kit, 'paused', () => kit.engine.groups.pause(topic, 'g', true))
      await rings(kit, 'paused', () => kit.engine.topics.alter(topic, { paused: true }))
    },

    'who stopped watching hears nothing more': async (kit) => {
      const topic = await kit.topic()
      await kit.member(topic, 'g')
      let rung = 0
      const unwatch = kit.engine.watch(() => (rung += 1))
      unwatch()
      await kit.publish(topic, null, 'a')
      await kit.pass(2_000)
      assert.equal(rung, 0)
    },
  }),

  ...about('watch', {
    'room in a full topic is rung for': async (kit) => {
      const topic = await kit.topic({ cap: { count: 1, whenFull: 'refuse' } })
      const member = await kit.member(topic, 'g')
      await kit.publish(topic, null, 'a')
      await kit.refusesDraft('FULL', kit.draft(topic, 'b'))
      await rings(kit, 'room', () => member.finishes('a'))
    },
  }, needs.cap),
]
