import type { Topic, TopicChange, TopicDraft } from '../core/index.js'
import type { TopicRef } from './topic-contract.js'

export interface Topics {
  /** The topic, created from the contract or draft where there is none. An existing one is left as it is. */
  ensure(topic: TopicRef | TopicDraft): Promise<Topic>
  /** Errors: TOPIC_EXISTS, INVALID naming the field, UNSUPPORTED. */
  create(topic: TopicRef | TopicDraft): Promise<Topic>
  /** Errors: UNKNOWN_TOPIC, INVALID. */
  alter(name: string, change: TopicChange): Promise<Topic>
  /** With its messages, groups and holds. Errors: UNKNOWN_TOPIC. */
  remove(name: string): Promise<void>
  list(): Promise<readonly Topic[]>
  /** Errors: UNKNOWN_TOPIC. */
  get(name: string): Promise<Topic>
  /** A paused topic takes messages and delivers none. */
  pause(name: string, paused?: boolean): Promise<Topic>
}
