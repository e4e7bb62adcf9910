import type { Millis } from '../../core/clock.js'
import type { Census, GroupCensus, TopicCensus } from '../../engine/census.js'
import type { Topic } from '../../core/topic.js'
import { countsOf, type PartCounts, readParts } from './counts.js'
import { type GroupRow, readGroupRow } from './groups.js'
import type { Reply } from './port.js'
import { groupsOf } from './scripts/census.js'
import type { RedisStore } from './store.js'

/** Everything counted, each partition at one moment: what moves between partitions, or from one to its topic, does not. */
export async function census(store: RedisStore): Promise<Census> {
  await store.registry.refresh()
  return { at: store.clock.wall(), topics: await Promise.all([...store.topics.values()].map((topic) => topicCensus(store, topic))) }
}

async function topicCensus(store: RedisStore, topic: Topic): Promise<TopicCensus> {
  const { groups } = await livingGroups(store, topic.name)
  const parts = await readParts(store, topic, groups.map(({ name }) => name))
  const partitions = parts.map(({ start, end, entries, trimmed, bytes }, partition) => ({ partition, start: BigInt(start), end: BigInt(end), published: entries + trimmed, messages: entries, bytes }))
  return {
    topic: topic.name,
    published: sum(partitions, (each) => each.published),
    messages: sum(partitions, (each) => each.messages),
    bytes: sum(partitions, (each) => each.bytes),
    delayed: sum(parts, (each) => each.delayed),
    prepared: sum(parts, (each) => each.prepared),
    partitions,
    groups: groups.map((group, index) => groupCensus(group, parts, index)),
  }
}

/** A group, and its members. */
export interface LivingGroup {
  readonly name: string
  readonly row: GroupRow
  readonly members: number
  /** When the last that was heard of counts as dead, by the server's clock. */
  readonly until: Millis
}

export interface Living {
  /** The server's clock. */
  readonly now: Millis
  readonly groups: readonly LivingGroup[]
}

export async function livingGroups(store: RedisStore, topic: string): Promise<Living> {
  const names = store.names.topic(topic)
  const reply = await store.run(groupsOf, [names.groups], [names.beats('')])
  const [now, ...words] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  const groups: LivingGroup[] = []
  for (let index = 0; index + 3 < words.length; index += 4) {
    const row = words[index + 1]
    if (Buffer.isBuffer(row)) groups.push({ name: String(words[index]), row: readGroupRow(row), members: Number(words[index + 2]), until: Number(String(words[index + 3])) })
  }
  return { now: Number(String(now)), groups }
}

function groupCensus({ name, row, members }: LivingGroup, parts: readonly PartCounts[], index: number): GroupCensus {
  const counts = parts.map((part) => countsOf(part, part.groups[index]))
  const ready = sum(counts, (each) => each.ready)
  const leased = sum(counts, (each) => each.leased)
  const times = counts.flatMap(({ oldest }) => oldest ?? [])
  return {
    group: name,
    members,
    paused: row.paused,
    ready,
    leased,
    lag: ready + leased,
    oldest: times.length === 0 ? null : Math.min(...times),
    retrying: sum(counts, (each) => each.retrying),
    lent: sum(counts, (each) => each.lent),
    parked: sum(counts, (each) => each.parked),
    dead: sum(counts, (each) => each.dead),
    settled: sum(counts, (each) => each.settled),
    purged: sum(counts, (each) => each.purged),
  }
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
