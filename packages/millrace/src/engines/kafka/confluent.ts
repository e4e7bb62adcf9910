import { type Clock, type Millis, systemClock } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import { ConfluentClient } from './confluent/client.js'
import { type ConfigOptions, KafkajsConfigs, noConfigs } from './confluent/configs.js'
import { checkSettings, commonSettings, type Settings } from './confluent/settings.js'
import type { ConfluentModule } from './confluent/structure.js'
import type { KafkaClient } from './port.js'

export interface ConfluentOptions {
  /** `await import('@confluentinc/kafka-javascript')` */
  readonly module: ConfluentModule
  /** `host:port` of some of the cluster's brokers. */
  readonly brokers: readonly string[]
  /** Of librdkafka (TLS, SASL, sizes …), on top of ours. Those that our promises rest on are refused. */
  readonly settings?: Settings
  /** For a topic's settings, which the native client can neither read nor change: `{ module: await import('kafkajs') }`, with kafkajs's own `settings` for TLS and SASL. */
  readonly admin?: ConfigOptions
  /** How long a question to the cluster may take. Default 10 s. */
  readonly answerMs?: Millis
  readonly clock?: Clock
}

const closeMs = 5_000

/** A Kafka client on librdkafka, through the low-level calls of Confluent's package. */
export function confluent(options: ConfluentOptions): KafkaClient {
  const { module, brokers, settings = {}, admin, answerMs = 10_000, clock = systemClock } = options
  if (brokers.length === 0) throw new MillraceError('CONFIG', 'brokers: at least one host:port is needed', { field: 'brokers' })
  checkSettings(settings)
  const base = { library: module.RdKafka, brokers, settings: { ...commonSettings(brokers), ...settings }, clock, answerMs, closeMs }
  return new ConfluentClient(base, admin === undefined ? noConfigs : new KafkajsConfigs(admin, brokers, clock, answerMs))
}
