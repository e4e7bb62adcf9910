import type { Harness, Instance } from '../../conformance/harness.js'
import { guard } from '../../engine/guard.js'
import { memory, memoryStore } from '../../engines/memory/index.js'
import { HandClock } from '../hand-clock.js'

/** A store in memory; each instance is an engine of its own on it, as several share one. */
export async function memoryHarness(): Promise<Harness> {
  const store = memoryStore()
  const clock = new HandClock()
  const live = new Set<Instance>()

  return {
    name: 'memory',
    wall: () => clock.wall(),
    pass: (ms) => clock.advance(ms),
    jumpWall: (ms) => clock.jumpWall(ms),
    async open() {
      const raw = memory({ store, clock })
      const engine = guard(raw)
      await engine.open()
      const instance: Instance = {
        engine,
        async kill() {
          if (live.delete(instance)) await raw.die()
        },
        async close() {
          if (live.delete(instance)) await engine.close()
        },
      }
      live.add(instance)
      return instance
    },
    async close() {
      for (const instance of live) await instance.close()
    },
  }
}
