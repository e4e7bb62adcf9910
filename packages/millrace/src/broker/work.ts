import type { Millis } from '../core/index.js'
import type { Delivery, Outcome, Verdict } from '../engine/index.js'
import type { Judge } from './judge.js'
import type { Reader } from './reader.js'
import type { Remembered } from './remembered.js'
import type { Send } from './send.js'

export interface WorkOptions<Value> {
  readonly group: string
  readonly order: 'key' | 'partition' | 'none'
  readonly concurrency: number
  readonly deadlineMs: Millis
  readonly park: boolean
  readonly reader: Reader<Value>
  readonly judge: Judge
  readonly send: Send
  readonly remembered: Remembered | undefined
  /** There may be room to lease more. */
  readonly room: () => void
}

/** What a member does with what it has leased. The session asks; lanes or batches do. */
export interface Work {
  /** Messages waiting, running, or not yet settled. */
  readonly inHand: number
  /** A lease begins, and no other is under way. */
  leasing(): void
  take(deliveries: readonly Delivery[]): void
  /** Starts nothing while true. */
  pause(paused: boolean): void
  /**
   * Starts nothing more of these partitions, lets what runs finish until the signal aborts, and then aborts it. Resolves
   * when every verdict on them is stored.
   */
  drain(partitions: readonly number[], signal: AbortSignal): Promise<void>
  /** Hands back all that has not begun, and whatever comes from now on. */
  handBack(): void
  /** Resolves when nothing runs. */
  idle(): Promise<void>
  /** Resolves when every verdict is stored. */
  flushed(): Promise<void>
  /** Aborts what runs: it has no verdict, and its late result is ignored. */
  abort(why: unknown): void
  /** Aborts what runs and forgets everything, verdicts too. */
  abandon(why: unknown): void
  /** The settler's news: what is not 'unknown' is no longer in hand. */
  over(verdicts: readonly Verdict[], outcomes: readonly Outcome[]): void
}
