import type { Millis } from '../core/clock.js'
import type { Offset } from '../core/message.js'

/**
 * Counts for people, metrics and alerts. At rest, for each group that was not moved back: published = settled + ready +
 * leased + held + dead + purged.
 */
export interface Census {
  readonly at: Millis
  readonly topics: readonly TopicCensus[]
}

export interface TopicCensus {
  readonly topic: string
  /** Messages that took a place in the log since the topic was created. */
  readonly published: number
  /** In the log now. */
  readonly messages: number
  readonly bytes: number
  /** Held for every group: not yet in the log. */
  readonly delayed: number
  readonly prepared: number
  readonly partitions: readonly PartitionCensus[]
  readonly groups: readonly GroupCensus[]
}

export interface PartitionCensus {
  readonly partition: number
  readonly start: Offset
  /** Where the next message will be. */
  readonly end: Offset
  readonly published: number
  readonly messages: number
  readonly bytes: number
}

export interface GroupCensus {
  readonly group: string
  readonly members: number
  readonly paused: boolean
  /** To be leased now. */
  readonly ready: number
  /** In the hands of members. */
  readonly leased: number
  /** ready + leased. */
  readonly lag: number
  /** Timestamp of the oldest message that is ready or leased, null when there is none. */
  readonly oldest: Millis | null
  readonly retrying: number
  readonly lent: number
  /** Behind a parked or lent message of their key. */
  readonly parked: number
  readonly dead: number
  /** Verdicts `done` since the group was created. */
  readonly settled: number
  /** Dropped by decision, trimmed unread, or passed over by a seek. */
  readonly purged: number
}
