import type { GroupCensus, GroupPosition, Place, StartAt } from '../engine/index.js'
import type { Runtime } from './runtime.js'
import { nameOf, type TopicRef } from './topic-contract.js'
import type { TopicBook } from './topics.js'

/** Groups as people look after them. */
export class Groups {
  readonly #runtime: Runtime
  readonly #book: TopicBook

  constructor(runtime: Runtime, book: TopicBook) {
    this.#runtime = runtime
    this.#book = book
  }

  /** So that the group pins what comes before anyone joins. True when it did not exist. Errors: UNKNOWN_TOPIC. */
  async create(topic: TopicRef, group: string, from: StartAt = 'start'): Promise<boolean> {
    await this.#runtime.open()
    return this.#runtime.engine.groups.create(nameOf(topic), group, from)
  }

  /** Errors: UNKNOWN_TOPIC. */
  async list(topic: TopicRef): Promise<readonly GroupCensus[]> {
    await this.#book.get(nameOf(topic))
    const { topics } = await this.#runtime.engine.census()
    return topics.find((each) => each.topic === nameOf(topic))?.groups ?? []
  }

  /** Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  async positions(topic: TopicRef, group: string): Promise<readonly GroupPosition[]> {
    await this.#runtime.open()
    return this.#runtime.engine.groups.positions(nameOf(topic), group)
  }

  /** To a place, in one partition or in all. What is leased lapses. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  async seek(topic: TopicRef, group: string, to: Place, partition?: number): Promise<void> {
    await this.#runtime.open()
    return this.#runtime.engine.groups.seek(nameOf(topic), group, to, partition)
  }

  async pause(topic: TopicRef, group: string, paused = true): Promise<void> {
    await this.#runtime.open()
    return this.#runtime.engine.groups.pause(nameOf(topic), group, paused)
  }

  /** With its holds; its members' leases lapse. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  async remove(topic: TopicRef, group: string): Promise<void> {
    await this.#runtime.open()
    return this.#runtime.engine.groups.remove(nameOf(topic), group)
  }
}
