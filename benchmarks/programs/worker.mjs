// One of several processes on one store: sends, consumes, computes too long.
import { performance } from 'node:perf_hooks'
import { Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'
import { answerCalls } from '../child.mjs'
import { blobs, inLanes, itemsOf, keptTopic, partitions, sendBatches } from '../workload.mjs'

const bench = keptTopic()
const values = blobs(200, 10_000)
const items = itemsOf(values)
/** @type {Millrace} */
let mill
let count = 0
/** @type {Map<number, number>} when the last message of each partition came */
const lastOf = new Map()

answerCalls({
  /** How long it took, in ms. @param {string} path @param {'fsync' | 'os'} [durability] */
  async open(path, durability = 'fsync') {
    const start = performance.now()
    mill = new Millrace({ engine: embedded({ path, lmdb: import.meta.resolve('lmdb'), durability }) })
    await mill.open()
    const took = performance.now() - start
    await mill.topics.ensure(bench)
    await mill.groups.create(bench, 'bench')
    return took
  },
  close: () => mill.close(),
  /** @param {number} leaseMs */
  consume(leaseMs) {
    mill.consumeBatch(bench, 'bench', (messages) => {
      count += messages.length
      for (const { partition } of messages) lastOf.set(partition, Date.now())
    }, { leaseMs })
  },
  counted: () => count,
  lastOf: () => lastOf,
  /** How many partitions each member of the group owns. */
  async owners() {
    const positions = await mill.groups.positions(bench, 'bench')
    return positions.map(({ owner }) => owner)
  },
  /** @param {boolean} isPaused */
  pause: (isPaused) => mill.topics.pause(bench.name, isPaused),
  /** @param {number} messages */
  async send(messages) {
    for (let sent = 0; sent < messages; sent += items.length) await sendBatches(mill, items.slice(0, Math.min(items.length, messages - sent)), 4, bench)
  },
  /** One to each partition. */
  async touch() {
    await Promise.all(Array.from({ length: partitions }, (_, partition) => mill.send(bench, values[partition], { partition })))
  },
  /** Single awaited sends for so long: how long each took, in ms. @param {number} ms @param {number} [callers] @returns {Promise<number[]>} */
  async sendFor(ms, callers = 1) {
    /** @type {number[]} */
    const times = []
    const end = performance.now() + ms
    await inLanes(callers, callers, async () => {
      for (let start = performance.now(); start < end; start = performance.now()) {
        await mill.send(bench, values[times.length % values.length])
        times.push(performance.now() - start)
      }
    })
    return times
  },
  /** Computes for so long, as a handler that blocks the event loop does. @param {number} ms */
  compute(ms) {
    const end = performance.now() + ms
    while (performance.now() < end);
  },
})
