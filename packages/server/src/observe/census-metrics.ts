import type { Census, GroupCensus, TopicCensus } from 'millrace'
import type { Family, Sample } from './exposition.js'

/** What stands in for every topic, or group, beyond the cap. */
const other = '_other'

type Labelled<T> = readonly (readonly [labels: Readonly<Record<string, string>>, counts: T])[]

interface Counts {
  readonly published: number
  readonly ready: number
  readonly leased: number
  readonly delayed: number
  readonly dead: number
  readonly bytes: number
}

interface GroupCounts {
  readonly lag: number
  readonly seconds: number
  readonly members: number
  readonly settled: number
  readonly dead: number
  readonly retrying: number
  readonly lent: number
}

/** The census as metrics. The first `most` topics and the first `most` groups have series of their own; the rest share one. */
export function censusMetrics(census: Census, most: number): readonly Family[] {
  const topics = capped(census.topics.map((topic) => [{ topic: topic.topic }, topicCounts(topic)] as const), most, addTopics)
  const groups = capped(
    census.topics.flatMap((topic) => topic.groups.map((group) => [{ topic: topic.topic, group: group.group }, groupCounts(group, census.at)] as const)),
    most,
    addGroups,
  )
  return [
    family('millrace_messages_published_total', 'counter', 'Messages that took a place in a topic.', topics, (c) => c.published),
    {
      name: 'millrace_topic_messages',
      type: 'gauge',
      help: 'Messages of a topic by state; ready, leased and dlq are sums over its groups.',
      samples: topics.flatMap(([labels, { ready, leased, delayed, dead }]) =>
        Object.entries({ ready, leased, delayed, dlq: dead }).map(([state, value]): Sample => ({ labels: { ...labels, state }, value })),
      ),
    },
    family('millrace_topic_bytes', 'gauge', 'Bytes of a topic in its log.', topics, (c) => c.bytes),
    family('millrace_group_lag_messages', 'gauge', 'Messages that a group has not finished.', groups, (c) => c.lag),
    family('millrace_group_lag_seconds', 'gauge', 'Age of the oldest message that a group has not finished.', groups, (c) => c.seconds),
    family('millrace_group_members', 'gauge', 'Members of a group.', groups, (c) => c.members),
    family('millrace_group_retrying_messages', 'gauge', 'Messages of a group that wait for their next attempt.', groups, (c) => c.retrying),
    family('millrace_group_lent_messages', 'gauge', 'Messages of a group that HTTP clients hold.', groups, (c) => c.lent),
    family('millrace_group_dead_letters', 'gauge', 'Messages that a group gave up on.', groups, (c) => c.dead),
    family('millrace_messages_acked_total', 'counter', 'Messages that a group finished.', groups, (c) => c.settled),
  ]
}

function family<T>(name: string, type: Family['type'], help: string, rows: Labelled<T>, value: (counts: T) => number): Family {
  return { name, type, help, samples: rows.map(([labels, counts]) => ({ labels, value: value(counts) })) }
}

function capped<T>(rows: Labelled<T>, most: number, add: (one: T, more: T) => T): Labelled<T> {
  if (rows.length <= most) return rows
  const [labels = {}] = rows[0] ?? []
  const rest = rows.slice(most).map(([, counts]) => counts)
  const all = Object.fromEntries(Object.keys(labels).map((name) => [name, other]))
  return [...rows.slice(0, most), [all, rest.reduce(add)]]
}

function topicCounts({ published, bytes, delayed, prepared, groups }: TopicCensus): Counts {
  const sum = (value: (group: GroupCensus) => number): number => groups.reduce((total, group) => total + value(group), 0)
  return { published, bytes, ready: sum((group) => group.ready), leased: sum((group) => group.leased), delayed: delayed + prepared, dead: sum((group) => group.dead) }
}

function groupCounts({ lag, oldest, members, settled, dead, retrying, lent }: GroupCensus, now: number): GroupCounts {
  return { lag, seconds: oldest === null ? 0 : Math.max(0, now - oldest) / 1_000, members, settled, dead, retrying, lent }
}

function addTopics(one: Counts, more: Counts): Counts {
  return {
    published: one.published + more.published,
    ready: one.ready + more.ready,
    leased: one.leased + more.leased,
    delayed: one.delayed + more.delayed,
    dead: one.dead + more.dead,
    bytes: one.bytes + more.bytes,
  }
}

function addGroups(one: GroupCounts, more: GroupCounts): GroupCounts {
  return {
    lag: one.lag + more.lag,
    seconds: Math.max(one.seconds, more.seconds),
    members: one.members + more.members,
    settled: one.settled + more.settled,
    dead: one.dead + more.dead,
    retrying: one.retrying + more.retrying,
    lent: one.lent + more.lent,
  }
}
