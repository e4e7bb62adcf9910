import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { builtNativeClient, nativeClient, noNativeClient } from '../../tools/services/native-client.mjs'
import { rivalAdapter } from './adapter.mjs'

const pollMs = 50
/** The client knows nothing of handlers: a program that wants another try makes it itself. */
const againMs = 100

/** @confluentinc/kafka-javascript, by its low-level calls: a message is polled, handled and committed, one after another. */
const lowLevel = {
  async send(module, { brokers, process }) {
    const producer = new module.Producer({ 'client.id': process, 'bootstrap.servers': brokers.join(','), dr_cb: true })
    const open = new Map()
    let sent = 0
    producer.setPollInterval(20)
    producer.on('delivery-report', (error, { opaque, partition, offset }) => {
      const { resolve, reject } = open.get(opaque)
      open.delete(opaque)
      if (error) reject(error)
      else resolve({ partition, offset: String(offset) })
    })
    await connected(producer)
    const sendOne = (topic, { key, partition, value }) => new Promise((resolve, reject) => {
      const opaque = (sent += 1)
      open.set(opaque, { resolve, reject })
      producer.produce(topic, partition, value, key, null, opaque)
    })
    return {
      send: (topic, messages) => Promise.all(messages.map((message) => sendOne(topic, message))),
      close: () => called((answer) => producer.disconnect(answer)),
    }
  },

  async consume(module, { brokers, process }, { topic, group, leaseMs, handle, taken, moved }) {
    const settings = { 'client.id': process, 'bootstrap.servers': brokers.join(','), 'group.id': group, 'session.timeout.ms': leaseMs, 'heartbeat.interval.ms': Math.round(leaseMs / 3) }
    const consumer = new module.KafkaConsumer({ ...settings, 'enable.auto.commit': false, rebalance_cb: true, offset_commit_cb: true }, { 'auto.offset.reset': 'earliest' })
    consumer.on('rebalance', moved)
    consumer.on('offset.commit', (error, places) => {
      if (!error) for (const { partition, offset, error: own } of places) if (!own) taken(partition, offset)
    })
    await connected(consumer)
    consumer.setDefaultConsumeTimeout(pollMs)
    consumer.subscribe([topic])
    let isEnding = false
    const handleUntilDone = async (message) => {
      while (!isEnding) {
        try {
          await handle({ ...message, key: String(message.key) })
          return true
        } catch {
          await pause(againMs)
        }
      }
      return false
    }
    const work = (async () => {
      while (!isEnding) {
        const messages = await called((answer) => consumer.consume(1, answer)).catch(() => [])
        if (messages.length === 0) await pause(1)
        for (const message of messages) if (await handleUntilDone(message)) commit(consumer, message)
      }
    })()
    return {
      close: async () => {
        isEnding = true
        await work
        await called((answer) => consumer.disconnect(answer))
      },
    }
  },
}

/** The same library by its promises, which are much like kafkajs: a handler for each message; what is handled is committed every five seconds and when partitions go, and nobody hears what came of it. */
const promises = {
  async send({ KafkaJS }, { brokers, process }) {
    const producer = new KafkaJS.Kafka({ kafkaJS: { clientId: process, brokers } }).producer()
    await producer.connect()
    return {
      async send(topic, messages) {
        // One call each: an answer names the first place of its partition only.
        const answers = await Promise.all(messages.map(({ key, partition, value }) => producer.send({ topic, messages: [{ key, partition, value }] })))
        return answers.map(([{ partition, baseOffset }]) => ({ partition, offset: String(baseOffset) }))
      },
      close: () => producer.disconnect(),
    }
  },

  async consume({ KafkaJS }, { brokers, process }, { topic, group, leaseMs, handle, moved }) {
    const kafkaJS = { groupId: group, sessionTimeout: leaseMs, heartbeatInterval: Math.round(leaseMs / 3), fromBeginning: true }
    const consumer = new KafkaJS.Kafka({ kafkaJS: { clientId: process, brokers } }).consumer({ kafkaJS, rebalance_cb: () => moved() })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ eachMessage: ({ partition, message }) => handle({ partition, offset: message.offset, key: String(message.key), value: message.value }) })
    return { close: () => consumer.disconnect() }
  },
}

const styles = { 'low-level': lowLevel, promises }

export const adapter = rivalAdapter({
  name: 'confluent',
  choices: { client: Object.keys(styles) },
  untold: ({ client }) => (client === 'promises' ? ['I8'] : []),
  missing: noNativeClient,
  /** Without a build, which takes minutes. */
  missingHere: () => (builtNativeClient() === undefined ? 'its native part was not built: npm run services -- native-client' : undefined),
  prepare: async () => ({ native: await nativeClient() }),
  // A poll holds a thread of Node's pool for its whole time.
  process: { env: { UV_THREADPOOL_SIZE: '16' } },

  async open({ settings, process }) {
    const module = createRequire(import.meta.url)(settings.native)
    const style = styles[settings.client]
    const who = { brokers: settings.brokers, process }
    let producing
    return {
      async send(topic, messages) {
        producing ??= style.send(module, who)
        return (await producing).send(topic, messages)
      },
      consume: (request) => style.consume(module, who, request),
      close: async () => (await producing)?.close(),
    }
  },
})

/** Without waiting; what the broker says to it comes as an event. It throws when the message's partition is not ours any more. */
function commit(consumer, message) {
  try {
    consumer.commitMessage(message)
  } catch (error) {
    console.error(new Date().toISOString(), 'commit:', error.message)
  }
}

function connected(client) {
  client.on('event.error', (error) => console.error(new Date().toISOString(), error.message))
  return called((answer) => client.connect({}, answer))
}

function called(call) {
  return new Promise((resolve, reject) => {
    call((error, answer) => {
      if (error) reject(new Error(error.message, { cause: error }))
      else resolve(answer)
    })
  })
}
