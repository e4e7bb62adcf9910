import { memory } from 'millrace'
import { delayCases } from '../delay-run.mjs'
import { Gate } from '../gate.mjs'
import { rival } from '../rivals/rival.mjs'
import { runRounds } from '../rounds.mjs'
import { batchSize, bench, benchJson, blobs, drain, inLanes, itemsOf, millOf, rate, texts } from '../workload.mjs'

// How many messages a second go through the memory engine in one process: sent, consumed and acknowledged, the consumer keeping pace?

const unread = 10_000
const many = itemsOf(blobs(200, 300_000))
const some = itemsOf(blobs(200, 100_000))
const json = itemsOf(texts(198, 200_000))
const large = itemsOf(blobs(10_000, 20_000))
const how = 'no schema, no middleware; at most 10,000 unread; durability none'

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 5, progress }) {
  /** @type {string[]} */
  const notes = []
  const cases = await runRounds(await contenders(notes), { rounds, progress })
  return { cases: [...cases, ...(await delayCases('memory', { progress, isLong: false }))], notes }
}

/** @param {string[]} notes @returns {Promise<readonly import('../rounds.mjs').Contender[]>} */
async function contenders(notes) {
  const fastq = await rival('fastq', () => import('../rivals/fastq.mjs'), notes)
  const jobQueue = await rival('@platformatic/job-queue', () => import('../rivals/job-queue.mjs'), notes)
  const unit = 'messages/s'
  const jobs = texts(200, 20_000)
  return [
    { name: 'batched', unit, says: `sendMany of 1,000, batch handler; ${how}`, round: () => batched(many) },
    { name: 'batched-json', unit, says: 'as batched, values of JSON', round: () => batched(json, { topic: benchJson }) },
    { name: 'batched-10kB', unit, says: 'as batched, 10 kB values', round: () => batched(large) },
    { name: 'batched-5-groups', unit: 'deliveries/s', says: 'as batched, 5 groups, each delivery counted', round: () => batched(some, { groups: 5 }) },
    { name: 'single', unit, ...(fastq && { against: 'fastq' }), says: `send and handler one by one, 1,000 sends under way; ${how}`, round: () => single(some) },
    ...(fastq ? [/** @type {import('../rounds.mjs').Contender} */ ({ name: 'fastq', unit, says: 'promise queue, concurrency 32, 1,000 under way: no topics, groups, keys or retries; durability none', round: () => fastq.fastqRound(some) })] : []),
    ...(jobQueue ? [/** @type {import('../rounds.mjs').Contender} */ ({ name: 'job-queue-memory', unit, says: '@platformatic/job-queue, memory storage, concurrency 32, 64 sends under way; durability none', round: () => jobQueue.jobQueueRound(jobs, 'memory') })] : []),
  ]
}

/** @param {readonly { value: unknown, key: string }[]} items @param {{ topic?: import('millrace').TopicContract<any>, groups?: number }} [over] */
async function batched(items, { topic = bench, groups = 1 } = {}) {
  const mill = await millOf(memory())
  await mill.topics.ensure(topic)
  const names = Array.from({ length: groups }, (_, index) => `group-${index}`)
  for (const name of names) await mill.groups.create(topic, name)
  const gate = new Gate(unread, groups)
  const readers = names.map((group, index) => drain(mill, items.length, { topic, group, seen: (count) => gate.saw(count, index) }))
  const speed = await rate(items.length * groups, () => Promise.all([send(mill, items, topic, gate), ...readers]))
  await mill.close()
  return speed
}

/** @param {import('millrace').Millrace} mill @param {readonly { value: unknown, key: string }[]} items @param {import('millrace').TopicContract<any>} topic @param {Gate} gate */
async function send(mill, items, topic, gate) {
  for (let at = 0; at < items.length; at += batchSize) {
    await gate.enter(batchSize)
    await mill.sendMany(topic, items.slice(at, at + batchSize))
  }
}

/** @param {readonly { value: Uint8Array, key: string }[]} items */
async function single(items) {
  const mill = await millOf(memory())
  const count = items.length
  const gate = new Gate(unread)
  const speed = await rate(count, () => Promise.all([
    inLanes(count, 1_000, async (index) => {
      const { value, key } = items[index]
      const wait = gate.enter(1)
      if (wait) await wait
      await mill.send(bench, value, { key })
    }),
    drain(mill, count, { isBatch: false, options: { prefetch: unread }, seen: (seen) => gate.saw(seen) }),
  ]))
  await mill.close()
  return speed
}
