import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { open, TransactionFlags } from 'lmdb'
import { inLanes, partitions, scratch } from '../workload.mjs'

/**
 * Bare lmdb by its fastest documented way to store durably: `put` without waiting, which its own thread gathers into transactions, and `flushed`. `batch`,
 * `overlappingSync: false`, `eventTurnBatching: false` and `transactionSync` were no faster, but for one caller: there `transactionSync` is, and blocks its thread meanwhile.
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

  /** One `transactionSync` after another: how long each took, in ms. @param {readonly Uint8Array[]} values */
  blocking(values) {
    return values.map((value) => {
      const start = performance.now()
      this.#root.transactionSync(() => this.#root.putSync(this.#next(), value), TransactionFlags.ABORTABLE | TransactionFlags.SYNCHRONOUS_COMMIT)
      return performance.now() - start
    })
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
