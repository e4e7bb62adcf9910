import { MillraceError } from '../core/index.js'
import type { GroupCensus, GroupPosition, Place, StartAt } from '../engine/index.js'
import { caughtUp, type CaughtUpOptions } from './caught-up.js'
import type { Runtime } from './runtime.js'
import { nameOf, type TopicRef } from './topic-contract.js'
import type { TopicBook } from './topics.js'
import { unlessAborted } from './waiting.js'

/** Groups as people look after them. */
export class Groups {
  readonly #runtime: Runtime
  readonly #book: TopicBook
  readonly #joined: (topic: string) => Promise<void>

  constructor(runtime: Runtime, book: TopicBook, joined: (topic: string) => Promise<void>) {
    this.#runtime = runtime
    this.#book = book
    this.#joined = joined
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

  /**
   * Resolves when the group, or without one every group of the topic, has nothing left to do: nothing ready, in hand, lent,
   * held for retry, or waiting behind such a message of its key. Delayed and prepared messages and dead letters do not count,
   * nor do broadcast members, which have no group. Answers with the groups as they were then; more may have come since.
   * Consumers of this Millrace that have not joined yet are waited for. A paused group with something to do never gets there:
   * hand in a signal. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP, the signal's reason.
   */
  async caughtUp(topic: TopicRef, group?: string, { signal }: CaughtUpOptions = {}): Promise<readonly GroupCensus[]> {
    const name = nameOf(topic)
    signal?.throwIfAborted()
    await this.#book.get(name)
    await unlessAborted(signal, this.#joined(name))
    return caughtUp(this.#runtime, name, () => this.#look(name, group), signal)
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

  async #look(topic: string, group: string | undefined): Promise<readonly GroupCensus[]> {
    const all = await this.list(topic)
    const found = group === undefined ? all : all.filter((each) => each.group === group)
    if (group === undefined || found.length > 0) return found
    throw new MillraceError('UNKNOWN_GROUP', `topic ${topic} has no group ${group}: create it, or join it`, { field: 'group' })
  }
}
