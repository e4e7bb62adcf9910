import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { bytes, Millrace, topic } from 'millrace'

export const partitions = 8
export const batchSize = 1_000
const keys = Array.from({ length: 1_000 }, (_, index) => `user-${index}`)

/** What all questions send to: bytes as they are, no schema, no middleware. What everybody has read is removed. */
export const bench = topic('bench', { codec: bytes, partitions, keep: { count: 0 } })
/** The same, and what was read stays, as it does for seven days unless a topic says otherwise: nothing is removed while others are measured. @param {string} [name] */
export function keptTopic(name = 'bench-kept') {
  return topic(name, { codec: bytes, partitions })
}

/** What one process sends and another reads at the same time. */
export const flowTopic = topic('flow', { codec: bytes, partitions, keep: { count: 0 } })

/** Values of JSON. */
export const benchJson = topic('bench-json', { partitions, keep: { count: 0 } })

/** Texts of so many bytes, each another. @param {number} size @param {number} count */
export function texts(size, count) {
  const filler = 'x'.repeat(size)
  return Array.from({ length: count }, (_, index) => {
    const head = `${index}:`
    return head + filler.slice(0, size - head.length)
  })
}

/** @param {number} size @param {number} count @returns {Uint8Array[]} */
export function blobs(size, count) {
  return texts(size, count).map((text) => Buffer.from(text))
}

/** What `sendMany` takes. @template T @param {readonly T[]} values */
export function itemsOf(values) {
  return values.map((value, index) => ({ value, key: keys[index % keys.length] }))
}

/** @param {string} name */
export function scratch(name) {
  const path = mkdtempSync(join(process.env.BENCH_PATH ?? tmpdir(), `millrace-bench-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** How many a second. @param {number} count @param {() => Promise<unknown>} work */
export async function rate(count, work) {
  const start = performance.now()
  await work()
  return count / ((performance.now() - start) / 1_000)
}

/** Runs `work` for each of `count`, so many at a time. @param {number} count @param {number} width @param {(index: number) => Promise<unknown>} work */
export async function inLanes(count, width, work) {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** @param {import('millrace').Engine} engine @param {readonly import('millrace').TopicContract<any>[]} [topics] */
export async function millOf(engine, topics = [bench]) {
  const mill = new Millrace({ engine })
  for (const each of topics) await mill.topics.ensure(each)
  return mill
}

/**
 * Sends all in batches, so many batches under way.
 * @param {Millrace} mill @param {readonly { value: unknown, key: string }[]} items @param {number} [width] @param {import('millrace').TopicContract<any>} [to]
 */
export async function sendBatches(mill, items, width = 4, to = bench) {
  await inLanes(items.length / batchSize, width, async (index) => {
    const answers = await mill.sendMany(to, items.slice(index * batchSize, (index + 1) * batchSize))
    for (const answer of answers) if ('error' in answer) throw answer.error
  })
}

/**
 * Consumes until `count` messages are finished for the group, acknowledgements stored.
 * @param {Millrace} mill @param {number} count @param {{ group?: string, isBatch?: boolean, topic?: import('millrace').TopicRef<any, any>, options?: object, seen?: (count: number) => void }} [how]
 */
export async function drain(mill, count, { group = 'bench', isBatch = true, topic: from = bench, options = {}, seen = () => {} } = {}) {
  let left = count
  let tell = () => {}
  const all = new Promise((resolve) => {
    tell = () => resolve(undefined)
  })
  const take = (/** @type {number} */ more) => {
    seen(more)
    left -= more
    if (left <= 0) tell()
  }
  const consumer = isBatch ? mill.consumeBatch(from, group, (messages) => take(messages.length), options) : mill.consume(from, group, () => take(1), options)
  await all
  await consumer.close()
}

/** How many a second, and CPU time for each in µs. @param {number} count @param {() => Promise<unknown>} run */
export async function rateAndCpu(count, run) {
  const before = process.cpuUsage()
  const speed = await rate(count, run)
  const { user, system } = process.cpuUsage(before)
  return [speed, (user + system) / count]
}

/**
 * From the first handler's start until all verdicts are stored.
 * @param {import('millrace').Millrace} mill @param {import('millrace').TopicContract<any, any>} from @param {number} count @param {string} name
 * @param {(group: string, begin: () => void) => import('millrace').Consumer} start
 */
export async function consumed(mill, from, count, name, start) {
  const group = `${name}-${process.pid}`
  let [began, left] = [0, count]
  let cpu = process.cpuUsage()
  const stored = new Promise((resolve) => {
    const settled = (/** @type {any} */ operation) => {
      if (operation.group !== group) return
      for (const outcome of operation.outcomes) if (outcome === 'settled') left -= 1
      if (left > 0) return
      unsubscribe('tracing:millrace:settle:asyncEnd', settled)
      resolve(undefined)
    }
    subscribe('tracing:millrace:settle:asyncEnd', settled)
  })
  const consumer = start(group, () => {
    if (began > 0) return
    began = performance.now()
    cpu = process.cpuUsage()
  })
  await stored
  const speed = count / ((performance.now() - began) / 1_000)
  const { user, system } = process.cpuUsage(cpu)
  await consumer.close()
  await mill.groups.remove(from, group)
  return [speed, (user + system) / count]
}
