// A million messages that wait for their time, in a process of its own, so that its memory and its CPU are theirs.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { memory, Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'
import { answerCalls } from '../child.mjs'
import { kafkaEngine, kafkaModules } from '../kafka-place.mjs'
import { redisEngine } from '../redis-place.mjs'
import { quantile } from '../rounds.mjs'
import { bench, blobs, itemsOf, millOf, rate, sendBatches } from '../workload.mjs'

const hour = 3_600_000
const values = blobs(200, 10_000)
/** @type {import('millrace').Millrace} */
let mill
/** @type {number[]} how late each message came, in ms */
let lateness = []

answerCalls({
  /** @param {'memory' | 'embedded' | 'kafka' | 'redis'} kind @param {string} path of Kafka: its brokers, of Redis: its URL */
  async open(kind, path) {
    mill = await millOf(await engineOf(kind, path))
    mill.consumeBatch(bench, 'bench', (messages) => {
      const now = Date.now()
      for (const { delayedUntil = Number.NaN } of messages) lateness.push(now - delayedUntil)
    })
  },
  /** How long it takes to open a store of Kafka and to know what is pending, in ms. @param {string} brokers */
  async know(brokers) {
    const engine = await engineOf('kafka', brokers)
    const start = performance.now()
    mill = new Millrace({ engine })
    await mill.delays.list({ topic: bench, limit: 1 })
    return performance.now() - start
  },
  close: () => mill.close(),
  /** Sends so many that are due in an hour or later; messages a second. @param {number} count */
  pile: (count) => rate(count, async () => {
    for (let sent = 0; sent < count; sent += values.length) await send(Math.min(values.length, count - sent), () => Date.now() + hour + Math.floor(Math.random() * hour))
  }),
  /** MB of this process, without what the system has cached of files for it. */
  usedMb() {
    globalThis.gc?.()
    globalThis.gc?.()
    const anonymous = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return anonymous === undefined ? process.memoryUsage().rss / 1e6 : Number(anonymous) * 1.024 / 1_000
  },
  /** What JavaScript objects and buffers of this process take. */
  reachableBytes() {
    globalThis.gc?.()
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  },
  /** % of a core while nothing is due. @param {number} ms */
  async idle(ms) {
    const before = process.cpuUsage()
    await sleep(ms)
    const { user, system } = process.cpuUsage(before)
    return ((user + system) / 1_000 / ms) * 100
  },
  /** Sends so many that are due within `ms`, the first in `leadMs`, and says how late they came. @param {{ count: number, leadMs: number, ms: number }} due */
  async probe({ count, leadMs, ms }) {
    lateness = []
    const first = Date.now() + leadMs
    for (let sent = 0; sent < count; sent += values.length) await send(Math.min(values.length, count - sent), () => first + Math.floor(Math.random() * ms))
    if (Date.now() > first) throw new Error(`the messages were stored ${Date.now() - first} ms after the first was due: give them more time`)
    while (lateness.length < count) await sleep(50)
    return { p50: quantile(lateness, 0.5), p99: quantile(lateness, 0.99), most: quantile(lateness, 1), early: lateness.filter((late) => late < 0).length }
  },
})

/** @param {'memory' | 'embedded' | 'kafka' | 'redis'} kind @param {string} path @returns {Promise<import('millrace').Engine>} */
async function engineOf(kind, path) {
  if (kind === 'memory') return memory()
  if (kind === 'redis') return redisEngine('ioredis', path, 'delays:')
  return kind === 'embedded' ? embedded({ path, lmdb: import.meta.resolve('lmdb') }) : kafkaEngine('confluent', path.split(','), await kafkaModules(), 'delays.')
}

/** @param {number} count @param {() => number} at */
function send(count, at) {
  return sendBatches(mill, itemsOf(values.slice(0, count)).map((item) => ({ ...item, at: at() })))
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
