import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Harness, Instance } from '../../conformance/harness.js'
import { guard } from '../../engine/guard.js'
import { redis } from '../../engines/redis/index.js'

/** A client as a user makes it, and how the user ends it. */
export interface UserClient {
  readonly client: unknown
  end(): Promise<void>
}

export interface RedisHarnessOptions {
  readonly replicas?: number
  /** A module that makes a client of its own, to beat with. */
  readonly beat?: string
  /** What a millisecond of the suite lasts. */
  readonly timeScale?: number
}

/** Keys of their own, told apart by a prefix, on a server that is there. Time is real. `makeClient` makes one client for each instance. */
export async function redisHarness(makeClient: () => Promise<UserClient>, { replicas = 0, timeScale = 1, beat }: RedisHarnessOptions = {}): Promise<Harness> {
  const prefix = `${randomUUID().slice(0, 8)}:`
  const live = new Set<Instance>()
  const killed = new Set<{ close(): Promise<void> }>()

  return {
    name: 'redis',
    timeScale,
    wall: () => Date.now(),
    pass: (ms) => pause(ms),
    stall: async (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    async open() {
      const { client, end } = await makeClient()
      const raw = redis({ client, prefix, replicas, ...(beat !== undefined && { beat }) })
      const engine = guard(raw)
      await engine.open()
      const instance: Instance = {
        engine,
        async kill() {
          if (!live.delete(instance)) return
          killed.add({ close: async () => raw.close().finally(() => void end()) })
          await raw.die()
        },
        async close() {
          if (live.delete(instance)) await engine.close().finally(() => void end())
        },
      }
      live.add(instance)
      return instance
    },
    async close() {
      for (const each of [...live, ...killed]) await each.close()
    },
  }
}
