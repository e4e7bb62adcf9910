import type { Durability } from '../core/message.js'

/**
 * Facts about an engine as it is configured. The conformance suite proves each; where one is absent, the lifecycle
 * guard refuses what needs it with UNSUPPORTED, and the suite proves the refusal.
 */
export interface Traits {
  /** Levels that can be asked for. */
  readonly durability: readonly Durability[]
  /** What is stored is there after close and open. */
  readonly persistent: boolean
  /** Several instances, of several processes, share one store. */
  readonly shared: boolean
  /** A member keeps its partitions while its application's thread is busy, up to `stallMs`. */
  readonly beatsWhileBlocked: boolean
  /** `JoinRequest.park`: later messages of a key wait while an earlier one is held for retry. */
  readonly park: boolean
  /** `Verdict` hold with `why: 'lent'`, ended by token from any instance. */
  readonly lend: boolean
  /** `JoinRequest.mode: 'broadcast'`. */
  readonly broadcast: boolean
  /** `Draft.dedup`. */
  readonly dedup: boolean
  /** Prepared messages and their check-back. */
  readonly prepared: boolean
  /** `Cap.whenFull: 'trim'` and `mayPassUnread`. */
  readonly trim: boolean
  /** `Cap` with a bound. */
  readonly cap: boolean
  /** Present where a topic with a bound has one partition only. */
  readonly capsOnePartition?: true
  /** Bands of priority in a partition; 1 means none. */
  readonly bands: number
  /** Whether the census counts or estimates. */
  readonly census: 'exact' | 'estimated'
}
