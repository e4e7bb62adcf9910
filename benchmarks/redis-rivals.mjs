import { rival } from './rivals/rival.mjs'
import { batchSize, texts, rateAndCpu } from './workload.mjs'

const count = 10_000
const values = texts(200, count)
/** More was no faster for any of them. */
const concurrency = 100
const maxInFlight = 500

/** @typedef {'single' | 'bulk' | 'consume' | 'bytes'} What */

/** Others' queues on the same Redis; each measured as the engine is, with fewer messages, for they take longer. @param {string} url @param {string[]} notes */
export async function redisRivals(url, notes) {
  const bull = await rival('bullmq', () => import('./rivals/bullmq.mjs'), notes)
  const bee = await rival('bee-queue', () => import('./rivals/bee-queue.mjs'), notes)
  const channels = await rival('@moleculer/channels', () => import('./rivals/moleculer-channels.mjs'), notes)
  const smq = await rival('redis-smq', () => import('./rivals/redis-smq.mjs'), notes)
  /** @type {{ name: string, says: string, what: readonly What[], queue: any, waiting?: any, count?: number }[]} */
  const all = []
  if (bull) all.push({ name: 'bullmq', says: bull.says, what: ['single', 'bulk', 'consume', 'bytes'], queue: new bull.BullQueue(url, 'bench'), waiting: new bull.BullQueue(url, 'waiting') })
  if (bee) all.push({ name: 'bee-queue', says: bee.says, what: ['single', 'bulk', 'consume', 'bytes'], queue: new bee.BeeJobs(url, 'bench'), waiting: new bee.BeeJobs(url, 'waiting') })
  if (channels) all.push({ name: 'moleculer-channels', says: channels.says, what: ['single', 'consume'], queue: await channels.MoleculerChannel.open(url, 'bench') })
  if (smq) all.push({ name: 'redis-smq', says: smq.says, what: ['single', 'consume'], queue: await smq.SmqQueue.open(url, 'bench'), count: 1_000 })
  return new Rivals(all)
}

class Rivals {
  #all
  #groups = 0

  /** @param {readonly { name: string, says: string, what: readonly What[], queue: any, waiting?: any, count?: number }[]} all */
  constructor(all) {
    this.#all = all
  }

  /** @param {What} what */
  besides(what) {
    return this.#with(what).map(({ name }) => ({ against: name, by: `${name}-${what}` }))
  }

  /** @param {number} callers @param {number} size @param {number} underWay @returns {import('./rounds.mjs').Contender[]} */
  sends(callers, size, underWay) {
    return [
      ...this.#with('single').map(({ name, says, queue, count: few = count }) => this.#contender(`${name}-single`, `${says}; ${callers} callers`, few, () => queue.singles(values.slice(0, few), callers), queue)),
      ...this.#with('bulk').map(({ name, queue }) => this.#contender(`${name}-bulk`, `batches of ${size}, ${underWay} under way`, count, () => queue.batches(values, size, underWay), queue)),
    ]
  }

  /** @returns {import('./rounds.mjs').Contender[]} */
  consumes() {
    return this.#with('consume').map(({ name, queue, count: few = count }) => ({
      name: `${name}-consume`,
      unit: 'messages/s',
      says: name === 'moleculer-channels' ? `maxInFlight ${maxInFlight}` : name === 'redis-smq' ? '' : `concurrency ${concurrency}`,
      round: async () => {
        await queue.empty?.()
        await (queue.batches ? queue.batches(values, batchSize, 1) : queue.singles(values.slice(0, few), batchSize))
        const [speed = 0] = await rateAndCpu(few, () => (name === 'moleculer-channels' ? queue.drain(few, `group-${this.#groups++}`, maxInFlight) : queue.drain(few, concurrency)))
        return speed
      },
      close: () => queue.close(),
    }))
  }

  /** @param {(fill: () => Promise<unknown>, empty: () => Promise<unknown>) => Promise<number>} grown bytes for each of the engine's messages @returns {import('./rounds.mjs').Contender[]} */
  bytes(grown) {
    return this.#with('bytes').map(({ name, waiting }) => ({
      name: `${name}-bytes`,
      unit: 'bytes',
      // As many as the engine's, for whom the bytes are divided.
      round: () => grown(async () => { for (let times = 0; times < 4; times += 1) await waiting.batches(values, batchSize, 1) }, () => waiting.empty()),
    }))
  }

  async close() {
    await Promise.all(this.#all.map(({ waiting }) => waiting?.close()))
  }

  /** @param {What} what */
  #with(what) {
    return this.#all.filter((each) => each.what.includes(what))
  }

  /** @param {string} name @param {string} says @param {number} few @param {() => Promise<unknown>} run @param {any} queue @returns {import('./rounds.mjs').Contender} */
  #contender(name, says, few, run, queue) {
    return {
      name,
      unit: 'messages/s',
      says,
      round: async () => {
        const [speed = 0] = await rateAndCpu(few, run)
        await queue.empty?.()
        return speed
      },
    }
  }
}
