import { Kafka, logLevel } from 'kafkajs'
import { rivalAdapter } from './adapter.mjs'

/** By name: how it consumes. */
const runs = {
  /** As its documentation begins: a handler for each message, places are committed after each batch and when it leaves. */
  each: (topic, handle) => ({
    eachMessage: ({ partition, message }) => handle({ partition, ...message }),
  }),
  /** As its documentation has it for control over what is committed: each message is resolved after its handler, and committed at once. */
  batch: (topic, handle) => ({
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch: { partition, messages }, resolveOffset, heartbeat, commitOffsetsIfNecessary, isRunning, isStale }) => {
      for (const message of messages) {
        if (!isRunning() || isStale()) break
        await handle({ partition, ...message })
        resolveOffset(message.offset)
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(BigInt(message.offset) + 1n) }] }] })
        await heartbeat()
      }
    },
  }),
}

/** kafkajs alone: one member, one handler at a time. */
export const adapter = rivalAdapter({
  name: 'kafkajs',
  choices: { client: Object.keys(runs) },

  async open({ settings: { brokers, client, isQuiet }, process }) {
    const kafka = new Kafka({ clientId: process, brokers, logLevel: isQuiet ? logLevel.NOTHING : logLevel.WARN })
    let producing
    return {
      async send(topic, messages) {
        producing ??= connected(kafka.producer())
        const producer = await producing
        const answers = await producer.send({ topic, messages: messages.map(({ key, partition, value }) => ({ key, partition, value })) })
        return placesIn(messages, answers)
      },
      async consume({ topic, group, leaseMs, handle, taken, moved }) {
        // It beats between two fetches only, each of which may wait five seconds unless it is told otherwise.
        const consumer = kafka.consumer({ groupId: group, sessionTimeout: leaseMs, heartbeatInterval: Math.round(leaseMs / 3), maxWaitTimeInMs: 1_000 })
        const { COMMIT_OFFSETS, GROUP_JOIN } = consumer.events
        consumer.on(COMMIT_OFFSETS, ({ payload: { topics } }) => topics.forEach(({ partitions }) => partitions.forEach(({ partition, offset }) => taken(partition, offset))))
        consumer.on(GROUP_JOIN, moved)
        await consumer.connect()
        await consumer.subscribe({ topic, fromBeginning: true })
        await consumer.run(runs[client](topic, handle))
        return { close: () => consumer.disconnect() }
      },
      close: async () => (await producing)?.disconnect(),
    }
  },
})

async function connected(producer) {
  await producer.connect()
  return producer
}

/** Messages of a partition lie one after another, in the order in which they were given. */
function placesIn(messages, answers) {
  const next = new Map(answers.map(({ partition, baseOffset }) => [partition, BigInt(baseOffset)]))
  return messages.map(({ partition }) => {
    const offset = next.get(partition)
    next.set(partition, offset + 1n)
    return { partition, offset: String(offset) }
  })
}
