import { messageHold, type Millis } from '../core/index.js'
import type { Held, Page } from '../engine/index.js'
import { millisOf } from './drafter.js'
import type { Runtime } from './runtime.js'
import { scheduleTopic } from './schedule-book.js'
import { nameOf, type TopicRef } from './topic-contract.js'

export interface DelayQuery {
  readonly topic?: TopicRef
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** Messages that wait for their time. */
export class Delays {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** False when there is no such delayed message: it was released or cancelled before. */
  async cancel(topic: TopicRef, id: string): Promise<boolean> {
    const held = await this.#find(topic, id)
    if (!held) return false
    const [decided] = await this.#runtime.engine.decide([{ hold: held.id, to: 'drop' }])
    return decided !== 'gone'
  }

  /** To another time. False when there is no such delayed message. */
  async reschedule(topic: TopicRef, id: string, at: Date | Millis): Promise<boolean> {
    const held = await this.#find(topic, id)
    if (!held) return false
    const [decided] = await this.#runtime.engine.decide([{ hold: held.id, to: 'hold', anew: { ...held.hold, until: millisOf(at) } }])
    return decided !== 'gone'
  }

  /** In the order in which they were sent. */
  async list({ topic, limit = 100, cursor }: DelayQuery = {}): Promise<Page<Held>> {
    await this.#runtime.open()
    const page = await this.#runtime.engine.holds({ why: 'delay', limit, ...(topic !== undefined && { topic: nameOf(topic) }), ...(cursor !== undefined && { cursor }) })
    return { ...page, items: page.items.filter(({ message }) => message.topic !== scheduleTopic) }
  }

  /** A prepared message has such an id too, and is not for this door. */
  async #find(topic: TopicRef, id: string): Promise<Held | undefined> {
    await this.#runtime.open()
    const name = nameOf(topic)
    const { items } = await this.#runtime.engine.holds({ id: messageHold(name, id), topic: name, why: 'delay', limit: 1 })
    return items[0]
  }
}
