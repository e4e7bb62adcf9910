import type { Millis } from '../core/index.js'
import type { StartAt } from '../engine/engine.js'
import type { RetryPolicy } from './retry-policy.js'

export interface MemberOptions {
  /** What becomes of failed messages. */
  readonly retry?: RetryPolicy
  /** A handler that takes longer has failed: its signal aborts and its late result is ignored. */
  readonly deadlineMs?: Millis
  /** Where a new group starts. Default `start`: with what was sent before it existed. */
  readonly from?: StartAt
  /** `share`: each message to one member of the group. `broadcast`: every member sees all that is sent after it joined. */
  readonly mode?: 'share' | 'broadcast'
  /** Silence after which this member counts as dead. */
  readonly leaseMs?: Millis
  /** How long a partition that moves to another member may take to finish. */
  readonly drainMs?: Millis
  /** Deliveries to processes that died with it, after which a message is a dead letter of kind POISON. */
  readonly maxDeliveries?: number
  /** Later messages of a key wait while an earlier one is held for retry. */
  readonly park?: boolean
  /** Messages in hand at most, running or waiting. */
  readonly prefetch?: number
  /** Remembers so many finished ids for so long, and finishes a message it has seen without running it. */
  readonly idempotent?: { readonly max: number; readonly windowMs: Millis }
  /** The member's name; unique among those that live. */
  readonly member?: string
  /** Hears of troubles that the consumer goes on after. Default: a process warning. */
  readonly onError?: (error: unknown) => void
}

/** What the consumers of a Millrace have in common, unless they say otherwise. */
export type ConsumerDefaults = Omit<MemberOptions, 'member'>

export interface ConsumeOptions extends MemberOptions {
  /** `key`: one message of a key at a time, in order, many keys at once. `partition`: one of a partition. `none`. Default `key`. */
  readonly order?: 'key' | 'partition' | 'none'
  /** Handlers that run at once. Default 32. */
  readonly concurrency?: number
}

export interface BatchConsumeOptions extends MemberOptions {
  readonly order?: 'key' | 'partition' | 'none'
  /** Batches that run at once; the messages of one key are never in two of them. Default 1. */
  readonly concurrency?: number
  /** Messages in a batch at most. Default 1,000. */
  readonly maxBatch?: number
  /** How long a batch that is not full waits for more. Default 0. */
  readonly lingerMs?: Millis
}
