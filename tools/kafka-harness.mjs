import { createRequire } from 'node:module'
import { nativeClient } from './services/native-client.mjs'
import { KafkaSweeper } from './kafka-sweeper.mjs'
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

/** No node is killed here, so that none need come back soon, and none is taken for dead on a machine that is busy. */
const settings = { 'broker.session.timeout.ms': 30_000 }

export const clientNames = Object.keys(clients)

/** Kafka of its own, or the one at SERVICES_KAFKA, and a maker of harnesses on it. `stop` ends what was started. */
export async function kafkaHarnesses({ client = 'confluent', nodes = 1 }) {
  const given = process.env.SERVICES_KAFKA?.split(',')
  const kafka = given ? { brokers: given, stop: async () => undefined } : await startKafka({ nodes, settings })
  const makeClient = await clients[client](kafka.brokers)
  const { kafkaHarness } = await import('../packages/millrace/dist/testing/harness/kafka.js')
  const sweeper = await KafkaSweeper.start(kafka.brokers)
  const stop = async () => {
    await sweeper.stop()
    await kafka.stop()
  }
  const options = { name: `kafka, ${client}, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`, replicationFactor: nodes, onClosed: (prefix) => sweeper.add(prefix) }
  return { makeHarness: () => kafkaHarness(makeClient, options), stop }
}
