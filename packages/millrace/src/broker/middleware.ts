import type { Header, Message } from '../core/index.js'
import type { BatchContext, Context, Received } from './received.js'

/** A message on its way out: its value encoded, its partition not yet chosen. */
export interface Outgoing {
  readonly id: string
  readonly topic: string
  readonly key: string | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}

/** What stands between a sender and the engine, and between the engine and a handler. */
export interface Middleware {
  readonly name: string
  /** Changes what is sent. In the order of the list. */
  outgoing?(message: Outgoing): Outgoing | Promise<Outgoing>
  /** Undoes it, before codec and schema. In reverse order. A throw is a failed attempt, a CODEC error a dead letter. */
  incoming?(message: Message): Message | Promise<Message>
  /** Around each run of a single-message handler; must call `run` once. */
  around?(message: Received<unknown>, context: Context, run: () => Promise<void>): Promise<void>
  /** Around each run of a batch handler; must call `run` once. A throw fails every message; the handler's verdicts pass by. */
  aroundBatch?(messages: readonly Received<unknown>[], context: BatchContext, run: () => Promise<void>): Promise<void>
}
