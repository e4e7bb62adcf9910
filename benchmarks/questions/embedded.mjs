import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { embedded } from 'millrace/embedded'
import { delayCases } from '../delay-run.mjs'
import { Gate } from '../gate.mjs'
import { BareLmdb } from '../rivals/lmdb.mjs'
import { rival } from '../rivals/rival.mjs'
import { quantile, runRounds } from '../rounds.mjs'
import { batchSize, bench, blobs, drain, inLanes, itemsOf, keptTopic, millOf, rate, scratch, sendBatches, texts } from '../workload.mjs'

// How near does the embedded engine come to what its disk and bare LMDB can do?

const underWay = 4
const unread = 20_000
const small = blobs(200, 100_000)
const large = blobs(10_000, 5_000)
const topics = { batches: keptTopic('batches'), singles: keptTopic('singles'), large: keptTopic('large'), shared: keptTopic('shared'), steady: bench }
const groupNames = [1, 2, 3, 4, 5].map((number) => `group-${number}`)

/** @typedef {{ fsync: import('millrace').Millrace, os: import('millrace').Millrace, lmdb: BareLmdb }} Stores They stay open through all rounds, as they do in a program: what runs is warm. */

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, progress }) {
  /** @type {string[]} */
  const notes = []
  const [fsync, os, lmdb] = [await openStore('fsync'), await openStore('os'), new BareLmdb()]
  const stores = { fsync: fsync.mill, os: os.mill, lmdb }
  const contenders = [disk(), ...batches(stores), ...singles(stores), ...sizes(stores), ...(await rivals(notes))]
  const cases = await runRounds(contenders, { rounds, progress })
  await Promise.all([fsync.close(), os.close(), lmdb.close()])
  return { cases: [...cases, ...(await delayCases('embedded', { progress, isLong: false }))], notes }
}

/** @param {'fsync' | 'os'} durability */
async function openStore(durability) {
  const { path, remove } = scratch('embedded')
  const mill = await millOf(embedded({ path, lmdb: import.meta.resolve('lmdb'), durability }), Object.values(topics))
  for (const topic of Object.values(topics)) await mill.groups.create(topic, 'bench')
  for (const group of groupNames) await mill.groups.create(topics.shared, group)
  return {
    mill,
    close: async () => {
      await mill.close()
      remove()
    },
  }
}

/** @returns {import('../rounds.mjs').Contender} */
function disk() {
  return { name: 'fdatasync', unit: 'syncs/s', says: 'the disk: one page appended and synced, again and again', round: async () => syncs(500) }
}

/** @param {number} forMs */
function syncs(forMs) {
  const { path, remove } = scratch('disk')
  const file = openSync(join(path, 'file'), 'w')
  const page = Buffer.alloc(4_096, 1)
  let done = 0
  const start = performance.now()
  for (; performance.now() - start < forMs; done += 1) {
    writeSync(file, page)
    fdatasyncSync(file)
  }
  const speed = done / ((performance.now() - start) / 1_000)
  closeSync(file)
  remove()
  return speed
}

/** @param {Stores} stores @returns {import('../rounds.mjs').Contender[]} */
function batches({ fsync, os, lmdb }) {
  const unit = 'messages/s'
  return [
    {
      name: 'send', unit, against: 'lmdb', says: 'fsync before the answer; batches of 1,000, 4 under way',
      also: [{ name: 'consume', unit, says: 'batch handler; acknowledged at fsync' }],
      round: () => sendAndConsume(fsync, small, topics.batches),
    },
    { name: 'lmdb', unit, says: 'bare lmdb, fsync: the same batches, put and flushed, in its own thread; three times as many', round: () => bareBatches(lmdb, [...small, ...small, ...small]) },
    { name: 'steady', unit, says: `fsync; sent, consumed and removed at the same time, at most ${unread.toLocaleString('en')} unread`, round: () => steady(fsync) },
    {
      name: 'send-os', unit, says: 'os: survives a killed process, not a power loss',
      also: [{ name: 'consume-os', unit, says: 'os' }],
      round: () => sendAndConsume(os, small, topics.batches),
    },
  ]
}

/** @param {Stores} stores @returns {import('../rounds.mjs').Contender[]} */
function singles({ fsync, os, lmdb }) {
  const [many, few] = [small.slice(0, 20_000), small.slice(0, 1_000)]
  const unit = 'messages/s'
  return [
    { name: 'single-64', unit, against: 'lmdb', by: 'lmdb-single-64', says: 'fsync; 64 callers, each awaits its send', round: () => ownSpeed(fsync, many) },
    { name: 'lmdb-single-64', unit, says: 'fsync; 64 callers, each awaits put and flushed', round: () => rate(many.length, () => lmdb.singles(many, 64)) },
    { name: 'single-1-p50', unit: 'ms', against: 'lmdb', by: 'lmdb-single-1-p50', says: 'fsync; one caller', round: async () => quantile(await ownSingles(fsync, few, 1), 0.5) },
    { name: 'lmdb-single-1-p50', unit: 'ms', says: 'fsync; one caller', round: async () => quantile(await lmdb.singles(few, 1), 0.5) },
    { name: 'lmdb-sync-1-p50', unit: 'ms', says: 'fsync; one caller, transactionSync, which blocks its thread meanwhile', round: async () => quantile(lmdb.blocking(few), 0.5) },
    { name: 'single-64-os', unit, says: 'os; 64 callers, each awaits its send', round: () => ownSpeed(os, many) },
  ]
}

/** @param {Stores} stores @returns {import('../rounds.mjs').Contender[]} */
function sizes({ fsync, lmdb }) {
  return [
    {
      name: 'send-10kB', unit: 'messages/s', against: 'lmdb', by: 'lmdb-10kB', says: 'fsync; values of 10 kB',
      also: [{ name: 'consume-10kB', unit: 'messages/s', says: 'fsync; values of 10 kB' }],
      round: () => sendAndConsume(fsync, large, topics.large),
    },
    { name: 'lmdb-10kB', unit: 'messages/s', says: 'bare lmdb, fsync; values of 10 kB', round: () => bareBatches(lmdb, large) },
    { name: 'consume-5-groups', unit: 'deliveries/s', says: 'fsync; 5 groups at once, each delivery counted', round: () => fiveGroups(fsync, small.slice(0, 20_000)) },
  ]
}

/** @param {string[]} notes @returns {Promise<import('../rounds.mjs').Contender[]>} */
async function rivals(notes) {
  const plainjob = await rival('plainjob', () => import('../rivals/plainjob.mjs'), notes)
  const jobQueue = await rival('@platformatic/job-queue', () => import('../rivals/job-queue.mjs'), notes)
  const [values, jobs] = [texts(200, 10_000), texts(200, 500)]
  return [
    ...(plainjob ? [/** @type {import('../rounds.mjs').Contender} */ ({
      name: 'plainjob-send', unit: 'messages/s', says: 'plainjob on better-sqlite3, WAL and synchronous NORMAL: survives a killed process, not a power loss; batches of 1,000',
      also: [{ name: 'plainjob-consume', unit: 'messages/s', says: 'one worker, one by one' }],
      round: () => plainjob.plainjobRound(values),
    })] : []),
    ...(jobQueue ? [/** @type {import('../rounds.mjs').Contender} */ ({
      name: 'job-queue-file', unit: 'messages/s', says: '@platformatic/job-queue, file storage: several files a job, each synced, their folder not; sent and worked off, concurrency 32, 64 sends under way',
      round: () => jobQueue.jobQueueRound(jobs, 'file'),
    })] : []),
  ]
}

/** @param {import('millrace').Millrace} mill @param {readonly Uint8Array[]} values @param {import('millrace').TopicContract<any>} topic */
async function sendAndConsume(mill, values, topic) {
  const items = itemsOf(values)
  const sent = await rate(values.length, () => sendBatches(mill, items, underWay, topic))
  const consumed = await rate(values.length, () => drain(mill, values.length, { topic }))
  return [sent, consumed]
}

/** @param {import('millrace').Millrace} mill */
async function steady(mill) {
  const items = itemsOf(small)
  const gate = new Gate(unread)
  const send = () => inLanes(items.length / batchSize, underWay, async (index) => {
    await gate.enter(batchSize)
    await mill.sendMany(topics.steady, items.slice(index * batchSize, (index + 1) * batchSize))
  })
  const speed = await rate(items.length, () => Promise.all([send(), drain(mill, items.length, { topic: topics.steady, seen: (count) => gate.saw(count) })]))
  await removed(mill)
  return speed
}

/** What is still to be removed must not be in the way of whoever is measured next. @param {import('millrace').Millrace} mill */
async function removed(mill) {
  for (;;) {
    const { topics: all } = await mill.census()
    if (all.find(({ topic }) => topic === topics.steady.name)?.messages === 0) return
    await sleep(50)
  }
}

/** @param {BareLmdb} lmdb @param {readonly Uint8Array[]} values */
function bareBatches(lmdb, values) {
  return rate(values.length, () => lmdb.batches(values, batchSize, underWay))
}

/** @param {import('millrace').Millrace} mill @param {readonly Uint8Array[]} values */
function ownSpeed(mill, values) {
  return rate(values.length, () => ownSingles(mill, values, 64))
}

/** How long each took, in ms. @param {import('millrace').Millrace} mill @param {readonly Uint8Array[]} values @param {number} callers */
async function ownSingles(mill, values, callers) {
  /** @type {number[]} */
  const times = []
  await inLanes(values.length, callers, async (index) => {
    const start = performance.now()
    await mill.send(topics.singles, values[index], { key: `user-${index % 1_000}` })
    times.push(performance.now() - start)
  })
  return times
}

/** @param {import('millrace').Millrace} mill @param {readonly Uint8Array[]} values */
async function fiveGroups(mill, values) {
  await sendBatches(mill, itemsOf(values), underWay, topics.shared)
  return rate(values.length * groupNames.length, () => Promise.all(groupNames.map((group) => drain(mill, values.length, { group, topic: topics.shared }))))
}
