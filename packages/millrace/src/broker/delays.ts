import type { Millis } from '../core/index.js'
import type { Held, Page } from '../engine/index.js'
import type { TopicRef } from './topic-contract.js'

export interface DelayQuery {
  readonly topic?: TopicRef
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** Messages that wait for their time. */
export interface Delays {
  /** False when there is no such delayed message: it was released or cancelled before. */
  cancel(topic: TopicRef, id: string): Promise<boolean>
  /** False as above. */
  reschedule(topic: TopicRef, id: string, at: Date | Millis): Promise<boolean>
  list(query?: DelayQuery): Promise<Page<Held>>
}
