import type { Failure, Hold, HoldId } from '../../../core/hold.js'
import type { Topic } from '../../../core/topic.js'
import type { Range } from './ranges.js'

/** A topic and the number that stands for it in keys. */
export interface TopicRow {
  readonly number: number
  readonly topic: Topic
}

/** One partition's log: where it starts and ends, and its counts. */
export interface PartRow {
  start: number
  end: number
  published: number
  publishedBytes: number
  messages: number
  bytes: number
  delayed: number
  prepared: number
}

export interface GroupRow {
  readonly number: number
  readonly name: string
  readonly createdAt: number
  paused: boolean
}

/** An entry of the again queue: class 0 was delivered or waited before and sorts by offset, class 1 sorts by release. */
export type AgainId = readonly [kind: 0 | 1, order: number]

/** Where a group stands in a partition. */
export interface CursorRow {
  epoch: number
  owner: string | null
  /** The next offset to read from the log. */
  next: number
  /** Bytes published before `next`. */
  passedBytes: number
  /** Leased from the log and unfinished. */
  open: readonly Range[]
  /** Leased from the again queue and unfinished; `alone` as 1. */
  againOpen: readonly (readonly [...AgainId, alone: 0 | 1])[]
  /** Entries of the again queue, leased ones included, and how many of them run alone. */
  again: number
  suspects: number
  /** Copies waiting behind a blocked key, and how many keys are blocked. */
  behind: number
  blocked: number
  retrying: number
  lent: number
  dead: number
  settled: number
  purged: number
  /** Grows with each release to this group. */
  sequence: number
  /** Wall clock of the last lease or settle. */
  usedAt: number
}

/** What stands beside the record of an again entry. */
export interface AgainMeta {
  readonly offset: number
  /** The attempt that its next delivery is. */
  readonly attempt: number
  readonly alone: boolean
  /** Its key is blocked for all behind it until it has ended. */
  readonly head: boolean
  readonly failure?: Failure
}

/** What stands beside the record of a hold. */
export interface HoldMeta {
  readonly id: HoldId
  readonly hold: Hold
  readonly topic: string
  readonly topicNumber: number
  readonly groupNumber: number
  readonly partition: number
  readonly offset: number | null
  readonly head: boolean
  /** The dedup id that it was sent with. */
  readonly dedupId?: string
  readonly heldAt: number
}

export interface MemberRow {
  readonly id: string
  /** Monotonic clock of the last beat. */
  beat: number
  readonly leaseMs: number
}

/** A row that is JSON, or JSON with a record behind it. */
export function encode(meta: unknown, record?: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(meta))
  if (record === undefined) return json
  const into = Buffer.allocUnsafe(4 + json.length + record.length)
  into.writeUInt32LE(json.length, 0)
  into.set(json, 4)
  into.set(record, 4 + json.length)
  return into
}

export function decode<T>(row: Buffer): T {
  // The store's own rows: their shape is this file's.
  return JSON.parse(row.toString()) as T
}

export function hasRecord(row: Buffer): boolean {
  return row.length > 4 + row.readUInt32LE(0)
}

export function decodeWithRecord<T>(row: Buffer): { readonly meta: T; readonly record: Buffer } {
  const length = row.readUInt32LE(0)
  return { meta: decode<T>(row.subarray(4, 4 + length)), record: row.subarray(4 + length) }
}
