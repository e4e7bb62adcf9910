import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { embedded } from 'millrace/embedded'
import { delayCases } from '../delay-run.mjs'
import { BareLmdb } from '../rivals/lmdb.mjs'
import { rival } from '../rivals/rival.mjs'
import { quantile, runRounds } from '../rounds.mjs'
import { batchSize, bench, blobs, drain, inLanes, itemsOf, millOf, rate, scratch, sendBatches, texts } from '../workload.mjs'

// How near does the embedded engine come to what its disk and bare LMDB can do?

const underWay = 4
const small = blobs(200, 100_000)
const large = blobs(10_000, 5_000)

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, progress }) {
  /** @type {string[]} */
  const notes = []
  const contenders = [disk(), ...batches(), ...singles(), ...sizes(), ...(await rivals(notes))]
  const cases = await runRounds(contenders, { rounds, progress })
  return { cases: [...cases, ...(await delayCases('embedded', { progress, isLong: false }))], notes }
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

/** @returns {import('../rounds.mjs').Contender[]} */
function batches() {
  return [
    {
      name: 'send', unit: 'messages/s', against: 'lmdb', says: 'fsync before the answer; batches of 1,000, 4 under way',
      also: [{ name: 'consume', unit: 'messages/s', says: 'batch handler; acknowledged at fsync' }],
      round: () => sendAndConsume(small, 'fsync'),
    },
    { name: 'lmdb', unit: 'messages/s', says: 'bare lmdb, fsync: the same batches, put and flushed, in its own thread', round: () => bareBatches(small) },
    {
      name: 'send-os', unit: 'messages/s', says: 'os: survives a killed process, not a power loss',
      also: [{ name: 'consume-os', unit: 'messages/s', says: 'os' }],
      round: () => sendAndConsume(small, 'os'),
    },
  ]
}

/** @returns {import('../rounds.mjs').Contender[]} */
function singles() {
  const [many, few] = [small.slice(0, 10_000), small.slice(0, 1_000)]
  const speed = 'messages/s'
  return [
    { name: 'single-64', unit: speed, against: 'lmdb', by: 'lmdb-single-64', says: 'fsync; 64 callers, each awaits its send', round: async () => (await ownSingles(many, 64, 'fsync')).speed },
    { name: 'lmdb-single-64', unit: speed, says: 'fsync; 64 callers, each awaits put and flushed', round: async () => (await bareSingles(many, 64)).speed },
    { name: 'single-1-p50', unit: 'ms', against: 'lmdb', by: 'lmdb-single-1-p50', says: 'fsync; one caller', round: async () => quantile((await ownSingles(few, 1, 'fsync')).times, 0.5) },
    { name: 'lmdb-single-1-p50', unit: 'ms', says: 'fsync; one caller', round: async () => quantile((await bareSingles(few, 1)).times, 0.5) },
    { name: 'lmdb-sync-1-p50', unit: 'ms', says: 'fsync; one caller, transactionSync, which blocks its thread meanwhile', round: () => bareBlocking(few) },
    { name: 'single-64-os', unit: speed, says: 'os; 64 callers, each awaits its send', round: async () => (await ownSingles(many, 64, 'os')).speed },
  ]
}

/** @returns {import('../rounds.mjs').Contender[]} */
function sizes() {
  return [
    {
      name: 'send-10kB', unit: 'messages/s', against: 'lmdb', by: 'lmdb-10kB', says: 'fsync; values of 10 kB',
      also: [{ name: 'consume-10kB', unit: 'messages/s', says: 'fsync; values of 10 kB' }],
      round: () => sendAndConsume(large, 'fsync'),
    },
    { name: 'lmdb-10kB', unit: 'messages/s', says: 'bare lmdb, fsync; values of 10 kB', round: () => bareBatches(large) },
    { name: 'consume-5-groups', unit: 'deliveries/s', says: 'fsync; 5 groups at once, each delivery counted', round: () => fiveGroups(small.slice(0, 20_000)) },
  ]
}

/** @param {string[]} notes @returns {Promise<import('../rounds.mjs').Contender[]>} */
async function rivals(notes) {
  const plainjob = await rival('plainjob', () => import('../rivals/plainjob.mjs'), notes)
  const jobQueue = await rival('@platformatic/job-queue', () => import('../rivals/job-queue.mjs'), notes)
  const [values, jobs] = [texts(200, 10_000), texts(200, 500)]
  const synced = 'survives a killed process, not a power loss'
  return [
    ...(plainjob ? [/** @type {import('../rounds.mjs').Contender} */ ({
      name: 'plainjob-send', unit: 'messages/s', says: `plainjob on better-sqlite3, WAL and synchronous NORMAL: ${synced}; batches of 1,000`,
      also: [{ name: 'plainjob-consume', unit: 'messages/s', says: 'one worker, one by one' }],
      round: () => plainjob.plainjobRound(values),
    })] : []),
    ...(jobQueue ? [/** @type {import('../rounds.mjs').Contender} */ ({
      name: 'job-queue-file', unit: 'messages/s', says: `@platformatic/job-queue, files written anew without a sync: ${synced}; sent and worked off, concurrency 32`,
      round: () => jobQueue.jobQueueRound(jobs, 'file'),
    })] : []),
  ]
}

/** @param {'fsync' | 'os'} durability @param {(mill: import('millrace').Millrace) => Promise<T>} work @template T */
async function withStore(durability, work) {
  const { path, remove } = scratch('embedded')
  const mill = await millOf(embedded({ path, lmdb: import.meta.resolve('lmdb'), durability }))
  try {
    return await work(mill)
  } finally {
    await mill.close()
    remove()
  }
}

/** @param {readonly Uint8Array[]} values @param {'fsync' | 'os'} durability */
function sendAndConsume(values, durability) {
  const items = itemsOf(values)
  return withStore(durability, async (mill) => {
    await mill.groups.create(bench, 'bench')
    const sent = await rate(values.length, () => sendBatches(mill, items, underWay))
    const consumed = await rate(values.length, () => drain(mill, values.length))
    return [sent, consumed]
  })
}

/** @param {readonly Uint8Array[]} values */
async function bareBatches(values) {
  const bare = new BareLmdb()
  const speed = await rate(values.length, () => bare.batches(values, batchSize, underWay))
  await bare.close()
  return speed
}

/** @param {readonly Uint8Array[]} values @param {number} callers @param {'fsync' | 'os'} durability */
function ownSingles(values, callers, durability) {
  /** @type {number[]} */
  const times = []
  return withStore(durability, async (mill) => {
    await mill.groups.create(bench, 'bench')
    const speed = await rate(values.length, () => inLanes(values.length, callers, async (index) => {
      const start = performance.now()
      await mill.send(bench, values[index], { key: `user-${index % 1_000}` })
      times.push(performance.now() - start)
    }))
    return { speed, times }
  })
}

/** @param {readonly Uint8Array[]} values @param {number} callers */
async function bareSingles(values, callers) {
  const bare = new BareLmdb()
  /** @type {number[]} */
  let times = []
  const speed = await rate(values.length, async () => {
    times = await bare.singles(values, callers)
  })
  await bare.close()
  return { speed, times }
}

/** The median. @param {readonly Uint8Array[]} values */
async function bareBlocking(values) {
  const bare = new BareLmdb()
  const times = bare.blocking(values)
  await bare.close()
  return quantile(times, 0.5)
}

/** @param {readonly Uint8Array[]} values */
function fiveGroups(values) {
  const groups = [1, 2, 3, 4, 5].map((number) => `group-${number}`)
  return withStore('fsync', async (mill) => {
    for (const group of groups) await mill.groups.create(bench, group)
    await sendBatches(mill, itemsOf(values), underWay)
    return rate(values.length * groups.length, () => Promise.all(groups.map((group) => drain(mill, values.length, { group }))))
  })
}
