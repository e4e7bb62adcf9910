import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Millrace } from 'millrace'

export const partitions = 8
const keys = Array.from({ length: 1_000 }, (_, index) => `user-${index}`)

/** Values of so many bytes of JSON, each another. @param {number} bytes @param {number} count */
export function values(bytes, count) {
  const filler = 'x'.repeat(bytes)
  return Array.from({ length: count }, (_, index) => {
    const head = `${index}:`
    return head + filler.slice(0, bytes - head.length - 2)
  })
}

/** @param {number} bytes @param {number} count */
export function items(bytes, count) {
  return values(bytes, count).map((value, index) => ({ value, key: keys[index % keys.length] }))
}

/** @param {string} name */
export function scratch(name) {
  const path = mkdtempSync(join(process.env.BENCH_PATH ?? tmpdir(), `millrace-bench-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Messages a second. @param {number} count @param {() => Promise<unknown>} work */
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

/** @param {import('millrace').Engine} engine @param {import('millrace').TopicDraft} [over] */
export async function millOf(engine, over = {}) {
  const mill = new Millrace({ engine })
  await mill.topics.create({ name: 'bench', partitions, keep: { count: 0 }, ...over })
  return mill
}

/**
 * Consumes until `count` messages are finished for the group.
 * @param {Millrace} mill @param {number} count @param {{ group?: string, isBatch?: boolean, topic?: string, options?: object }} [how]
 */
export async function drain(mill, count, { group = 'bench', isBatch = true, topic = 'bench', options = {} } = {}) {
  let seen = 0
  let tell = () => {}
  const all = new Promise((resolve) => {
    tell = () => resolve(undefined)
  })
  const count1 = (/** @type {number} */ more) => {
    seen += more
    if (seen >= count) tell()
  }
  const consumer = isBatch ? mill.consumeBatch(topic, group, (messages) => count1(messages.length), options) : mill.consume(topic, group, () => count1(1), options)
  await all
  await consumer.close()
}
