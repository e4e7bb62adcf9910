import * as dedup from './dedup.js'
import * as groups from './groups.js'
import * as log from './log.js'
import { recordTimestamp } from '../../../engine/record.js'
import type { TopicRow } from './rows.js'
import type { Txn } from './txn.js'

/** Removes what every group has read and `keep` no longer wants; at most `limit` messages. Says whether more may be left. */
export function clean(txn: Txn, limit: number): boolean {
  let left = limit - dedup.forget(txn, limit)
  for (const row of txn.topics()) {
    for (let partition = 0; partition < row.topic.partitions && left > 0; partition += 1) {
      left -= groups.cutTo(txn, row, partition, cutPoint(txn, row, partition, left), left)
    }
  }
  return left <= 0
}

/** True when `clean` would remove something. */
export function isDirty(txn: Txn): boolean {
  return txn.topics().some((row) => {
    const partitions = Array.from({ length: row.topic.partitions }, (_, partition) => partition)
    return partitions.some((partition) => cutPoint(txn, row, partition, 1) > txn.part(row.number, partition).start)
  })
}

/** Up to which offset a partition may go: what `keep` lets go, and only where it is read, unless the topic may pass unread. */
function cutPoint(txn: Txn, row: TopicRow, partition: number, limit: number): number {
  const allowed = keepPoint(txn, row, partition, limit)
  if (row.topic.mayPassUnread || allowed <= txn.part(row.number, partition).start) return allowed
  return Math.min(allowed, groups.lowWatermark(txn, row, partition))
}

function keepPoint(txn: Txn, { number, topic }: TopicRow, partition: number, limit: number): number {
  const { ageMs, bytes, count } = topic.keep
  const part = txn.part(number, partition)
  let point = count === undefined ? part.start : Math.max(part.start, part.end - count)
  let left = part.bytes
  const maxBytes = bytes ?? Infinity
  const oldest = ageMs === undefined ? -Infinity : txn.wall - ageMs
  for (const { offset, record } of log.read(txn, number, partition, part.start, limit)) {
    if (left <= maxBytes && recordTimestamp(record) > oldest) break
    left -= record.length
    point = Math.max(point, offset + 1)
  }
  return point
}
