import type { Clock } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Topic, TopicChange, TopicConfig } from '../../core/topic.js'
import type { TopicAdmin } from '../../engine/engine.js'
import type { MemoryStore } from './store.js'
import { TopicState } from './topic-state.js'

let made = 0

export class Topics implements TopicAdmin {
  readonly #store: MemoryStore
  readonly #clock: Clock
  readonly #onChange: () => void

  constructor(store: MemoryStore, clock: Clock, onChange: () => void) {
    this.#store = store
    this.#clock = clock
    this.#onChange = onChange
  }

  async create(config: TopicConfig): Promise<Topic> {
    if (this.#store.topics.has(config.name)) throw new MillraceError('TOPIC_EXISTS', `topic ${config.name} exists already: alter it, or choose another name`)
    const now = this.#clock.wall()
    made += 1
    const topic = { ...config, id: `${config.name}-${now.toString(36)}-${made.toString(36)}`, createdAt: now, updatedAt: now }
    this.#store.topics.set(config.name, new TopicState(this.#store, topic))
    return topic
  }

  async alter(name: string, change: TopicChange): Promise<Topic> {
    const topic = this.#store.topic(name)
    const before = topic.meta
    if (change.partitions !== undefined && change.partitions < before.partitions) {
      throw new MillraceError('INVALID', `partitions may only grow: topic ${name} has ${before.partitions}`, { field: 'partitions' })
    }
    topic.meta = { ...before, ...change, updatedAt: this.#clock.wall() }
    for (const group of topic.everyGroup()) {
      group.rebalance()
      group.wake()
    }
    if (topic.meta.paused !== before.paused) this.#store.stir({ what: 'paused', topic: name })
    if (topic.capacity.hasRoomAgain()) this.#store.stir({ what: 'room', topic: name })
    this.#onChange()
    return topic.meta
  }

  async remove(name: string): Promise<void> {
    const topic = this.#store.topic(name)
    this.#store.topics.delete(name)
    for (const group of topic.everyGroup()) group.dissolve()
    for (const record of this.#store.holds.where((each) => each.topic === topic)) this.#store.holds.remove(record)
    this.#store.stir({ what: 'members', topic: name })
  }

  async list(): Promise<readonly Topic[]> {
    return [...this.#store.topics.values()].map((topic) => topic.meta)
  }
}
