import type { Bookmark, Failure, MessageKind, Millis, Offset, Trace } from '../core/index.js'
import type { MessageHeaders } from './headers.js'
import type { Send } from './send.js'

/** A message as a handler gets it. */
export interface Received<Value> {
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly key: string | null
  readonly value: Value
  readonly headers: MessageHeaders
  readonly timestamp: Millis
  readonly producerId: string
  readonly kind: MessageKind
  /** For a delayed message: the time it was held until. */
  readonly delayedUntil?: Millis | undefined
  /** 1 at first; counts runs that failed and deliveries whose process died. */
  readonly attempt: number
  /** Why the attempt before failed. */
  readonly failure?: Failure | undefined
  /** The sender's. In a batch each message has its own. */
  readonly trace: Trace | undefined
}

/** What surrounds one run of a handler. */
export interface Context {
  /** Aborts at the handler's deadline, when the partition is lost, and at the end of `close`. */
  readonly signal: AbortSignal
  readonly attempt: number
  readonly group: string
  /** What the message's sender had written or seen. */
  readonly bookmark: Bookmark
  readonly trace: Trace | undefined
  /** Ends the run: the message becomes a dead letter for this reason, whatever the policy. */
  deadLetter(reason: string): never
  /** Ends the run: the message comes again after `ms`, whatever the policy, and counts one attempt. */
  retryLater(ms: Millis): never
  readonly send: Send
}

/** A throw or rejection is a failed attempt. */
export type Handler<Value> = (message: Received<Value>, context: Context) => void | Promise<void>

export interface BatchContext {
  readonly signal: AbortSignal
  readonly group: string
  /** The later of what the messages' senders had written or seen. */
  readonly bookmark: Bookmark
  readonly send: Send
}

/** What became of one message of a batch. */
export type BatchVerdict = 'done' | { readonly fail: unknown } | { readonly retryLaterMs: Millis } | { readonly deadLetter: string }

/** One verdict for each message, in their order; nothing means that all are done. A throw fails every message of the batch. */
export type BatchHandler<Value> = (messages: readonly Received<Value>[], context: BatchContext) => readonly BatchVerdict[] | void | Promise<readonly BatchVerdict[] | void>
