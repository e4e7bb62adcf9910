import { limits } from '../../core/limits.js'
import { MillraceError } from '../../core/errors.js'
import type { TopicConfig } from '../../core/topic.js'
import { safe } from './ledger-settings.js'

/** For keys, for our own headers, and for Kafka's. */
const roomBytes = 16_384
/** The broker's own default: batches of clients are made for it. */
const leastBytes = 1_048_588
const forever = '-1'
/** A sender whose clock is ahead is no reason to refuse what it sends: by its default Kafka does, from an hour on. */
const anyTime = String(2n ** 63n - 1n)

/** Settings of Kafka's that a topic's `config` may name. What else is in there is for others to read. */
const free: ReadonlySet<string> = new Set([
  'cleanup.policy',
  'compression.type',
  'compression.gzip.level',
  'compression.lz4.level',
  'compression.zstd.level',
  'delete.retention.ms',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'index.interval.bytes',
  'max.compaction.lag.ms',
  'message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms',
  'min.cleanable.dirty.ratio',
  'min.compaction.lag.ms',
  'min.insync.replicas',
  'preallocate',
  'segment.bytes',
  'segment.index.bytes',
  'segment.jitter.ms',
  'segment.ms',
  'unclean.leader.election.enable',
])

/** Settings that follow from fields of a topic, with the field to change instead. */
const owned: ReadonlyMap<string, string> = new Map([
  ['max.message.bytes', 'maxMessageBytes'],
  ['retention.ms', 'keep.ageMs'],
  ['retention.bytes', 'keep.bytes'],
])

/** A topic's settings as Kafka knows them. Kafka itself removes nothing: it does not know who has read what. Errors: INVALID. */
export function topicSettings({ config, durability, maxMessageBytes, replicationFactor }: TopicConfig): Readonly<Record<string, string>> {
  for (const [name, field] of owned) {
    if (name in config) throw new MillraceError('INVALID', `config ${name} is set by Millrace: give ${field}`, { field: 'config' })
  }
  return {
    ...safe(replicationFactor),
    'message.timestamp.after.max.ms': anyTime,
    ...(durability === 'fsync' ? { 'flush.messages': '1' } : {}),
    ...Object.fromEntries(Object.entries(config).filter(([name]) => free.has(name))),
    'max.message.bytes': String(Math.max(leastBytes, Math.min(maxMessageBytes, limits.maxMessageBytesCeiling) + roomBytes)),
    'retention.ms': forever,
    'retention.bytes': forever,
  }
}

/** Those of `now` that were not so. */
export function changedSettings(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => before[name] !== value))
}
