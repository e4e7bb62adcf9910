import { randomUUID } from 'node:crypto'
import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Topic, TopicChange, TopicConfig } from '../../core/topic.js'
import type { TopicAdmin } from '../../engine/engine.js'
import { checkLevel } from './durability.js'
import { type Entry, isAccepted } from './ledger.js'
import type { TopicDescription } from './port.js'
import { decode, encode, ids, type TopicRow } from './rows.js'
import { changedSettings, topicSettings } from './settings.js'
import type { KafkaStore } from './store.js'

/** A removal that another instance began and has not ended for so long is ended by whoever wants the name. */
const removalMs = 30_000
const lookMs = 100
/** After so long an instance that has made a topic has registered it. */
const anotherMs = 1_000

/** Topics: those of the registry, each with a Kafka topic of its own and a ledger. */
export class Topics implements TopicAdmin {
  readonly #store: KafkaStore

  constructor(store: KafkaStore) {
    this.#store = store
  }

  async create(asked: TopicConfig): Promise<Topic> {
    const config = { ...asked, replicationFactor: Math.max(asked.replicationFactor, this.#store.copies) }
    checkLevel(config.durability, config.name, { replicationFactor: config.replicationFactor, config: topicSettings(config) })
    await this.#store.registry.sync()
    await this.#removed(config.name)
    if (this.#row(config.name)) throw exists(config.name)
    const now = this.#store.clock.wall()
    const made = await this.#make(config)
    const topic = plain({ ...made, id: `${config.name}-${randomUUID()}`, createdAt: now, updatedAt: now })
    const [answer] = await this.#store.registry.put([{ id: ids.topic(config.name), value: encode({ topic } satisfies TopicRow), when: 'new' }])
    if (!isAccepted(answer)) throw exists(config.name)
    return topic
  }

  async alter(name: string, change: TopicChange): Promise<Topic> {
    for (;;) {
      await this.#store.registry.sync()
      const { row, version } = this.#known(name)
      const topic = plain({ ...row.topic, ...change, replicationFactor: this.#copies(row.topic, change), updatedAt: this.#store.clock.wall() })
      await this.#apply(row.topic, topic)
      const [answer] = await this.#store.registry.put([{ id: ids.topic(name), value: encode({ topic } satisfies TopicRow), when: { is: version } }])
      if (isAccepted(answer)) return topic
    }
  }

  /** The registry says first that it is being removed, so that nobody finds half of it. */
  async remove(name: string): Promise<void> {
    for (;;) {
      await this.#store.registry.sync()
      const { row, version } = this.#known(name)
      const value = encode({ ...row, removing: true } satisfies TopicRow)
      const [answer] = await this.#store.registry.put([{ id: ids.topic(name), value, when: { is: version } }])
      if (isAccepted(answer)) return this.#end(name, answer.version)
    }
  }

  async list(): Promise<readonly Topic[]> {
    await this.#store.registry.sync()
    return [...this.#store.topics.values()]
  }

  /** The Kafka topic, made anew or adopted. */
  async #make(config: TopicConfig): Promise<TopicConfig> {
    const { admin } = this.#store.client
    const { partitions, replicationFactor } = config
    const name = this.#store.names.topic(config.name)
    const made = await admin.createTopic({ name, partitions, replicationFactor, config: topicSettings(config) })
    if (made === 'created') return config
    try {
      return await this.#adopt(config, name)
    } catch (error) {
      // Or another instance is creating it just now.
      await this.#pause(anotherMs)
      await this.#store.registry.sync()
      throw this.#row(config.name) ? exists(config.name) : error
    }
  }

  async #adopt(config: TopicConfig, name: string): Promise<TopicConfig> {
    const { admin } = this.#store.client
    const found = await this.#describe(name)
    if (found?.partitions !== config.partitions) {
      const has = found ? `has ${found.partitions} partitions` : 'cannot be described'
      throw new MillraceError('INVALID', `Kafka has a topic ${name} that is none of Millrace's and ${has}: ask for as many, to take it over, or choose another name`, { field: 'partitions' })
    }
    const adopted = { ...config, replicationFactor: found.replicationFactor }
    const settings = topicSettings(adopted)
    checkLevel(config.durability, config.name, { ...found, config: settings })
    await admin.alterConfig(name, settings)
    return adopted
  }

  /** Asked for fewer than the engine gives, it has what it has. */
  #copies({ replicationFactor: before }: Topic, { replicationFactor: asked = before }: TopicChange): number {
    return asked < this.#store.copies ? before : asked
  }

  async #apply(before: Topic, after: Topic): Promise<void> {
    const { admin } = this.#store.client
    const name = this.#store.names.topic(after.name)
    if (after.partitions < before.partitions) throw new MillraceError('INVALID', `partitions may only grow: topic ${after.name} has ${before.partitions}`, { field: 'partitions' })
    if (after.replicationFactor !== before.replicationFactor) {
      throw new MillraceError('UNSUPPORTED', `topic ${after.name} has ${before.replicationFactor} copies: the tools of Kafka change that`, { field: 'replicationFactor' })
    }
    const settings = changedSettings(topicSettings(before), topicSettings(after))
    if (after.durability !== before.durability || after.partitions > before.partitions) {
      const found = await this.#describe(name)
      if (!found) throw new MillraceError('ENGINE_FAILED', `Kafka has no topic ${name}: remove ${after.name}, and create it again`)
      checkLevel(after.durability, after.name, { ...found, config: { ...topicSettings(after), ...found.config, ...settings } })
      if (found.partitions > after.partitions) throw new MillraceError('INVALID', `Kafka's topic ${name} has ${found.partitions} partitions: ask for as many`, { field: 'partitions' })
      if (found.partitions < after.partitions) await admin.addPartitions(name, after.partitions)
    }
    if (Object.keys(settings).length > 0) await admin.alterConfig(name, settings)
  }

  async #end(name: string, version: Entry['version']): Promise<void> {
    const { client, names, registry } = this.#store
    await client.admin.removeTopic(names.topic(name))
    await client.admin.removeTopic(names.ledger(name))
    const [answer] = await registry.put([{ id: ids.topic(name), value: null, when: { is: version } }])
    isAccepted(answer)
  }

  /** Waits until a removal that is under way has ended. */
  async #removed(name: string): Promise<void> {
    const { clock, registry } = this.#store
    const due = clock.monotonic() + removalMs
    for (;;) {
      const found = this.#row(name)
      if (found?.row.removing !== true) return
      if (clock.monotonic() >= due) return this.#end(name, found.version)
      await this.#pause(lookMs)
      await registry.sync()
    }
  }

  /** A broker may hear of a topic later than the one that made it. */
  async #describe(name: string): Promise<TopicDescription | undefined> {
    const due = this.#store.clock.monotonic() + anotherMs
    for (;;) {
      const found = await this.#store.client.admin.describeTopic(name)
      if (found || this.#store.clock.monotonic() >= due) return found
      await this.#pause(lookMs)
    }
  }

  #pause(ms: Millis): Promise<void> {
    return new Promise((resolve) => this.#store.clock.after(ms, resolve))
  }

  #row(name: string): { readonly row: TopicRow; readonly version: Entry['version'] } | undefined {
    const entry = this.#store.registry.get(ids.topic(name))
    return entry && { row: decode<TopicRow>(entry), version: entry.version }
  }

  #known(name: string): { readonly row: TopicRow; readonly version: Entry['version'] } {
    const found = this.#row(name)
    if (!found || found.row.removing === true) throw new MillraceError('UNKNOWN_TOPIC', `topic ${name} does not exist: create it first`, { field: 'topic' })
    return found
  }
}

/** As it is read back: without fields that are undefined. */
function plain(topic: Topic): Topic {
  return decode<Topic>({ value: encode(topic) })
}

function exists(name: string): MillraceError {
  return new MillraceError('TOPIC_EXISTS', `topic ${name} exists already: alter it, or choose another name`)
}
