import type { Clock, Millis } from '../../core/clock.js'
import type { Census, GroupCensus, PartitionCensus, TopicCensus } from '../../engine/census.js'
import type { Group } from './group.js'
import type { PartitionLog } from './partition-log.js'
import type { MemoryStore } from './store.js'
import type { TopicState } from './topic-state.js'

export function census(store: MemoryStore, clock: Clock): Census {
  const monotonic = clock.monotonic()
  return { at: clock.wall(), topics: [...store.topics.values()].map((topic) => topicCensus(topic, monotonic)) }
}

function topicCensus(topic: TopicState, monotonic: Millis): TopicCensus {
  const partitions = topic.logs.map(partitionCensus)
  return {
    topic: topic.name,
    published: sum(partitions, (each) => each.published),
    messages: sum(partitions, (each) => each.messages),
    bytes: sum(partitions, (each) => each.bytes),
    delayed: topic.counts.delay,
    prepared: topic.counts.prepared,
    partitions,
    groups: [...topic.groups.values()].map((group) => groupCensus(group, monotonic)),
  }
}

function partitionCensus(log: PartitionLog): PartitionCensus {
  return { partition: log.partition, start: BigInt(log.start), end: BigInt(log.end), published: log.end, messages: log.end - log.start, bytes: log.bytes }
}

function groupCensus(group: Group, monotonic: Millis): GroupCensus {
  group.expelSilent(monotonic)
  const ready = sum(group.cursors, (cursor) => cursor.ready)
  const leased = sum(group.cursors, (cursor) => cursor.leased)
  const oldest = group.cursors.map((cursor) => cursor.oldest()).filter((each) => each !== null)
  return {
    group: group.name,
    members: group.members.size,
    paused: group.isPaused,
    ready,
    leased,
    lag: ready + leased,
    oldest: oldest.length === 0 ? null : oldest.reduce((one, other) => Math.min(one, other)),
    retrying: group.counts.retry,
    lent: group.counts.lent,
    parked: sum(group.cursors, (cursor) => cursor.keys.waiting),
    dead: group.counts.dead,
    settled: group.settled,
    purged: group.purged,
  }
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
