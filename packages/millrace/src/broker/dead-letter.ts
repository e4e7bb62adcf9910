import type { HoldId, Message, Millis } from '../core/index.js'
import type { Edit, Held } from '../engine/index.js'
import { encoded } from './drafter.js'
import { type HeadersInput, MessageHeaders, toHeaders } from './headers.js'
import type { Outgoing } from './middleware.js'
import { Reader } from './reader.js'
import type { Runtime } from './runtime.js'
import { contractOf, type TopicContract, type TopicRef } from './topic-contract.js'

/** A message that a group gave up on, with everything known about why. */
export interface DeadLetter extends Omit<Message, 'id' | 'kind' | 'offset' | 'value' | 'headers'> {
  /** Names the dead letter. The message's own id is `messageId`. */
  readonly id: HoldId
  readonly messageId: string
  readonly group: string
  /** Null for a prepared message's place that it never had; else its place in the log. */
  readonly offset: Message['offset'] | null
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

export interface DeadLetterEdit {
  /** Encoded by the topic's codec, JSON for a name. */
  readonly value?: unknown
  /** Instead of `value`: as it is. */
  readonly bytes?: Uint8Array | null
  readonly headers?: HeadersInput
}

/** Reads held messages as dead letters, and turns changes into edits: middleware undone, and done again. */
export class LetterReader {
  readonly #runtime: Runtime
  readonly #contract: TopicContract
  readonly #reader: Reader<unknown>

  constructor(runtime: Runtime, topic: TopicRef | undefined) {
    this.#runtime = runtime
    this.#contract = topic === undefined || typeof topic === 'string' ? contractOf(topic ?? 'any') : topic
    this.#reader = new Reader({ ...this.#contract, schema: undefined }, runtime.middleware)
  }

  async letter({ id, hold, message, heldAt }: Held): Promise<DeadLetter> {
    const { failure } = hold
    const plain = await this.#plain(message)
    return {
      id,
      messageId: message.id,
      topic: message.topic,
      partition: message.partition,
      offset: message.offset,
      group: hold.group ?? '',
      key: message.key,
      value: this.#value(plain.value),
      bytes: plain.value,
      headers: new MessageHeaders(plain.headers),
      timestamp: message.timestamp,
      producerId: message.producerId,
      ...(message.delayedUntil !== undefined && { delayedUntil: message.delayedUntil }),
      reason: failure?.reason ?? '',
      kind: failure?.kind ?? '',
      ...(failure?.stack !== undefined && { stack: failure.stack }),
      attempts: hold.attempt,
      firstAt: failure?.firstAt ?? heldAt,
      lastAt: failure?.lastAt ?? heldAt,
      heldAt,
    }
  }

  /** Throws CODEC, INVALID. */
  async edit(letter: DeadLetter, change: DeadLetterEdit): Promise<Edit> {
    let message: Outgoing = {
      id: letter.messageId,
      topic: letter.topic,
      key: letter.key,
      value: this.#bytes(letter, change),
      headers: change.headers === undefined ? letter.headers.raw : toHeaders(change.headers),
    }
    for (const each of this.#runtime.middleware) if (each.outgoing) message = await each.outgoing(message)
    return { value: message.value, headers: message.headers }
  }

  #bytes(letter: DeadLetter, change: DeadLetterEdit): Uint8Array | null {
    if (change.bytes !== undefined) return change.bytes
    return 'value' in change ? encoded(this.#contract.codec, change.value) : letter.bytes
  }

  async #plain(message: Held['message']): Promise<Pick<Message, 'value' | 'headers'>> {
    try {
      return await this.#reader.plain({ ...message, offset: message.offset ?? 0n })
    } catch {
      return message
    }
  }

  #value(bytes: Uint8Array | null): unknown {
    try {
      return this.#contract.codec.decode(bytes)
    } catch {
      return bytes
    }
  }
}
