import fastq from 'fastq'
import { memory } from 'millrace'
import { drain, inLanes, items, millOf, rate } from '../workload.mjs'

// How many messages a second go through the memory engine in one process: sent, consumed and acknowledged?

const batched = 200_000
const single = 100_000
const bytes = 200

/** @returns {Promise<readonly import('../rounds.mjs').Contender[]>} */
export async function contenders() {
  return [
    { name: 'batched', unit: 'messages/s', says: 'sendMany of 1,000, batch handler', round: () => roundOf(batched, sendBatched, true) },
    { name: 'single', unit: 'messages/s', against: 'fastq', says: 'send and handler one by one, 1,000 sends under way', round: () => roundOf(single, sendSingly, false) },
    { name: 'fastq', unit: 'messages/s', says: 'promise queue, concurrency 32: no topics, groups, retries', round: fastqRound },
    { name: 'batched-5-groups', unit: 'messages/s', says: 'as batched, 5 groups, each delivery counted', round: () => fiveGroups() },
    { name: 'batched-10kB', unit: 'messages/s', says: 'as batched, 10 kB values', round: () => roundOf(20_000, sendBatched, true, 10_000) },
  ]
}

/** @param {number} count @param {typeof sendBatched} send @param {boolean} isBatch */
async function roundOf(count, send, isBatch, size = bytes) {
  const mill = await millOf(memory())
  const list = items(size, count)
  const speed = await rate(count, () => Promise.all([send(mill, list), drain(mill, count, { isBatch, options: isBatch ? {} : { prefetch: 1_000 } })]))
  await mill.close()
  return speed
}

async function fiveGroups() {
  const mill = await millOf(memory())
  const count = batched / 2
  const list = items(bytes, count)
  const groups = [1, 2, 3, 4, 5].map((group) => drain(mill, count, { group: `group-${group}` }))
  const speed = await rate(count * 5, () => Promise.all([sendBatched(mill, list), ...groups]))
  await mill.close()
  return speed
}

/** @param {import('millrace').Millrace} mill @param {ReturnType<typeof items>} list */
async function sendBatched(mill, list) {
  for (let at = 0; at < list.length; at += 1_000) await mill.sendMany('bench', list.slice(at, at + 1_000))
}

/** @param {import('millrace').Millrace} mill @param {ReturnType<typeof items>} list */
async function sendSingly(mill, list) {
  await inLanes(list.length, 1_000, async (index) => {
    const { value, key } = list[index] ?? {}
    await mill.send('bench', value, { key })
  })
}

async function fastqRound() {
  let seen = 0
  const queue = fastq.promise(async () => {
    seen += 1
  }, 32)
  const list = items(bytes, single)
  return rate(single, () => inLanes(single, 1_000, (index) => queue.push(list[index])))
}
