import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../core/errors.js'
import type { Topic, TopicChange, TopicConfig } from '../../core/topic.js'
import type { TopicAdmin } from '../../engine/engine.js'
import { hasBound } from './batch.js'
import { livingGroups } from './census.js'
import type { Groups } from './groups.js'
import { partitionsOf } from './place.js'
import type { TopicRow } from './registry.js'
import { removePartition } from './scripts/partition.js'
import { type RedisStore, unknownTopic } from './store.js'

/** Tries until a change is taken that others' changes get before. */
const mostTries = 50
/** Partitions that are removed at once. */
const abreast = 32

/** Topics: a row each in the registry. What a topic has on the server is made when it is first needed. */
export class Topics implements TopicAdmin {
  readonly #store: RedisStore
  readonly #groups: Groups

  constructor(store: RedisStore, groups: Groups) {
    this.#store = store
    this.#groups = groups
  }

  async create(config: TopicConfig): Promise<Topic> {
    this.#check(config)
    const now = this.#store.clock.wall()
    const topic = plain({ ...config, id: `${config.name}-${randomUUID()}`, createdAt: now, updatedAt: now })
    for (let tries = 0; tries < mostTries; tries += 1) {
      if (await this.#store.registry.put(config.name, undefined, { topic })) {
        this.#tell()
        return topic
      }
      const row = this.#store.registry.rows.get(config.name)?.row
      if (row && !row.removing) break
      // Somebody began to remove it, and did not end.
      if (row) await this.#end(row)
    }
    throw new MillraceError('TOPIC_EXISTS', `topic ${config.name} exists already: alter it, or choose another name`, { field: 'name' })
  }

  async alter(name: string, change: TopicChange): Promise<Topic> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const { row, text } = await this.#row(name)
      const topic = plain({ ...row.topic, ...change, updatedAt: this.#store.clock.wall() })
      if (topic.partitions < row.topic.partitions) throw new MillraceError('INVALID', `partitions may only grow: topic ${name} has ${row.topic.partitions}`, { field: 'partitions' })
      this.#check(topic)
      if (!(await this.#store.registry.put(name, text, { topic }))) continue
      this.#tell()
      if (topic.partitions > row.topic.partitions) await this.#groups.grown(topic)
      for (const what of ['ready', 'room', 'members'] as const) this.#store.stirAll(name, { what })
      if (topic.paused !== row.topic.paused) this.#store.stirAll(name, { what: 'paused' })
      this.#store.onActivity(name)
      await this.#store.changedHere(name)
      return topic
    }
    throw new MillraceError('ENGINE_FAILED', `altering topic ${name}: others have changed it each of ${mostTries} times`)
  }

  /** The registry says first that it is being removed, so that nobody finds half of it. */
  async remove(name: string): Promise<void> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const { row, text } = await this.#row(name)
      const removing: TopicRow = { ...row, removing: true }
      if (!(await this.#store.registry.put(name, text, removing))) continue
      this.#tell()
      return this.#end(removing)
    }
    throw new MillraceError('ENGINE_FAILED', `removing topic ${name}: others have changed it each of ${mostTries} times`)
  }

  async list(): Promise<readonly Topic[]> {
    await this.#store.registry.refresh()
    return [...this.#store.topics.values()]
  }

  /** Ends removals that somebody began and did not end. */
  async endRemovals(): Promise<void> {
    for (const { row } of [...this.#store.registry.rows.values()]) if (row.removing) await this.#end(row)
  }

  async #end(row: TopicRow): Promise<void> {
    const { topic } = row
    const names = this.#store.names.topic(topic.name)
    const { groups } = await livingGroups(this.#store, topic.name)
    const partitions = [...partitionsOf(topic)]
    while (partitions.length > 0) await Promise.all(partitions.splice(0, abreast).map(async (each) => this.#store.run(removePartition, [this.#store.part(topic.name, each).log], [topic.id])))
    const keys = [names.groups, ...groups.map(({ name }) => names.beats(name))]
    await this.#store.command(['DEL', ...keys], names.groups)
    await this.#store.registry.put(topic.name, JSON.stringify(row), undefined)
    this.#groups.forget(topic.name)
    this.#tell()
    this.#store.stirAll(topic.name, { what: 'members' })
    await this.#store.changedHere(topic.name)
  }

  async #row(name: string): Promise<{ readonly row: TopicRow; readonly text: string }> {
    await this.#store.registry.refresh()
    const found = this.#store.registry.rows.get(name)
    if (!found || found.row.removing) throw unknownTopic(name)
    return found
  }

  #check(config: TopicConfig): void {
    this.#store.guarantees.confirmation(config.durability)
    if (!hasBound(config) || config.partitions === 1 || !this.#store.client.isCluster) return
    throw new MillraceError('UNSUPPORTED', `topic ${config.name} has ${config.partitions} partitions, which a cluster keeps on several nodes: what is unread of all cannot be counted at one moment. Give a topic with a cap one partition`, { field: 'cap' })
  }

  #tell(): void {
    this.#store.tell(this.#store.names.registry, 'topics')
  }
}

/** As it is read back: without fields that are undefined. */
function plain(topic: Topic): Topic {
  return JSON.parse(JSON.stringify(topic)) as Topic // What was written.
}
