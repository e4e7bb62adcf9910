import { limits } from '../../core/limits.js'

/** A held message is in its ledger, whole. */
const maxRecordBytes = limits.maxMessageBytesCeiling + 2 ** 20

/** Compacted soon enough that opening reads little, and late enough that whoever judges a change still finds what it is judged by. */
export const compacted = {
  'cleanup.policy': 'compact',
  // One clock for all who judge how late a change came.
  'message.timestamp.type': 'LogAppendTime',
  'min.compaction.lag.ms': '60000',
  'max.compaction.lag.ms': '600000',
  'min.cleanable.dirty.ratio': '0.2',
  'segment.bytes': String(16 * 2 ** 20),
  'segment.ms': '600000',
  'delete.retention.ms': '86400000',
  'max.message.bytes': String(maxRecordBytes),
}

/** With copies, what was answered is on two brokers. */
export function safe(replicationFactor: number): Readonly<Record<string, string>> {
  return replicationFactor >= 2 ? { 'min.insync.replicas': '2' } : {}
}
