import { performance } from 'node:perf_hooks'
import { Child } from './child.mjs'
import { quantile } from './rounds.mjs'
import { flowTopic, millOf } from './workload.mjs'
import { redisEngine } from './redis-place.mjs'

/** Unread at most: the sender waits. */
const most = 50_000

/** A process that sends, and this one, which reads. */
export class Flow {
  #child
  #mill
  #consumer
  #seen = 0
  /** @type {number[]} ms */
  #latencies = []

  /** @param {Child} child @param {import('millrace').Millrace} mill */
  constructor(child, mill) {
    this.#child = child
    this.#mill = mill
    this.#consumer = mill.consume(flowTopic, 'flow', async ({ value }) => {
      this.#seen += 1
      this.#latencies.push(Number(process.hrtime.bigint() - Buffer.from(value.buffer, value.byteOffset, 8).readBigUInt64LE()) / 1e6)
    })
  }

  /** @param {string} url */
  static async open(url) {
    const child = new Child('flow')
    const mill = await millOf(await redisEngine('ioredis', url), [flowTopic])
    await child.call('open', url)
    return new Flow(child, mill)
  }

  /** Messages a second that were both sent and finished, and CPU of this process for each in µs. @param {number} ms */
  async flood(ms) {
    const told = setInterval(() => void this.#tell(), 20)
    const [first, start, cpu] = [this.#seen, performance.now(), process.cpuUsage()]
    const count = await this.#child.call('flood', { ms, most })
    await this.#until(first + count)
    clearInterval(told)
    await this.#tell()
    const { user, system } = process.cpuUsage(cpu)
    return [count / ((performance.now() - start) / 1_000), (user + system) / count]
  }

  /** How long messages took from their send to their handler, in ms: p99, p50. @param {number} perSecond @param {number} ms */
  async latencies(perSecond, ms) {
    await this.#child.call('pace', { perSecond, ms: 500 })
    this.#latencies = []
    const first = this.#seen
    const count = await this.#child.call('pace', { perSecond, ms })
    await this.#until(first + count)
    return [quantile(this.#latencies, 0.99), quantile(this.#latencies, 0.5)]
  }

  async close() {
    await this.#consumer.close()
    await this.#child.call('close')
    await Promise.all([this.#mill.close(), this.#child.end()])
  }

  #told = 0

  #tell() {
    const more = this.#seen - this.#told
    this.#told = this.#seen
    return this.#child.call('saw', more)
  }

  /** @param {number} count */
  async #until(count) {
    while (this.#seen < count) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
