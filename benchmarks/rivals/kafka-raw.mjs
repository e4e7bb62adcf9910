import { inLanes } from '../workload.mjs'

// The clients bare: what a program would write that needs no more than this.

const common = { 'allow.auto.create.topics': false, 'socket.nagle.disable': true }
const sending = { 'enable.idempotence': true, acks: 'all', 'linger.ms': 0, 'batch.num.messages': 10_000, 'queue.buffering.max.kbytes': 131_072 }
const reading = { 'isolation.level': 'read_committed', 'enable.auto.commit': false, 'fetch.wait.max.ms': 50, 'queued.max.messages.kbytes': 16_384 }
const producerId = Buffer.from('producer-1')
const any = -1
const timeoutMs = 10_000

/** @typedef {{ key: string, value: Uint8Array }} Item */

/** Confluent's client by its low-level calls. */
export class RawProducer {
  #producer
  /** Reports that are awaited, by what was given along. @type {Map<number, { left: number, done: () => void, failed: (error: unknown) => void }>} */
  #open = new Map()
  #calls = 0

  /** @param {any} producer */
  constructor(producer) {
    this.#producer = producer
    producer.on('delivery-report', (/** @type {unknown} */ error, /** @type {{ opaque: number }} */ { opaque }) => {
      const call = this.#open.get(opaque)
      if (!call) return
      if (error) call.failed(error)
      call.left -= 1
      if (call.left > 0) return
      this.#open.delete(opaque)
      call.done()
    })
    producer.setPollInBackground(true)
  }

  /** @param {any} native @param {readonly string[]} brokers */
  static async open(native, brokers) {
    return new RawProducer(await connected(new native.RdKafka.Producer({ ...common, ...sending, 'bootstrap.servers': brokers.join(','), dr_cb: true })))
  }

  /** All of a batch are confirmed. @param {string} topic @param {readonly Item[]} items @param {number} [partition] @returns {Promise<void>} */
  send(topic, items, partition = any) {
    const opaque = (this.#calls += 1)
    return new Promise((resolve, reject) => {
      this.#open.set(opaque, { left: items.length, done: resolve, failed: reject })
      for (const { key, value } of items) {
        this.#producer.produce(topic, partition, value, Buffer.from(key), Date.now(), opaque, [{ 'message-id': Buffer.from(crypto.randomUUID()) }, { producer: producerId }])
      }
    })
  }

  /** So many batches under way. @param {string} topic @param {readonly Item[]} items @param {number} size @param {number} underWay */
  batches(topic, items, size, underWay) {
    return inLanes(items.length / size, underWay, (index) => this.send(topic, items.slice(index * size, (index + 1) * size)))
  }

  /** Each caller awaits one send after another. @param {string} topic @param {readonly Item[]} items @param {number} callers */
  singles(topic, items, callers) {
    return inLanes(items.length, callers, (index) => this.send(topic, items.slice(index, index + 1)))
  }

  /** No headers, no reports. @param {string} topic @param {readonly Item[]} items */
  async bare(topic, items) {
    for (const { key, value } of items) this.#producer.produce(topic, any, value, key)
    await called((answer) => this.#producer.flush(timeoutMs, answer))
  }

  close() {
    return called((answer) => this.#producer.disconnect(answer))
  }
}

/** A member of a consumer group that reads in batches and commits each. */
export class RawConsumer {
  #consumer

  /** @param {any} consumer */
  constructor(consumer) {
    this.#consumer = consumer
    consumer.setDefaultConsumeTimeout(20)
  }

  /** @param {any} native @param {readonly string[]} brokers @param {string} group */
  static async open(native, brokers, group) {
    const settings = { ...common, ...reading, 'bootstrap.servers': brokers.join(','), 'group.id': group }
    return new RawConsumer(await connected(new native.RdKafka.KafkaConsumer(settings, { 'auto.offset.reset': 'earliest' })))
  }

  /**
   * Takes `count` messages of a topic, each through a handler, and commits; resolves with what it took from the first message to the last commit's answer: `ms`, and `cpu` in µs.
   * @param {string} topic @param {number} count @param {(messages: readonly any[]) => Promise<unknown>} handle @param {number} [size]
   */
  async drain(topic, count, handle, size = 1_000) {
    this.#consumer.subscribe([topic])
    let start = 0
    let before = process.cpuUsage()
    /** @type {Promise<unknown>[]} */
    const commits = []
    for (let left = count; left > 0; ) {
      const messages = await called((answer) => this.#consumer.consume(Math.min(size, left), answer))
      if (messages.length === 0) continue
      if (start === 0) [start, before] = [performance.now(), process.cpuUsage()]
      left -= messages.length
      await handle(messages)
      commits.push(this.#commit(messages))
    }
    await Promise.all(commits)
    const { user, system } = process.cpuUsage(before)
    return { ms: performance.now() - start, cpu: user + system }
  }

  /** @param {readonly any[]} messages */
  #commit(messages) {
    const places = new Map(messages.map(({ topic, partition, offset }) => [partition, { topic, partition, offset: offset + 1 }]))
    return called((answer) => this.#consumer.commitCb([...places.values()], answer))
  }

  close() {
    return called((answer) => this.#consumer.disconnect(answer))
  }
}

/** kafkajs: each caller awaits one send after another. @param {any} pure @param {readonly string[]} brokers */
export async function kafkajsSingles(pure, brokers) {
  const { Kafka, logLevel, Partitioners } = pure.default ?? pure
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  return {
    /** @param {string} topic @param {readonly Item[]} items @param {number} callers */
    singles: (topic, items, callers) => inLanes(items.length, callers, (index) => {
      const { key, value } = items[index]
      return producer.send({ topic, acks: -1, messages: [{ key, value, headers: { 'message-id': crypto.randomUUID(), producer: producerId } }] })
    }),
    close: () => producer.disconnect(),
  }
}

/** @param {any} client @returns {Promise<any>} */
async function connected(client) {
  client.on('event.error', () => undefined)
  await called((answer) => client.connect({ timeout: timeoutMs }, answer))
  return client
}

/** @param {(answer: (error: any, value?: any) => void) => unknown} call @returns {Promise<any>} */
function called(call) {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(new Error(error.message)) : resolve(value))))
}
