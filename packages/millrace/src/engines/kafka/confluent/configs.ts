import type { Clock, Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { asError } from './codes.js'
import { within } from './wait.js'

/** What this adapter calls of `kafkajs`, which can do what the native client cannot: read and change a topic's settings. */
export interface ConfigModule {
  readonly Kafka: new (settings: ConfigClientSettings) => { admin(): ConfigAdmin }
}

interface ConfigClientSettings {
  readonly brokers: string[]
  readonly clientId: string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly retry: { readonly retries: number }
  readonly logLevel: number
  readonly [setting: string]: unknown
}

interface ConfigAdmin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  describeConfigs(request: { resources: { type: number; name: string }[]; includeSynonyms: boolean }): Promise<{ readonly resources: readonly { readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[] }[] }>
  alterConfigs(request: { validateOnly: boolean; resources: { type: number; name: string; configEntries: { name: string; value: string }[] }[] }): Promise<unknown>
}

export interface ConfigOptions {
  readonly module: ConfigModule
  /** Of kafkajs: `ssl`, `sasl`. */
  readonly settings?: Readonly<Record<string, unknown>>
}

export interface TopicConfigs {
  describe(topic: string): Promise<Readonly<Record<string, string>>>
  alter(topic: string, config: Readonly<Record<string, string>>): Promise<void>
  close(): Promise<void>
}

/** Of a resource, in Kafka's protocol. */
const topicType = 2

/** Where no client was handed in that can. */
export const noConfigs: TopicConfigs = {
  describe: () => Promise.resolve({}),
  alter: () =>
    Promise.reject(new MillraceError('UNSUPPORTED', "the native Kafka client cannot change a topic's settings: npm i kafkajs and hand it in, admin: { module: await import('kafkajs') }, or use kafka-configs.sh")),
  close: () => Promise.resolve(),
}

/** Topic settings through kafkajs. */
export class KafkajsConfigs implements TopicConfigs {
  readonly #options: ConfigOptions
  readonly #brokers: readonly string[]
  readonly #clock: Clock
  readonly #answerMs: Millis
  #admin: Promise<ConfigAdmin> | undefined

  constructor(options: ConfigOptions, brokers: readonly string[], clock: Clock, answerMs: Millis) {
    this.#options = options
    this.#brokers = brokers
    this.#clock = clock
    this.#answerMs = answerMs
  }

  async describe(topic: string): Promise<Readonly<Record<string, string>>> {
    const { resources } = await this.#call(`the settings of ${topic}`, (admin) => admin.describeConfigs({ includeSynonyms: false, resources: [{ type: topicType, name: topic }] }))
    return Object.fromEntries((resources[0]?.configEntries ?? []).flatMap(({ configName, configValue }) => (configValue === null ? [] : [[configName, configValue]])))
  }

  /** The call that kafkajs knows replaces all settings of the topic, so that those it has are sent with it. */
  async alter(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries({ ...(await this.#own(topic)), ...config }).map(([name, value]) => ({ name, value }))
    await this.#call(`changing the settings of ${topic}`, (admin) => admin.alterConfigs({ validateOnly: false, resources: [{ type: topicType, name: topic, configEntries }] }))
  }

  async close(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined)
    if (admin !== undefined) await within(this.#clock, this.#answerMs, admin.disconnect().catch(() => undefined))
  }

  /** Those that were set for the topic, without what it has from the broker. */
  async #own(topic: string): Promise<Readonly<Record<string, string>>> {
    const { resources } = await this.#call(`the settings of ${topic}`, (admin) => admin.describeConfigs({ includeSynonyms: false, resources: [{ type: topicType, name: topic }] }))
    return Object.fromEntries((resources[0]?.configEntries ?? []).flatMap((entry) => (isOwn(entry) && entry.configValue !== null ? [[entry.configName, entry.configValue]] : [])))
  }

  async #call<Answer>(what: string, call: (admin: ConfigAdmin) => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await within(this.#clock, this.#answerMs, this.#connected().then(call))
      if (answer !== 'late') return answer
    } catch (error) {
      throw asError(error, what)
    }
    throw new MillraceError('TIMEOUT', `${what}: the cluster has not answered for ${this.#answerMs} ms`)
  }

  #connected(): Promise<ConfigAdmin> {
    this.#admin ??= this.#connect()
    this.#admin.catch(() => (this.#admin = undefined))
    return this.#admin
  }

  async #connect(): Promise<ConfigAdmin> {
    const { module, settings } = this.#options
    const kafka = new module.Kafka({ clientId: 'millrace-settings', connectionTimeout: this.#answerMs, requestTimeout: this.#answerMs, retry: { retries: 3 }, logLevel: 0, ...settings, brokers: [...this.#brokers] })
    const admin = kafka.admin()
    await admin.connect()
    return admin
  }
}

const fromTopic = 1

/** `configSource` 1 is the topic's own; kafkajs leaves it out where the broker answers in an old form. */
function isOwn(entry: object): boolean {
  return 'configSource' in entry ? entry.configSource === fromTopic : 'isDefault' in entry && entry.isDefault === false
}
