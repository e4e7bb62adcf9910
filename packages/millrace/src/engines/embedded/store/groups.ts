import { MillraceError } from '../../../core/errors.js'
import { limits } from '../../../core/limits.js'
import type { GroupPosition, Place, StartAt } from '../../../engine/engine.js'
import { recordTimestamp } from '../../../engine/record.js'
import * as again from './again.js'
import * as blocked from './blocked.js'
import * as holds from './holds.js'
import { key, within } from './keys.js'
import * as log from './log.js'
import { living } from './member-rows.js'
import { countOf } from './ranges.js'
import type { GroupRow, TopicRow } from './rows.js'
import type { Cursor, Txn } from './txn.js'

export function topicRow(txn: Txn, name: string): TopicRow {
  const row = txn.topic(name)
  if (!row) throw new MillraceError('UNKNOWN_TOPIC', `topic ${name} does not exist: create it first`, { field: 'topic' })
  return row
}

export function groupRow(txn: Txn, topic: TopicRow, group: string): GroupRow {
  const row = txn.group(topic.number, group)
  if (!row) throw new MillraceError('UNKNOWN_GROUP', `topic ${topic.topic.name} has no group ${group}: join or create it first`, { field: 'group' })
  return row
}

/** Creates a group unless it exists. */
export function create(txn: Txn, topic: TopicRow, group: string, from: StartAt): { readonly row: GroupRow; readonly isNew: boolean } {
  const known = txn.group(topic.number, group)
  if (known) return { row: known, isNew: false }
  const row: GroupRow = { number: txn.count('number'), name: group, createdAt: txn.wall, paused: false }
  txn.putGroup(topic.number, row)
  for (const cursor of cursors(txn, topic, row)) place(txn, cursor, log.offsetOf(txn, topic.number, cursor.partition, from))
  return { row, isNew: true }
}

/** The cursors of a group in all partitions. */
export function cursors(txn: Txn, { number, topic }: TopicRow, group: GroupRow): Cursor[] {
  return Array.from({ length: topic.partitions }, (_, partition) => txn.cursor(number, group.number, partition))
}

/** Puts a cursor with nothing in hand at an offset; what it passes over or goes back to is counted. */
function place(txn: Txn, cursor: Cursor, offset: number): void {
  const part = txn.part(cursor.topic, cursor.partition)
  cursor.next = offset
  cursor.passedBytes = part.publishedBytes - bytesFrom(txn, cursor, offset)
  cursor.usedAt = txn.wall
  cursor.purged = part.published - standing(txn, cursor) - cursor.settled
  txn.change(cursor)
}

function bytesFrom(txn: Txn, cursor: Cursor, offset: number): number {
  const part = txn.part(cursor.topic, cursor.partition)
  if (offset <= part.start) return part.bytes
  if (offset >= part.end) return 0
  let bytes = 0
  for (const { record } of log.read(txn, cursor.topic, cursor.partition, offset, Number.MAX_SAFE_INTEGER)) bytes += record.length
  return bytes
}

/** Messages in the log that the group has not leased yet. */
export function unleased(txn: Txn, cursor: Cursor): number {
  const { start, end } = txn.part(cursor.topic, cursor.partition)
  return end - Math.max(cursor.next, start)
}

export function leased(cursor: Cursor): number {
  return countOf(cursor.open) + cursor.againOpen.length
}

export function ready(txn: Txn, cursor: Cursor): number {
  return unleased(txn, cursor) + cursor.again - cursor.againOpen.length
}

/** All that a group still has of a partition: ready, leased, held. */
function standing(txn: Txn, cursor: Cursor): number {
  return ready(txn, cursor) + leased(cursor) + cursor.behind + cursor.retrying + cursor.lent + cursor.dead
}

/** Everything before it is settled or held, so that the log may lose it. */
export function watermark(txn: Txn, cursor: Cursor): number {
  const { start } = txn.part(cursor.topic, cursor.partition)
  return Math.min(Math.max(cursor.next, start), cursor.open[0]?.[0] ?? Infinity, again.lowestInLog(txn, cursor) ?? Infinity)
}

export function positions(txn: Txn, topic: TopicRow, group: GroupRow): GroupPosition[] {
  return cursors(txn, topic, group).map((cursor) => ({
    partition: cursor.partition,
    watermark: BigInt(watermark(txn, cursor)),
    end: BigInt(txn.part(cursor.topic, cursor.partition).end),
    lag: ready(txn, cursor) + leased(cursor),
    owner: cursor.owner,
    epoch: cursor.epoch,
  }))
}

export function seek(txn: Txn, topic: TopicRow, group: GroupRow, to: Place, only?: number): void {
  if (only !== undefined && only >= topic.topic.partitions) {
    throw new MillraceError('INVALID', `partition ${only} does not exist: topic ${topic.topic.name} has ${topic.topic.partitions}`, { field: 'partition' })
  }
  for (const cursor of cursors(txn, topic, group)) {
    if (only === undefined || cursor.partition === only) seekOne(txn, cursor, log.offsetOf(txn, topic.number, cursor.partition, to))
  }
  txn.stir('ready', topic.topic.name, group.name)
}

function seekOne(txn: Txn, cursor: Cursor, offset: number): void {
  cursor.epoch += 1
  cursor.open = []
  cursor.againOpen = []
  blocked.dropBehind(txn, cursor, offset)
  for (const entry of again.all(txn, cursor)) {
    if (entry.meta.offset < offset) continue
    again.remove(txn, cursor, entry)
    if (entry.meta.head) blocked.endOf(txn, cursor, entry)
  }
  for (const row of holds.ofTopic(txn, cursor.topic, cursor.group)) {
    const isPast = row.meta.partition === cursor.partition && (row.meta.offset ?? 0) >= offset
    if (!isPast || (row.meta.hold.why !== 'retry' && row.meta.hold.why !== 'lent')) continue
    holds.remove(txn, row)
    holds.endHead(txn, row)
  }
  place(txn, cursor, offset)
}

/** Removes a group with its holds and all it had in hand. */
export function remove(txn: Txn, topic: TopicRow, group: GroupRow): void {
  for (const row of holds.ofTopic(txn, topic.number, group.number)) holds.remove(txn, row)
  const prefix = key({ u32: topic.number }, { u32: group.number })
  for (const table of ['cursors', 'again', 'behind', 'blocked', 'members'] as const) {
    for (const at of [...txn.tables[table].getKeys(within(prefix))]) txn.tables[table].removeSync(at)
  }
  txn.removeGroup(topic.number, group)
  txn.stir('members', topic.topic.name, group.name)
}

/** Groups that pin the log: all but those that nobody has used for the topic's `groupIdleMs`. */
export function* pinning(txn: Txn, topic: TopicRow): Generator<GroupRow> {
  const { groupIdleMs } = topic.topic
  for (const group of txn.groups(topic.number)) {
    if (groupIdleMs === undefined || isUsed(txn, topic, group, txn.wall - groupIdleMs)) yield group
  }
}

function isUsed(txn: Txn, topic: TopicRow, group: GroupRow, since: number): boolean {
  if (group.createdAt > since || cursors(txn, topic, group).some(({ usedAt }) => usedAt > since)) return true
  return living(txn, { topic, group }).length > 0
}

/** The lowest watermark of the groups that pin a partition; its end when there is none. Looks no further once one is at the start. */
export function lowWatermark(txn: Txn, topic: TopicRow, partition: number): number {
  const { start, end } = txn.part(topic.number, partition)
  let lowest = end
  for (const group of pinning(txn, topic)) {
    lowest = Math.min(lowest, watermark(txn, txn.cursor(topic.number, group.number, partition)))
    if (lowest <= start) return start
  }
  return lowest
}

/** What some group has not read yet; nothing where there is no group. */
export function unread(txn: Txn, topic: TopicRow): { count: number; bytes: number } {
  const pinned = [...pinning(txn, topic)]
  const sum = { count: 0, bytes: 0 }
  for (let partition = 0; partition < topic.topic.partitions; partition += 1) {
    const part = txn.part(topic.number, partition)
    const of = pinned.map((group) => txn.cursor(topic.number, group.number, partition))
    sum.count += Math.max(0, ...of.map((cursor) => ready(txn, cursor) + leased(cursor)))
    sum.bytes += Math.max(0, ...of.map((cursor) => Math.min(part.bytes, part.publishedBytes - cursor.passedBytes)))
  }
  return sum
}

/** Removes the oldest message that some group has not read, of all partitions, and says its bytes; undefined when there is none. */
export function trimOldest(txn: Txn, topic: TopicRow): number | undefined {
  const candidates = Array.from({ length: topic.topic.partitions }, (_, partition) => oldestUnread(txn, topic, partition) ?? [])
  const [oldest] = candidates.flat().sort((one, other) => one.timestamp - other.timestamp)
  if (!oldest) return undefined
  cutTo(txn, topic, oldest.partition, oldest.offset + 1, Number.MAX_SAFE_INTEGER)
  return oldest.bytes
}

function oldestUnread(txn: Txn, topic: TopicRow, partition: number): { partition: number; offset: number; timestamp: number; bytes: number } | undefined {
  const next = txn.groups(topic.number).map((group) => txn.cursor(topic.number, group.number, partition).next)
  for (const { offset, record } of log.read(txn, topic.number, partition, Math.min(...next), 1)) {
    return { partition, offset, timestamp: recordTimestamp(record), bytes: record.length }
  }
  return undefined
}

/** Cuts the log; a group that had not read what goes is moved on, and what it lost is counted. */
export function cutTo(txn: Txn, topic: TopicRow, partition: number, to: number, limit: number = limits.maxBatch): number {
  const gone = log.cut(txn, topic.number, partition, to, limit)
  const { start, publishedBytes, bytes } = txn.part(topic.number, partition)
  for (const group of gone === 0 ? [] : txn.groups(topic.number)) {
    const cursor = txn.cursor(topic.number, group.number, partition)
    if (cursor.next >= start) continue
    cursor.purged += start - Math.max(cursor.next, start - gone)
    cursor.next = start
    cursor.passedBytes = publishedBytes - bytes
    txn.change(cursor)
  }
  if (gone > 0) txn.stir('room', topic.topic.name)
  return gone
}
