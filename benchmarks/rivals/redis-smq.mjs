import { promisify } from 'node:util'
import { Configuration, Consumer, EQueueDeliveryModel, EQueueType, ProducibleMessage, Producer, Queue } from 'redis-smq'
import { inLanes } from '../workload.mjs'

/** A consumer runs a message at a time. */
const consumers = 10

export const says = `RedisSMQ: a LIFO queue (its fastest), no event bus, no log, acknowledged messages not stored, ${consumers} consumers`

/** Its settings are the process's. */
export class SmqQueue {
  #producer
  #name

  /** @param {any} producer @param {string} name */
  constructor(producer, name) {
    this.#producer = producer
    this.#name = name
  }

  /** @param {string} url @param {string} name */
  static async open(url, name) {
    const { hostname: host, port } = new URL(url)
    Configuration.getSetConfig(/** @type {any} */ ({ namespace: 'bench', redis: { client: 'ioredis', options: { host, port: Number(port) } }, logger: { enabled: false }, eventBus: { enabled: false } }))
    await promisify((done) => new Queue().save(name, EQueueType.LIFO_QUEUE, EQueueDeliveryModel.POINT_TO_POINT, done))()
    const producer = new Producer()
    await promisify((done) => producer.run(done))()
    return new SmqQueue(producer, name)
  }

  /** @param {readonly string[]} texts @param {number} callers */
  singles(texts, callers) {
    const produce = promisify((message, done) => this.#producer.produce(message, done))
    return inLanes(texts.length, callers, (index) => produce(new ProducibleMessage().setQueue(this.#name).setBody(texts[index])))
  }

  /** @param {number} count */
  async drain(count) {
    const all = Array.from({ length: consumers }, () => new Consumer())
    let left = count
    let tell = () => {}
    const over = new Promise((resolve) => {
      tell = () => resolve(undefined)
    })
    for (const consumer of all) {
      consumer.consume(this.#name, (_message, done) => {
        done()
        left -= 1
        if (left === 0) tell()
      }, () => undefined)
    }
    await Promise.all(all.map((consumer) => promisify((done) => consumer.run(done))()))
    await over
    await Promise.all(all.map((consumer) => promisify((done) => consumer.shutdown(done))()))
  }

  async close() {
    await promisify((done) => this.#producer.shutdown(done))()
  }
}
