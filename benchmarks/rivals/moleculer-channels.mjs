import { createRequire } from 'node:module'
import { inLanes } from '../workload.mjs'

const require = createRequire(import.meta.url)

export const says = '@moleculer/channels: its Redis adapter, maxInFlight 500, no validator, metrics or tracing'

/** A channel of a broker without a transporter. */
export class MoleculerChannel {
  #url
  #broker
  #name

  /** @param {any} broker @param {string} url @param {string} name */
  constructor(broker, url, name) {
    this.#broker = broker
    this.#url = url
    this.#name = name
  }

  /** @param {string} url @param {string} name */
  static async open(url, name) {
    const broker = brokerOn(url)
    await broker.start()
    return new MoleculerChannel(broker, url, name)
  }

  /** @param {readonly string[]} texts @param {number} callers */
  singles(texts, callers) {
    return inLanes(texts.length, callers, (index) => this.#broker.sendToChannel(this.#name, { text: texts[index] }))
  }

  /** From the start of the stream, by a group of its own. @param {number} count @param {string} group @param {number} maxInFlight */
  async drain(count, group, maxInFlight) {
    const broker = brokerOn(this.#url)
    let left = count
    await new Promise((resolve, reject) => {
      const handler = async () => {
        left -= 1
        if (left === 0) resolve(undefined)
      }
      broker.createService({ name: group, channels: { [this.#name]: { group, maxInFlight, redis: { startID: '0' }, handler } } })
      broker.start().catch(reject)
    })
    await broker.stop()
  }

  close() {
    return this.#broker.stop()
  }
}

/** @param {string} url */
function brokerOn(url) {
  const { ServiceBroker } = require('moleculer')
  const { Middleware } = require('@moleculer/channels')
  return new ServiceBroker({ logger: false, validator: false, metrics: false, tracing: false, middlewares: [Middleware({ adapter: { type: 'Redis', options: { redis: url } } })] })
}
