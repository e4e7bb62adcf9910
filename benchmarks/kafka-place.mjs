import { createRequire } from 'node:module'
import { confluent, kafka, kafkajs } from 'millrace/kafka'
import { startKafka } from '../tools/services/kafka.mjs'
import { nativeClient } from '../tools/services/native-client.mjs'

/** The modules that are handed to the engine, and that the rivals use bare. */
export async function kafkaModules() {
  return { native: createRequire(import.meta.url)(await nativeClient()), pure: await import('kafkajs') }
}

/** @typedef {Awaited<ReturnType<typeof kafkaModules>>} KafkaModules */

/**
 * A broker for a benchmark, started for it; or the one at SERVICES_KAFKA, which cannot be killed.
 * @returns {Promise<{ brokers: readonly string[], node?: any, tool?: any, stop: () => Promise<void> }>}
 */
export async function broker() {
  const given = process.env.SERVICES_KAFKA
  if (given) return { brokers: given.split(','), stop: async () => undefined }
  const { brokers, nodes: [node], tool, stop } = await startKafka({ load: true, heapMb: 1_024 })
  return { brokers, node, tool, stop }
}

/**
 * @param {'confluent' | 'kafkajs'} client @param {readonly string[]} brokers @param {KafkaModules} modules
 * @param {string} [prefix] several stores share a cluster
 */
export function kafkaEngine(client, brokers, { native, pure }, prefix = '') {
  const made = client === 'confluent' ? confluent({ module: native, brokers, admin: { module: pure } }) : kafkajs({ module: pure, brokers })
  return kafka({ client: made, prefix, report: () => undefined })
}
