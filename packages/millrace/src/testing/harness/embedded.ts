import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Harness, Instance } from '../../conformance/harness.js'
import { guard } from '../../engine/guard.js'
import { embedded } from '../../engines/embedded/index.js'
import { HandClock } from '../hand-clock.js'

/** A store in a folder of its own; each instance is a thread on it, as each process of a host has one. */
export async function embeddedHarness(lmdb: string): Promise<Harness> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-embedded-'))
  const clock = new HandClock()
  const live = new Set<Instance>()

  return {
    name: 'embedded',
    wall: () => clock.wall(),
    pass: (ms) => clock.advance(ms),
    jumpWall: (ms) => clock.jumpWall(ms),
    stall: (ms) => clock.stall(ms),
    async open() {
      const raw = embedded({ path, lmdb, clock })
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
      await rm(path, { recursive: true, force: true })
    },
  }
}
