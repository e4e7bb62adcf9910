import { fixed, Millrace } from 'millrace'
import { setTimeout as pause } from 'node:timers/promises'
import { sumOf } from './sending.mjs'
import { watched } from './watched.mjs'

/**
 * Consumes through `mill.consume`, as an application does. A message says itself how it is poison: its handler throws, ends the process,
 * or never returns.
 *
 * Options: `topic`, `group`, `leaseMs`, `attempts`, `deadlineMs`, `workMs`.
 */
export async function play(part) {
  const { recorder, random, options: { topic, group, leaseMs = 2_000, attempts = 3, deadlineMs = 400, workMs = 8 } } = part
  const { engine, leases } = watched(await part.adapter.open(part), recorder)
  const mill = new Millrace({ engine })
  const handle = async ({ id, partition, offset, key, value, attempt }) => {
    const place = { topic, id, partition, offset: String(offset) }
    recorder.record('delivered', { ...place, key, sequence: value.sequence, sum: sumOf(JSON.stringify(value)), ...leases.get(`${partition}/${offset}`), attempt })
    await pause(random.between(0, workMs))
    if (value.poison === 'throws') throw new Error('poison')
    if (value.poison === 'exits') process.exit(1)
    if (value.poison === 'hangs') await new Promise(() => undefined)
  }
  const consumer = mill.consume(topic, group, handle, {
    leaseMs, deadlineMs, member: part.process, maxDeliveries: attempts, concurrency: 16, retry: [{ retry: fixed({ attempts, everyMs: 60 }), when: 'later' }],
  })
  return {
    rest: () => undefined,
    end: async () => {
      await consumer.close({ deadlineMs: 5_000 })
      await mill.close()
      await engine.close()
    },
  }
}
