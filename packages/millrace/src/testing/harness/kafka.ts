import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Harness, Instance } from '../../conformance/harness.js'
import { guard } from '../../engine/guard.js'
import { kafka, type KafkaClient } from '../../engines/kafka/index.js'

export interface KafkaHarnessOptions {
  /** What the suite says it ran on. */
  readonly name?: string
  readonly replicationFactor?: number
  /** Told when nobody uses topics and groups of this prefix any more: they are there still. */
  readonly onClosed?: (prefix: string) => void
}

/** Topics of their own, told apart by a prefix, on a cluster that is there. Time is real. `makeClient` makes one client for each instance. */
export async function kafkaHarness(makeClient: () => KafkaClient, { name = 'kafka', replicationFactor = 1, onClosed = () => undefined }: KafkaHarnessOptions = {}): Promise<Harness> {
  const prefix = `${randomUUID().slice(0, 8)}.`
  const live = new Set<Instance>()
  const killed = new Set<{ close(): Promise<void> }>()

  return {
    name,
    wall: () => Date.now(),
    pass: (ms) => pause(ms),
    stall: async (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    async open() {
      const raw = kafka({ client: makeClient(), prefix, replicationFactor })
      const engine = guard(raw)
      await engine.open()
      const instance: Instance = {
        engine,
        async kill() {
          if (!live.delete(instance)) return
          killed.add(raw)
          await raw.die()
        },
        async close() {
          if (live.delete(instance)) await engine.close()
        },
      }
      live.add(instance)
      return instance
    },
    async close() {
      for (const each of [...live, ...killed]) await each.close()
      onClosed(prefix)
    },
  }
}
