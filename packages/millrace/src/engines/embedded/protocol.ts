import type { Millis } from '../../core/clock.js'
import type { ErrorCode } from '../../core/errors.js'
import type { Failure, Hold, ProducerGroup } from '../../core/hold.js'
import type { Topic, TopicChange, TopicConfig } from '../../core/topic.js'
import type { Census } from '../../engine/census.js'
import type { BrowseQuery, Decided, Decision, GroupPosition, HoldQuery, JoinRequest, Outcome, Place, StartAt, Stir } from '../../engine/engine.js'
import type { AgainId, HoldMeta } from './store/rows.js'

/** What the application's thread asks of the store's thread: each verb with what goes there and what comes back. */
export interface Verbs {
  publish(batch: PublishBatch): PublishAnswer
  join(request: Omit<JoinRequest, 'revoke'>): number
  lease(ask: { readonly member: number; readonly max: number; readonly waitMs: Millis; readonly wait: number }): LeaseAnswer
  /** Ends a lease that waits, with nothing. */
  unwait(wait: number): void
  settle(batch: SettleBatch): readonly Outcome[]
  released(member: number, partitions: readonly number[]): void
  leave(member: number): void
  decide(decisions: readonly Decision[]): readonly Decided[]
  keep(keeping: number, producerGroups: readonly ProducerGroup[]): void
  unkeep(keeping: number): void
  holds(query: HoldQuery): { readonly items: readonly WireHeld[]; readonly cursor?: string }
  browse(query: BrowseQuery): { readonly items: readonly WireMessage[]; readonly cursor?: string }
  census(): Census
  createTopic(config: TopicConfig): Topic
  alterTopic(name: string, change: TopicChange): Topic
  removeTopic(name: string): void
  listTopics(): readonly Topic[]
  createGroup(topic: string, group: string, from: StartAt): boolean
  positions(topic: string, group: string): readonly GroupPosition[]
  seek(topic: string, group: string, to: Place, partition?: number): void
  pauseGroup(topic: string, group: string, paused: boolean): void
  removeGroup(topic: string, group: string): void
  /** A hand-wound clock was turned; the answer is when the next timer is due. */
  turn(): Millis | undefined
  /** Stops as if the process had died: nothing is handed back. */
  die(): void
  close(): void
}

export type Verb = keyof Verbs

/** Drafts packed into one buffer, with what the store must know of each beside it. */
export interface PublishBatch {
  readonly bytes: ArrayBuffer
  readonly ends: Uint32Array
  readonly topics: readonly string[]
  /** For each draft: the index of its topic, its partition, its bytes that count against the topic's limit. */
  readonly topic: Uint32Array
  readonly partition: Uint32Array
  readonly size: Uint32Array
  /** Drafts that are held or deduplicated, by index. */
  readonly special: ReadonlyMap<number, { readonly hold?: Hold; readonly dedup?: { readonly id: string; readonly windowMs: Millis } }>
}

/** An offset for each draft: -1 while held, NaN where `errors` has it. */
export interface PublishAnswer {
  readonly offsets: Float64Array
  readonly duplicates: readonly number[]
  readonly errors: ReadonlyMap<number, WireError>
}

/** Messages packed into one buffer, with what is known of each beside it. */
export interface LeaseAnswer {
  readonly bytes: ArrayBuffer
  readonly ends: Uint32Array
  readonly partition: Uint32Array
  readonly offset: Float64Array
  readonly attempt: Uint32Array
  readonly epoch: Float64Array
  /** Those that do not come straight from the log, by index. */
  readonly special: ReadonlyMap<number, { readonly again: AgainId; readonly alone: boolean; readonly failure?: Failure }>
}

/** Verdicts: `done` unless `special` says otherwise. */
export interface SettleBatch {
  readonly member: number
  readonly partition: Uint32Array
  readonly offset: Float64Array
  readonly epoch: Float64Array
  readonly special: ReadonlyMap<number, { readonly is: 'done' | 'back' | 'hold'; readonly hold?: Hold; readonly again?: AgainId }>
}

export interface WireHeld {
  readonly meta: HoldMeta
  readonly record: Uint8Array
}

export interface WireMessage {
  readonly partition: number
  readonly offset: number
  readonly record: Uint8Array
}

export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly field?: string
}

export interface Request {
  readonly call: number
  readonly verb: Verb
  readonly args: readonly unknown[]
}

/** What the store's thread sends. */
export type Reply =
  | { readonly call: number; readonly ok: unknown }
  | { readonly call: number; readonly error: WireError }
  | { readonly event: 'opened' }
  | { readonly event: 'failed'; readonly error: WireError }
  | { readonly event: 'stirs'; readonly stirs: readonly Stir[] }
  /** Drain these partitions, then say `released`. */
  | { readonly event: 'revoke'; readonly member: number; readonly partitions: readonly number[] }
  /** These partitions are no longer the member's. */
  | { readonly event: 'lost'; readonly member: number; readonly partitions: readonly number[] }
  | { readonly event: 'ask'; readonly producerGroup: ProducerGroup; readonly held: WireHeld }

/** What the store's thread starts with. */
export interface StoreSettings {
  readonly path: string
  /** Module of `lmdb`, as `import.meta.resolve` gives it. */
  readonly lmdb: string
  readonly durability: 'os' | 'fsync'
  readonly maxBytes: number
  /** A hand-wound clock's time; absent: the system's. */
  readonly clock?: SharedArrayBuffer
  /** Monotonic time of the application thread's last sign of life. */
  readonly alive: SharedArrayBuffer
  /** Shut when the process ends itself: see `exit-gate.ts`. */
  readonly gate: SharedArrayBuffer
}
