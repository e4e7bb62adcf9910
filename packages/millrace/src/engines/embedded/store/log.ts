import { lastNumber, logKey, logKeyBytes } from './keys.js'
import { isRecord, recordTimestamp } from '../../../engine/record.js'
import type { Place } from '../../../engine/engine.js'
import type { Txn } from './txn.js'

/** Appends a record to a partition and says at which offset. */
export function append(txn: Txn, topic: number, partition: number, record: Buffer): number {
  const part = txn.part(topic, partition)
  const offset = part.end
  txn.tables.log.putSync(logKey(topic, partition, offset), record)
  part.end += 1
  part.published += 1
  part.publishedBytes += record.length
  part.messages += 1
  part.bytes += record.length
  txn.weigh(record.length)
  txn.change(part)
  return offset
}

export interface Entry {
  readonly offset: number
  readonly record: Buffer
}

/** Records from an offset on, in order. From start to end none is missing, or the store is damaged. */
export function* read(txn: Txn, topic: number, partition: number, from: number, limit: number): Generator<Entry> {
  const { start, end } = txn.part(topic, partition)
  const first = Math.max(from, start)
  let next = first
  for (const { key: at, value } of txn.tables.log.getRange({ start: logKey(topic, partition, first), end: logKey(topic, partition, end), limit })) {
    if (at.length !== logKeyBytes || lastNumber(at) !== next || !isRecord(value)) throw txn.missing(topic, partition, next)
    next += 1
    yield { offset: next - 1, record: value }
  }
  if (next < Math.min(end, first + limit)) throw txn.missing(topic, partition, next)
}

/** Removes what lies before an offset, at most `limit` records. Says how many went. */
export function cut(txn: Txn, topic: number, partition: number, to: number, limit: number): number {
  const part = txn.part(topic, partition)
  const gone = [...read(txn, topic, partition, part.start, Math.min(limit, Math.max(0, to - part.start)))]
  for (const { offset, record } of gone) {
    txn.tables.log.removeSync(logKey(topic, partition, offset))
    part.start = offset + 1
    part.messages -= 1
    part.bytes -= record.length
    txn.weigh(-record.length)
  }
  if (gone.length > 0) txn.change(part)
  return gone.length
}

/** The offset that a place means in a partition. */
export function offsetOf(txn: Txn, topic: number, partition: number, place: Place): number {
  const { start, end } = txn.part(topic, partition)
  if (place === 'start') return start
  if (place === 'end') return end
  if ('offset' in place) return Math.min(Math.max(Number(place.offset), start), end)
  return firstSince(txn, topic, partition, place.time)
}

/** The first message whose timestamp is not before `time`. A producer's clock may go back, so every message is looked at. */
function firstSince(txn: Txn, topic: number, partition: number, time: number): number {
  const { start, end } = txn.part(topic, partition)
  for (const { offset, record } of read(txn, topic, partition, start, Number.MAX_SAFE_INTEGER)) {
    if (recordTimestamp(record) >= time) return offset
  }
  return end
}

export function removeAll(txn: Txn, topic: number, partition: number): void {
  while (cut(txn, topic, partition, Number.MAX_SAFE_INTEGER, 10_000) > 0);
  txn.removePart(topic, partition)
}
