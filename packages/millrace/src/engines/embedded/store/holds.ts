import { MillraceError } from '../../../core/errors.js'
import { groupHold, type Hold, type HoldId, messageHold } from '../../../core/hold.js'
import { recordId, recordKey } from '../../../engine/record.js'
import { free } from './blocked.js'
import { after, key, lastNumber, within } from './keys.js'
import { decodeWithRecord, encode, type HoldMeta, type TopicRow } from './rows.js'
import type { Cursor, Txn } from './txn.js'

export interface HoldRow {
  readonly sequence: number
  readonly meta: HoldMeta
  readonly record: Buffer
}

const nothing = Buffer.alloc(0)
const whys: readonly Hold['why'][] = ['delay', 'retry', 'prepared', 'dead', 'lent']

/** A draft that comes with a hold. */
export interface HeldDraft {
  readonly partition: number
  readonly hold: Hold
  readonly dedup?: { readonly id: string }
  readonly record: Buffer
}

/** Holds a message that nobody has read. */
export function holdMessage(txn: Txn, { number, topic }: TopicRow, { partition, hold, dedup, record }: HeldDraft): void {
  const dedupId = dedup ? { dedupId: dedup.id } : {}
  const meta = { id: messageHold(topic.name, recordId(record)), hold, topic: topic.name, topicNumber: number, groupNumber: 0, partition, offset: null, head: false, heldAt: txn.wall }
  put(txn, { ...meta, ...dedupId }, record)
}

/** A message that a group has read and does not have done. */
export interface GroupHold {
  readonly topic: string
  readonly offset: number
  readonly hold: Hold & { readonly group: string }
  readonly head: boolean
  readonly record: Buffer
}

/** Holds a message for one group. A hold of the same place, left by an earlier reading, gives way. */
export function holdForGroup(txn: Txn, cursor: Cursor, { topic, offset, hold, head, record }: GroupHold): void {
  const id = groupHold(topic, cursor.partition, BigInt(offset), hold.group)
  const old = bySequenceOf(txn, txn.tables.holdIds.get(key({ text: id })))
  if (old) remove(txn, old)
  put(txn, { id, hold, topic, topicNumber: cursor.topic, groupNumber: cursor.group, partition: cursor.partition, offset, head, heldAt: txn.wall }, record)
}

function put(txn: Txn, meta: HoldMeta, record: Buffer): void {
  write(txn, { sequence: txn.count('hold'), meta, record })
  txn.weigh(record.length)
  tally(txn, meta, 1)
}

function write(txn: Txn, { sequence, meta, record }: HoldRow): void {
  const { tables } = txn
  tables.holds.putSync(key({ n: sequence }), encode(meta, record))
  tables.holdIds.putSync(key({ text: meta.id }), key({ n: sequence }))
  for (const [table, at] of indexes(sequence, meta)) tables[table].putSync(at, nothing)
  txn.stir('held', meta.topic)
}

/** Removes a hold with all that leads to it; its message is the caller's now. */
export function remove(txn: Txn, row: HoldRow): void {
  unindex(txn, row)
  txn.tables.holds.removeSync(key({ n: row.sequence }))
  txn.tables.holdIds.removeSync(key({ text: row.meta.id }))
  txn.weigh(-row.record.length)
  tally(txn, row.meta, -1)
}

/** Holds the same message anew, in its place among the holds. */
export function holdAnew(txn: Txn, row: HoldRow, hold: Hold, record = row.record): void {
  unindex(txn, row)
  tally(txn, row.meta, -1)
  const head = row.meta.head && hold.why !== 'dead'
  const meta = { ...row.meta, hold, head }
  write(txn, { sequence: row.sequence, meta, record })
  tally(txn, meta, 1)
  if (row.meta.head && !head) endHead(txn, row)
}

/** The message of a hold has ended for its group: who waits behind its key goes on. */
export function endHead(txn: Txn, { meta, record }: HoldRow): void {
  const messageKey = recordKey(record)
  if (!meta.head || !messageKey || meta.offset === null) return
  free(txn, txn.cursor(meta.topicNumber, meta.groupNumber, meta.partition), messageKey, meta.offset)
}

export function byId(txn: Txn, id: HoldId): HoldRow | undefined {
  return bySequenceOf(txn, txn.tables.holdIds.getSurely(key({ text: id })))
}

/** As `byId`, for who expects none. */
export function isHeld(txn: Txn, id: HoldId): boolean {
  return txn.tables.holdIds.get(key({ text: id })) !== undefined
}

function bySequenceOf(txn: Txn, sequence: Buffer | undefined): HoldRow | undefined {
  return sequence && indexed(txn, sequence)
}

export function bySequence(txn: Txn, sequence: number): HoldRow | undefined {
  const row = txn.tables.holds.get(key({ n: sequence }))
  return row && { sequence, ...decodeWithRecord<HoldMeta>(row) }
}

/** Holds whose time has come: to be released or parked. */
export function due(txn: Txn, limit: number): HoldRow[] {
  return rowsAt(txn, txn.tables.due.getKeys({ end: key({ n: txn.wall }, { n: Number.MAX_SAFE_INTEGER }), limit }))
}

/** Prepared messages of a producer group that are due to be asked about. */
export function dueToAsk(txn: Txn, producerGroup: string, limit: number): HoldRow[] {
  const start = askPrefix(producerGroup)
  return rowsAt(txn, txn.tables.asks.getKeys({ start, end: key({ raw: start }, { n: txn.wall }, { n: Number.MAX_SAFE_INTEGER }), limit }))
}

function rowsAt(txn: Txn, keys: Iterable<Buffer>): HoldRow[] {
  return [...keys].map((at) => indexed(txn, at))
}

/** When the next hold is due, for the producer groups that are answered for. */
export function nextDue(txn: Txn, producerGroups: Iterable<string>): number | undefined {
  const times: number[] = []
  for (const at of txn.tables.due.getKeys({ limit: 1 })) times.push(at.readDoubleBE(0))
  for (const group of producerGroups) {
    for (const at of txn.tables.asks.getKeys({ ...within(askPrefix(group)), limit: 1 })) times.push(at.readDoubleBE(at.length - 16))
  }
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Every hold of a topic, or of one of its groups. */
export function ofTopic(txn: Txn, topic: number, group?: number): HoldRow[] {
  return whys.flatMap((why) => rowsAt(txn, txn.tables.heldBy.getKeys(within(listPrefix(topic, why, group)))))
}

/** The prefixes under which a query's holds are listed. */
export function listPrefix(topic: number, why: Hold['why'], group?: number): Buffer {
  const prefix = key({ u32: topic }, { u8: whys.indexOf(why) })
  return group === undefined ? prefix : key({ raw: prefix }, { u32: group })
}

export function listPrefixes(topic: number, why: Hold['why'] | undefined, group: number | undefined): Buffer[] {
  return (why ? [why] : whys).map((each) => listPrefix(topic, each, group))
}

export function listed(txn: Txn, start: Buffer, prefix: Buffer, limit: number): { readonly at: Buffer; readonly row: HoldRow }[] {
  return [...txn.tables.heldBy.getKeys({ start, end: after(prefix), limit })].map((at) => ({ at, row: indexed(txn, at) }))
}

/** The hold that an index names. Both were written together. */
function indexed(txn: Txn, at: Buffer): HoldRow {
  const row = bySequence(txn, lastNumber(at))
  if (!row) throw new MillraceError('STORE_DAMAGED', 'the store is damaged: a held message is missing. Restore it from a backup')
  return row
}

function unindex(txn: Txn, { sequence, meta }: HoldRow): void {
  for (const [table, at] of indexes(sequence, meta)) txn.tables[table].removeSync(at)
}

function indexes(sequence: number, { hold, topicNumber, groupNumber }: HoldMeta): (readonly ['heldBy' | 'due' | 'asks', Buffer])[] {
  const n = { n: sequence }
  const listedAt = key({ raw: listPrefix(topicNumber, hold.why, groupNumber) }, n)
  if (hold.until === 'decided') return [['heldBy', listedAt]]
  if (hold.then === 'release') return [['heldBy', listedAt], ['due', key({ n: hold.until }, n)]]
  const { ask, checks, parkAt } = hold.then
  const parkedAt = checks > 0 ? parkAt : Math.min(parkAt, hold.until)
  const parked = ['due', key({ n: parkedAt }, n)] as const
  return checks > 0 ? [['heldBy', listedAt], parked, ['asks', key({ raw: askPrefix(ask) }, { n: hold.until }, n)]] : [['heldBy', listedAt], parked]
}

function askPrefix(producerGroup: string): Buffer {
  return key({ text: producerGroup }, { u8: 0 })
}

function tally(txn: Txn, { hold, topicNumber, groupNumber, partition }: HoldMeta, by: 1 | -1): void {
  if (hold.why === 'delay' || hold.why === 'prepared') {
    const part = txn.part(topicNumber, partition)
    part[hold.why === 'delay' ? 'delayed' : 'prepared'] += by
    txn.change(part)
    return
  }
  const cursor = txn.cursor(topicNumber, groupNumber, partition)
  cursor[hold.why === 'retry' ? 'retrying' : hold.why] += by
  txn.change(cursor)
}
