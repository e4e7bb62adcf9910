import BeeQueue from 'bee-queue'
import { inLanes } from '../workload.mjs'

export const says = 'bee-queue: no events sent or got, jobs not stored in the producer and removed on success'

export class BeeJobs {
  #settings
  #name
  #queue

  /** @param {string} url @param {string} name */
  constructor(url, name) {
    const { hostname: host, port } = new URL(url)
    this.#name = name
    this.#settings = { redis: { host, port: Number(port) }, getEvents: false, sendEvents: false, storeJobs: false, removeOnSuccess: true, removeOnFailure: true }
    this.#queue = new BeeQueue(name, { ...this.#settings, isWorker: false })
  }

  /** @param {readonly string[]} texts @param {number} callers */
  singles(texts, callers) {
    return inLanes(texts.length, callers, (index) => this.#queue.createJob(texts[index]).save())
  }

  /** @param {readonly string[]} texts @param {number} size @param {number} underWay */
  batches(texts, size, underWay) {
    return inLanes(texts.length / size, underWay, async (batch) => {
      const failed = await this.#queue.saveAll(texts.slice(batch * size, (batch + 1) * size).map((text) => this.#queue.createJob(text)))
      if (failed.size > 0) throw [...failed.values()][0]
    })
  }

  /** @param {number} count @param {number} concurrency */
  async drain(count, concurrency) {
    const queue = new BeeQueue(this.#name, this.#settings)
    let left = count
    await new Promise((resolve, reject) => {
      queue.on('succeeded', () => {
        left -= 1
        if (left === 0) resolve(undefined)
      })
      queue.on('error', reject)
      queue.process(concurrency, async () => undefined)
    })
    await queue.close()
  }

  empty() {
    return this.#queue.destroy()
  }

  close() {
    return this.#queue.close()
  }
}
