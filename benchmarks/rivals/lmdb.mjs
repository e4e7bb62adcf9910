import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { open } from 'lmdb'
import { inLanes, partitions, scratch } from '../workload.mjs'

/**
 * Bare lmdb by its fastest documented way to store durably: `put` without waiting, which its own thread gathers into transactions, and `flushed`. Measured against
 * `transactionSync` in this thread and in a worker, `batch`, `overlappingSync: false`: none of them was faster for 1,000 at a time.
 */
export class BareLmdb {
  #places = Array.from({ length: partitions }, () => 0)
  #scratch = scratch('lmdb')
  #root

  constructor() {
    this.#root = open({ path: join(this.#scratch.path, 'store.mdb'), mapSize: 2 ** 33, encoding: 'binary', keyEncoding: 'binary' })
  }

  /** @param {readonly Uint8Array[]} values @param {number} batch @param {number} width */
  async batches(values, batch, width) {
    await inLanes(values.length / batch, width, async (index) => {
      for (const value of values.slice(index * batch, (index + 1) * batch)) void this.#root.put(this.#next(), value)
      await this.#root.flushed
    })
  }

  /** @param {readonly Uint8Array[]} values @param {number} callers @returns {Promise<number[]>} how long each took, in ms */
  async singles(values, callers) {
    /** @type {number[]} */
    const times = []
    await inLanes(values.length, callers, async (index) => {
      const start = performance.now()
      await this.#root.put(this.#next(), values[index])
      await this.#root.flushed
      times.push(performance.now() - start)
    })
    return times
  }

  /** Partition and place, as a queue needs them to read on. The partitions take turns. */
  #next() {
    const partition = this.#turn++ % partitions
    const key = Buffer.allocUnsafe(10)
    key.writeUInt16BE(partition, 0)
    key.writeDoubleBE((this.#places[partition] += 1), 2)
    return key
  }

  #turn = 0

  async close() {
    await this.#root.close()
    this.#scratch.remove()
  }
}
