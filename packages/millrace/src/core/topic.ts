import type { Millis } from './clock.js'
import { MillraceError } from './errors.js'
import { limits } from './limits.js'
import type { Durability } from './message.js'

/** What may be removed from a partition once every group has read it. An absent field means no bound of that kind. */
export interface Keep {
  readonly ageMs?: Millis
  readonly bytes?: number
  readonly count?: number
}

/**
 * What happens when the unread messages of a topic, those that some group has not read, reach a bound: `refuse` new
 * ones (FULL), or `trim` the oldest unread. A topic without a group has `keep` alone.
 */
export interface Cap {
  readonly bytes?: number
  readonly count?: number
  readonly whenFull: 'refuse' | 'trim'
}

/** A topic as it was asked for; all but the name has a default. */
export interface TopicConfig {
  readonly name: string
  readonly description: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly keep: Keep
  readonly cap: Cap
  /** True lets `keep` remove what a group has not read. */
  readonly mayPassUnread: boolean
  readonly maxMessageBytes: number
  /** What a send survives unless it asks for itself; absent means all that the engine meets. A verdict meets it too. */
  readonly durability?: Durability
  /** A paused topic takes messages and delivers none. */
  readonly paused: boolean
  /** After so long without a member a group stops pinning the log. Absent: never. */
  readonly groupIdleMs?: Millis
  /** Free settings, passed on where an engine knows them (`cleanup.policy`, `compression.type`). */
  readonly config: Readonly<Record<string, string>>
  readonly createdBy: string
}

/** A topic as the engine knows it. */
export interface Topic extends TopicConfig {
  /** Unique for each creation: a topic deleted and created again has another. */
  readonly id: string
  readonly createdAt: Millis
  readonly updatedAt: Millis
}

/** What `create` needs; the rest takes the defaults below. */
export type TopicDraft = Partial<TopicConfig> & { readonly name: string }
/** What `alter` may change. Partitions may only grow. */
export type TopicChange = Partial<Omit<TopicConfig, 'name' | 'createdBy'>>

/** Fills the defaults in and checks every field. Throws INVALID naming the field. */
export function topicConfig(draft: TopicDraft): TopicConfig {
  const config: TopicConfig = {
    description: '',
    partitions: 4,
    replicationFactor: 1,
    keep: { ageMs: limits.keepAgeMs },
    cap: { whenFull: 'refuse' },
    mayPassUnread: false,
    maxMessageBytes: limits.maxMessageBytes,
    paused: false,
    config: {},
    createdBy: '',
    ...draft,
  }
  checkName('name', config.name)
  checkWhole('partitions', config.partitions, 1, limits.maxPartitions)
  checkWhole('replicationFactor', config.replicationFactor, 1, 100)
  checkWhole('maxMessageBytes', config.maxMessageBytes, 1, limits.maxMessageBytesCeiling)
  for (const field of ['ageMs', 'bytes', 'count'] as const) checkBound(`keep.${field}`, config.keep[field])
  for (const field of ['bytes', 'count'] as const) checkBound(`cap.${field}`, config.cap[field])
  checkBound('groupIdleMs', config.groupIdleMs)
  return config
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/** Topic and group names: 1 to 200 of `A-Z a-z 0-9 . _ -`, the first a letter or digit. Throws INVALID naming the field. */
export function checkName(field: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && namePattern.test(name)) return
  throw new MillraceError('INVALID', `${field} ${JSON.stringify(name)} is not a name: use 1 to 200 of A-Z a-z 0-9 . _ -, starting with a letter or digit`, { field })
}

function checkBound(field: string, value: number | undefined): void {
  if (value !== undefined) checkWhole(field, value, 0, Number.MAX_SAFE_INTEGER)
}

/** Throws INVALID naming the field unless the value is a whole number in the range. */
export function checkWhole(field: string, value: unknown, least: number, most: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return
  throw new MillraceError('INVALID', `${field} is ${String(value)}: give a whole number from ${least} to ${most}`, { field })
}
