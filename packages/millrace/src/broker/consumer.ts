import type { Millis } from '../core/index.js'

export interface CloseOptions {
  /** Time for handlers that run to finish; what is unfinished then is handed back. Default 30 s. */
  readonly deadlineMs?: Millis
}

/** A member of a group at work, from `consume` until `close`. Keeps the process alive. */
export interface Consumer {
  readonly topic: string
  readonly group: string
  readonly member: string
  /** 'failed': its first join was refused, and `ready` says why. */
  readonly state: 'joining' | 'running' | 'paused' | 'closing' | 'closed' | 'failed'
  /** Resolves when it has joined its group. Rejects when it never can: UNKNOWN_TOPIC, INVALID, UNSUPPORTED. */
  readonly ready: Promise<void>
  /** Messages in hand: waiting, running, or not yet settled. */
  readonly inHand: number
  /** Leases and starts nothing; what runs goes on. */
  pause(): void
  resume(): void
  /** Stops leasing, lets what runs finish until the deadline, hands the rest back at once. Nothing unfinished is acknowledged. */
  close(options?: CloseOptions): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
