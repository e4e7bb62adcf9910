import type { Census, GroupCensus, PartitionCensus, TopicCensus } from '../../../engine/census.js'
import { recordTimestamp } from '../../../engine/record.js'
import * as groups from './groups.js'
import { living } from './member-rows.js'
import type { GroupRow, TopicRow } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/** Everything counted, from rows that are written in the same commit as what they count. */
export function census(txn: Txn): Census {
  return { at: txn.wall, topics: txn.topics().map((row) => topicCensus(txn, row)) }
}

function topicCensus(txn: Txn, row: TopicRow): TopicCensus {
  const parts = Array.from({ length: row.topic.partitions }, (_, partition) => txn.part(row.number, partition))
  return {
    topic: row.topic.name,
    published: sum(parts, (part) => part.published),
    messages: sum(parts, (part) => part.messages),
    bytes: sum(parts, (part) => part.bytes),
    delayed: sum(parts, (part) => part.delayed),
    prepared: sum(parts, (part) => part.prepared),
    partitions: parts.map((part, partition): PartitionCensus => {
      const { start, end, published, messages, bytes } = part
      return { partition, start: BigInt(start), end: BigInt(end), published, messages, bytes }
    }),
    groups: txn.groups(row.number).map((group) => groupCensus(txn, row, group)),
  }
}

function groupCensus(txn: Txn, row: TopicRow, group: GroupRow): GroupCensus {
  const cursors = groups.cursors(txn, row, group)
  const ready = sum(cursors, (cursor) => groups.ready(txn, cursor))
  const leased = sum(cursors, groups.leased)
  return {
    group: group.name,
    members: living(txn, { topic: row, group }).length,
    paused: group.paused,
    ready,
    leased,
    lag: ready + leased,
    oldest: oldest(txn, cursors),
    retrying: sum(cursors, (cursor) => cursor.retrying),
    lent: sum(cursors, (cursor) => cursor.lent),
    parked: sum(cursors, (cursor) => cursor.behind),
    dead: sum(cursors, (cursor) => cursor.dead),
    settled: sum(cursors, (cursor) => cursor.settled),
    purged: sum(cursors, (cursor) => cursor.purged),
  }
}

function oldest(txn: Txn, cursors: readonly Cursor[]): number | null {
  const times = cursors.flatMap((cursor) => {
    const record = txn.record(cursor.topic, cursor.partition, groups.watermark(txn, cursor))
    return record ? [recordTimestamp(record)] : []
  })
  return times.length === 0 ? null : Math.min(...times)
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
