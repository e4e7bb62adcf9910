import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../core/clock.js'
import type { BeatOrder, BeatThread } from './beat-protocol.js'
import { clientOf } from './clients/index.js'
import { stillBeats } from './scripts/still-beats.js'

// Runs in a thread of its own.
const { module, alive } = workerData as BeatThread
const { client: made } = (await import(module)) as { readonly client: unknown }
const client = clientOf(typeof made === 'function' ? await (made as () => unknown)() : made)
const timers = new Map<number, NodeJS.Timeout>()

async function beat({ beats, member, leaseMs, stallMs, beatAt }: BeatOrder & { readonly do: 'begin' }): Promise<void> {
  const askedAt = systemClock.monotonic()
  if (askedAt - (alive[0] ?? 0) > stallMs) return
  // Until it has beaten once, the member has just joined, as far as it knows.
  const sinceMs = beatAt[0] ? askedAt - beatAt[0] : leaseMs
  const answer = await client.run(stillBeats, [beats], [member, leaseMs, sinceMs], leaseMs).catch(() => 0)
  if (answer === 1) beatAt[0] = askedAt
}

parentPort?.on('message', (order: BeatOrder) => {
  if (order.do === 'begin') {
    timers.set(order.id, setInterval(() => void beat(order), order.leaseMs / 3))
    void beat(order).then(() => parentPort?.postMessage(order.id, []))
  } else {
    clearInterval(timers.get(order.id))
    timers.delete(order.id)
  }
})
