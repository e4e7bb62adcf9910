// Fills the store that its argument names with some of everything, says so, and waits: to be closed or killed.
import { embedded } from 'millrace/embedded'
import { guard, topicConfig } from 'millrace/engine'
import { Random } from '../random.mjs'

const { path, seed, messages } = JSON.parse(process.argv[2])
const random = new Random(seed, 'fill')
const engine = guard(embedded({ path, lmdb: import.meta.resolve('lmdb') }))
const far = Date.now() + 10 * 365 * 86_400_000

await engine.open()
await engine.topics.create(topicConfig({ name: 'orders', partitions: 3, keep: {} }))
for (const group of ['a', 'b']) await engine.groups.create('orders', group, 'start')
for (let sent = 0; sent < messages; ) {
  const batch = Math.min(messages - sent, random.between(1, 40))
  await engine.publish(Array.from({ length: batch }, (_, index) => draft(sent + index)))
  sent += batch
}
for (const group of ['a', 'b']) await use(group)
process.send('filled')
process.on('message', () => void end())

async function end() {
  await engine.close()
  process.disconnect()
}

function draft(number) {
  const value = Buffer.alloc(random.between(0, 10) === 0 ? random.between(4_000, 20_000) : random.between(10, 600), `${seed} ${number} `)
  return { id: `m${number}`, topic: 'orders', partition: number % 3, key: `k${number % 20}`, value, headers: [['trace', Buffer.from(`t${number}`)]], timestamp: Date.now(), producerId: 'fill', ...heldSomehow(number) }
}

function heldSomehow(number) {
  if (number % 10 === 3) return { hold: { why: 'delay', until: far, then: 'release', attempt: 0 } }
  if (number % 10 === 6) return { hold: { why: 'prepared', until: far, then: { ask: 'nobody', checks: 3, everyMs: 1_000, parkAt: far }, attempt: 0 } }
  return number % 10 === 9 ? { dedup: { id: `d${number}`, windowMs: 3_600_000 } } : {}
}

/** Leases a good part of it and gives all kinds of verdicts, some not. */
async function use(group) {
  const membership = await engine.join({ topic: 'orders', group, member: `first-${group}`, mode: 'share', from: 'start', leaseMs: 600_000, stallMs: 600_000, drainMs: 1_000, maxDeliveries: 3, park: group === 'b', revoke: async () => undefined })
  for (let left = messages / 2; left > 0; ) {
    const leased = await membership.lease({ max: 40, waitMs: 0 })
    if (leased.length === 0) break
    left -= leased.length
    await membership.settle(leased.map((delivery, index) => verdict(delivery, group, index)))
  }
  if (group === 'a') await membership.leave()
}

function verdict(delivery, group, index) {
  const failure = { reason: 'it was its turn', kind: 'CHANCE', firstAt: Date.now(), lastAt: Date.now() }
  if (index % 9 === 4) return { delivery, is: 'hold', hold: { why: 'retry', until: far, then: 'release', group, attempt: delivery.attempt, failure } }
  if (index % 9 === 7) return { delivery, is: 'hold', hold: { why: 'dead', until: 'decided', then: 'release', group, attempt: delivery.attempt, failure } }
  return { delivery, is: 'done' }
}
