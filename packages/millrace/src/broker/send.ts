import type { Durability, Millis, Receipt } from '../core/index.js'
import type { HeadersInput } from './headers.js'
import type { TopicRef } from './topic-contract.js'

export interface MessageOptions {
  /** Instead of the contract's key; null for none. */
  readonly key?: string | null
  readonly headers?: HeadersInput
  /** Stays the same through every retry and redrive. Made up unless given. */
  readonly id?: string
  /** Held for so long before anyone may read it. */
  readonly delayMs?: Millis
  /** Held until then. Not with `delayMs`. */
  readonly at?: Date | Millis
  /** A second message with this id (absent: the message's own, which must be given then), in the same partition and within the window, is answered and not stored. */
  readonly dedup?: { readonly id?: string; readonly windowMs: Millis }
  /** Instead of the partitioner's choice. */
  readonly partition?: number
  /** Instead of now. */
  readonly timestamp?: Millis
  /** Instead of the sender's own. */
  readonly producerId?: string
}

export interface SendOptions extends MessageOptions {
  /** Faults that it must survive before it is answered. Absent: the topic's, else all that the engine meets. */
  readonly durability?: Durability
  /** Gives up waiting for room, or for the answer (UNKNOWN_OUTCOME). */
  readonly signal?: AbortSignal
}

/** One message of a bulk send. */
export interface SendItem<Value> extends MessageOptions {
  readonly value: Value
}

export type SendManyOptions = Pick<SendOptions, 'durability' | 'signal'>

/** Sends one message. Errors: SCHEMA naming the field, CODEC, UNKNOWN_TOPIC, TOO_LARGE, FULL, UNKNOWN_OUTCOME. */
export type Send = <Input>(topic: TopicRef<Input, unknown>, value: NoInfer<Input>, options?: SendOptions) => Promise<Receipt>
