import type { HoldId, Message, Millis } from '../core/index.js'
import type { Page } from '../engine/index.js'
import type { HeadersInput, MessageHeaders } from './headers.js'
import type { TopicRef } from './topic-contract.js'

/** A message that a group gave up on, with everything known about why. */
export interface DeadLetter extends Omit<Message, 'id' | 'kind' | 'value' | 'headers'> {
  /** Names the dead letter. The message's own id is `messageId`. */
  readonly id: HoldId
  readonly messageId: string
  readonly group: string
  /** As the topic's codec reads it, JSON for a name; the bytes when it cannot. */
  readonly value: unknown
  readonly bytes: Uint8Array | null
  readonly headers: MessageHeaders
  readonly reason: string
  /** The error's code or class. */
  readonly kind: string
  readonly stack?: string
  readonly attempts: number
  readonly firstAt: Millis
  readonly lastAt: Millis
  readonly heldAt: Millis
}

/** Fields that are given must all fit. */
export interface DeadLetterFilter {
  readonly topic?: TopicRef
  readonly group?: string
  readonly kind?: string
  readonly key?: string
  /** In the reason, the kind, the key, the message id or the value's text; case does not matter. */
  readonly text?: string
  /** Held at or after, and before. */
  readonly since?: Date | Millis
  readonly until?: Date | Millis
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
}

export interface DeadLetterEdit {
  /** Encoded by the codec of the topic: `topic` of the filter, JSON otherwise. */
  readonly value?: unknown
  /** Instead of `value`: as it is. */
  readonly bytes?: Uint8Array | null
  readonly headers?: HeadersInput
}

interface Sweep {
  /** These, or those that fit the filter. Neither: all. */
  readonly ids?: readonly HoldId[]
  readonly filter?: DeadLetterFilter
  /** Counts and changes nothing. */
  readonly dryRun?: boolean
  readonly onProgress?: (progress: SweepProgress) => void
  /** Stops after what is under way. */
  readonly signal?: AbortSignal
}

export interface RedriveOptions extends Sweep {
  readonly ratePerSec?: number
  /** Changes each on its way; undefined leaves it as it is. */
  readonly edit?: (letter: DeadLetter) => DeadLetterEdit | undefined
}

export type PurgeOptions = Sweep

export interface SweepProgress {
  readonly scanned: number
  readonly matched: number
  /** Redriven, or purged. Always 0 in a dry run. */
  readonly done: number
  /** Decided by somebody else meanwhile. */
  readonly gone: number
}

export interface DeadLetters {
  list(query?: Pick<DeadLetterQuery, 'topic' | 'group' | 'limit' | 'cursor'>): Promise<Page<DeadLetter>>
  /** Looks through at most `limits.searchScan` a call: a page may be short, or empty, and still have a cursor. */
  search(query: DeadLetterQuery): Promise<Page<DeadLetter>>
  /** Undefined when there is no such dead letter. */
  get(id: HoldId, topic?: TopicRef): Promise<DeadLetter | undefined>
  /** Changes it and keeps it held. False when there is no such dead letter. */
  edit(id: HoldId, edit: DeadLetterEdit, topic?: TopicRef): Promise<boolean>
  /** Back to their group, with no attempts counted. What dies again while it runs is not redriven twice. */
  redrive(options?: RedriveOptions): Promise<SweepProgress>
  /** Gone for good. */
  purge(options?: PurgeOptions): Promise<SweepProgress>
}
