import { Queue, Worker } from 'bullmq'
import { Redis } from '../redis-place.mjs'
import { inLanes } from '../workload.mjs'

// BullMQ: what it documents as fast is one connection for all, finished jobs removed, no metrics, a worker with much concurrency.

export const says = 'BullMQ: removeOnComplete, no events listened to, no stalled checks while it is measured'

export class BullQueue {
  #url
  #connection
  #queue
  #name

  /** @param {string} url @param {string} name @param {typeof Redis} [Client] */
  constructor(url, name, Client = Redis) {
    this.#url = url
    this.#name = name
    this.#connection = new Client(url, { maxRetriesPerRequest: null, enableAutoPipelining: true })
    this.#queue = new Queue(name, { connection: this.#connection, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } })
  }

  /** @param {readonly string[]} texts @param {number} callers */
  singles(texts, callers) {
    return inLanes(texts.length, callers, (index) => this.#queue.add('bench', texts[index]))
  }

  /** @param {readonly string[]} texts @param {number} size @param {number} underWay */
  batches(texts, size, underWay) {
    return inLanes(texts.length / size, underWay, (batch) => this.#queue.addBulk(texts.slice(batch * size, (batch + 1) * size).map((data) => ({ name: 'bench', data }))))
  }

  /** Until `count` jobs have run and are stored as completed. @param {number} count @param {number} concurrency */
  async drain(count, concurrency) {
    const connection = new Redis(this.#url, { maxRetriesPerRequest: null, enableAutoPipelining: true })
    let left = count
    const worker = new Worker(this.#name, async () => undefined, { connection: connection, concurrency, skipStalledCheck: true })
    await new Promise((resolve, reject) => {
      worker.on('completed', () => {
        left -= 1
        if (left === 0) resolve(undefined)
      })
      worker.on('error', reject)
    })
    await worker.close()
    connection.disconnect()
  }

  async empty() {
    await this.#queue.obliterate({ force: true })
  }

  async close() {
    await this.#queue.close()
    this.#connection.disconnect()
  }
}
