import { createRequire } from 'node:module'
import { nativeClient } from './services/native-client.mjs'
import { startKafka } from './services/kafka.mjs'

/** The clients that the engine on Kafka works with, by name: `make(brokers)` answers a function that makes one for each instance. */
const clients = {
  async confluent(brokers) {
    const { confluent } = await import('millrace/kafka')
    const module = createRequire(import.meta.url)(await nativeClient())
    const admin = { module: await import('kafkajs') }
    return () => confluent({ module, brokers, admin })
  },
  async kafkajs(brokers) {
    const { kafkajs } = await import('millrace/kafka')
    const module = await import('kafkajs')
    return () => kafkajs({ module, brokers })
  },
}

export const clientNames = Object.keys(clients)

/** Kafka of its own, or the one at SERVICES_KAFKA, and a maker of harnesses on it. `stop` ends what was started. */
export async function kafkaHarnesses({ client = 'confluent', nodes = 1 }) {
  const given = process.env.SERVICES_KAFKA?.split(',')
  const kafka = given ? { brokers: given, stop: async () => undefined } : await startKafka({ nodes })
  const makeClient = await clients[client](kafka.brokers)
  const { kafkaHarness } = await import('../packages/millrace/dist/testing/harness/kafka.js')
  return { makeHarness: () => kafkaHarness(makeClient, { replicationFactor: nodes }), stop: () => kafka.stop() }
}
