import type { GroupCensus, GroupPosition, Place, StartAt } from '../engine/index.js'
import type { TopicRef } from './topic-contract.js'

export interface Groups {
  /** So that the group pins what comes before anyone joins. True when it did not exist. */
  create(topic: TopicRef, group: string, from?: StartAt): Promise<boolean>
  list(topic: TopicRef): Promise<readonly GroupCensus[]>
  positions(topic: TopicRef, group: string): Promise<readonly GroupPosition[]>
  /** To a place, in one partition or in all. What is leased lapses. */
  seek(topic: TopicRef, group: string, to: Place, partition?: number): Promise<void>
  pause(topic: TopicRef, group: string, paused?: boolean): Promise<void>
  remove(topic: TopicRef, group: string): Promise<void>
}
