import { type GroupPosition, type Millis, MillraceError, type TopicCensus } from 'millrace'
import Type, { type Static } from 'typebox'
import { type Counted, longestRangeMs } from '../observe/sampler.js'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { nullable } from './envelope.js'
import { groupStatus } from './group-shapes.js'
import { Name, Time, time } from './shapes.js'

const TopicMetrics = Type.Object({
  name: Type.String(),
  messageCount: Type.Optional(Type.Integer({ description: 'Sent since the topic was created.' })),
  messageRate: Type.Optional(Type.Number({ description: 'Messages sent a second, over timeRange.' })),
  consumerLag: Type.Optional(Type.Integer({ description: 'Messages not finished, the sum of all groups.' })),
  partitions: Type.Optional(Type.Array(Type.Object({ partition: Type.Integer(), offset: Type.Integer({ description: 'Where the next message will be.' }), messageRate: Type.Number() }))),
})

const GroupMetrics = Type.Object({
  groupId: Type.String(),
  topicName: Type.String(),
  consumerCount: Type.Integer(),
  totalLag: Type.Integer(),
  status: Type.Enum(['active', 'inactive']),
})

const metricNames = ['messageCount', 'messageRate', 'consumerLag', 'partitions', 'consumers'] as const
type Metric = (typeof metricNames)[number]

const Monitoring = Type.Object({ topics: Type.Array(TopicMetrics), consumers: Type.Optional(Type.Array(GroupMetrics)), timestamp: Time })

/** Beats stay inside the engine, and who joined when is not kept. */
const Unknown = Type.Null({ description: 'Not known to the server.' })

/** One owner of one partition, in the words of the first version's Consumer. What is not known is null. */
const Consumer = Type.Object({
  id: Type.String(),
  consumerId: nullable(Type.String({ description: 'Null: nobody owns the partition.' })),
  groupId: Type.String(),
  topicName: Type.String(),
  partition: Type.Integer(),
  currentOffset: Type.Integer({ description: 'Where the partition ends: the next message will be there.' }),
  committedOffset: Type.Integer({ description: 'Everything before it is finished or held.' }),
  lag: Type.Integer(),
  status: Type.Enum(['active', 'inactive']),
  lastHeartbeat: Unknown,
  clientInfo: Type.Record(Type.String(), Type.String()),
  createdAt: Unknown,
  updatedAt: Unknown,
})

/** What people and dashboards look at. */
export function monitoringCalls(context: Context): readonly Call[] {
  const { mill, sampler } = context
  return [
    call({
      method: 'GET',
      path: '/monitoring',
      role: 'admin',
      says: 'monitored',
      tag: 'monitoring',
      summary: 'Counts, rates and lag',
      query: Type.Object(
        {
          topicName: Type.Optional(Name),
          timeRange: Type.Optional(Type.String({ default: '1h', description: 'Of the rates: a number with s, m or h, at most 24h.' })),
          metrics: Type.Optional(Type.String({ description: `Only these, with commas: ${metricNames.join(', ')}.` })),
        },
        { additionalProperties: false },
      ),
      data: Monitoring,
      async answer({ query: { topicName, timeRange = '1h', metrics } }): Promise<Static<typeof Monitoring>> {
        const rangeMs = readRange(timeRange)
        const wanted = readMetrics(metrics)
        if (topicName !== undefined) await mill.topics.get(topicName)
        const counted = await sampler.now()
        const topics = counted.census.topics.filter(({ topic }) => topicName === undefined || topic === topicName)
        return {
          topics: topics.map((topic) => topicMetrics(topic, counted, rangeMs, wanted)),
          ...(wanted.has('consumers') && { consumers: topics.flatMap(groupMetrics) }),
          timestamp: time(counted.census.at),
        }
      },
    }),
    call({
      method: 'GET',
      path: '/consumers',
      role: 'admin',
      says: 'consumersListed',
      tag: 'consumers',
      summary: 'Who consumes which partition, and how far',
      query: Type.Object({ topicName: Type.Optional(Name), groupId: Type.Optional(Name) }, { additionalProperties: false }),
      data: Type.Object({ consumers: Type.Array(Consumer) }),
      async answer({ query: { topicName, groupId } }) {
        if (topicName !== undefined) await mill.topics.get(topicName)
        const { topics } = await sampler.census()
        const groups = topics
          .filter(({ topic }) => topicName === undefined || topic === topicName)
          .flatMap(({ topic, groups: all }) => all.filter(({ group }) => groupId === undefined || group === groupId).map(({ group, paused }) => ({ topic, group, paused })))
        const found = await Promise.all(groups.map(async (each) => consumersOf(each, await mill.groups.positions(each.topic, each.group))))
        return { consumers: found.flat() }
      },
    }),
  ]
}

function topicMetrics(topic: TopicCensus, counted: Counted, rangeMs: Millis, wanted: ReadonlySet<Metric>): Static<typeof TopicMetrics> {
  const name = topic.topic
  return {
    name,
    ...(wanted.has('messageCount') && { messageCount: topic.published }),
    ...(wanted.has('messageRate') && { messageRate: rounded(counted.rate(name, undefined, rangeMs)) }),
    ...(wanted.has('consumerLag') && { consumerLag: topic.groups.reduce((sum, { lag }) => sum + lag, 0) }),
    ...(wanted.has('partitions') && {
      partitions: topic.partitions.map(({ partition, end }) => ({ partition, offset: exact(end), messageRate: rounded(counted.rate(name, partition, rangeMs)) })),
    }),
  }
}

function groupMetrics(topic: TopicCensus): Static<typeof GroupMetrics>[] {
  return topic.groups.map((group) => ({ groupId: group.group, topicName: topic.topic, consumerCount: group.members, totalLag: group.lag, status: groupStatus(group) }))
}

function consumersOf({ topic, group, paused }: { readonly topic: string; readonly group: string; readonly paused: boolean }, positions: readonly GroupPosition[]): Static<typeof Consumer>[] {
  return positions.map(({ partition, watermark, end, lag, owner }) => ({
    id: `${topic}/${partition}@${group}`,
    consumerId: owner,
    groupId: group,
    topicName: topic,
    partition,
    currentOffset: exact(end),
    committedOffset: exact(watermark),
    lag,
    status: owner === null || paused ? ('inactive' as const) : ('active' as const),
    lastHeartbeat: null,
    clientInfo: {},
    createdAt: null,
    updatedAt: null,
  }))
}

/** `90s`, `15m`, `1h`; a bare number is seconds. Throws INVALID for another, and for more than is kept. */
export function readRange(text: string): Millis {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
  const ms = Number(amount) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd'] // the pattern allows no other
  if (amount !== undefined && ms > 0 && ms <= longestRangeMs) return ms
  throw new MillraceError('INVALID', `timeRange ${JSON.stringify(text)} is not a time up to 24h: write it as 90s, 15m or 1h`, { field: 'timeRange' })
}

function readMetrics(text: string | undefined): ReadonlySet<Metric> {
  const names = (text ?? metricNames.join(',')).split(',').map((name) => name.trim())
  return new Set(
    names.map((name) => {
      const metric = metricNames.find((each) => each === name)
      if (metric === undefined) throw new MillraceError('INVALID', `metrics has no ${JSON.stringify(name)}: there are ${metricNames.join(', ')}`, { field: 'metrics' })
      return metric
    }),
  )
}

function rounded(rate: number): number {
  return Math.round(rate * 1_000) / 1_000
}

/** As a JSON number. Throws ENGINE_FAILED above 2^53, where numbers are not exact. */
function exact(offset: bigint): number {
  if (offset <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(offset)
  throw new MillraceError('ENGINE_FAILED', `offset ${offset} is above 2^53 and no exact JSON number: read it from /topics/{name}, which writes offsets as texts`, { field: 'offset' })
}
