import { asMillraceError, type Failure, isMillraceError, type Message, type MessageKind, type Millis, type Offset, type Trace } from '../core/index.js'
import { Unreadable } from './endings.js'
import { MessageHeaders } from './headers.js'
import type { Middleware } from './middleware.js'
import { traceOf } from './propagation.js'
import type { Received } from './received.js'
import { checked } from './schema-check.js'
import type { TopicContract } from './topic-contract.js'

/** Reads messages: middleware undone, codec, schema. */
export class Reader<Output> {
  readonly #contract: TopicContract<unknown, Output>
  readonly #undo: readonly Middleware[]

  constructor(contract: TopicContract<unknown, Output>, middleware: readonly Middleware[]) {
    this.#contract = contract
    this.#undo = middleware.filter((each) => each.incoming !== undefined).toReversed()
  }

  /** A promise only where a schema or middleware is asynchronous. Throws Unreadable for what no retry can help. */
  received(message: Message, attempt: number, failure: Failure | undefined): Received<Output> | Promise<Received<Output>> {
    if (this.#undo.length > 0) return this.#undone(message).then((plain) => this.#received(plain, attempt, failure))
    return this.#received(message, attempt, failure)
  }

  /** The message as middleware leaves it. */
  async plain<M extends Message>(message: M): Promise<M> {
    return this.#undo.length > 0 ? { ...message, ...(await this.#undone(message)) } : message
  }

  /** The value alone. Throws CODEC, SCHEMA. */
  value(bytes: Uint8Array | null): Output | Promise<Output> {
    const { codec, schema, name } = this.#contract
    let decoded: unknown
    try {
      decoded = codec.decode(bytes)
    } catch (error) {
      throw asMillraceError(error, 'CODEC', `value of a message of topic ${name} is not ${codec.name}`)
    }
    // Without a schema the contract's author vouches that what is decoded is an Output.
    return schema ? checked(schema, decoded, name) : (decoded as Output)
  }

  async #undone(message: Message): Promise<Message> {
    let plain = message
    for (const each of this.#undo) plain = (await each.incoming?.(plain)) ?? plain
    return plain
  }

  #received(message: Message, attempt: number, failure: Failure | undefined): Received<Output> | Promise<Received<Output>> {
    try {
      const value = this.value(message.value)
      if (value instanceof Promise) return value.then((late) => new Arrival(message, late, attempt, failure), unreadable)
      return new Arrival(message, value, attempt, failure)
    } catch (error) {
      return unreadable(error)
    }
  }
}

/** A throw in codec or schema is for ever, unless it says that trying again can help. */
function unreadable(error: unknown): never {
  throw isMillraceError(error) && error.retryable ? error : new Unreadable(error)
}

const noHeaders = new MessageHeaders([])

class Arrival<Value> implements Received<Value> {
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
  readonly delayedUntil: Millis | undefined
  readonly attempt: number
  readonly failure: Failure | undefined

  constructor(message: Message, value: Value, attempt: number, failure: Failure | undefined) {
    this.id = message.id
    this.topic = message.topic
    this.partition = message.partition
    this.offset = message.offset
    this.key = message.key
    this.value = value
    this.headers = message.headers.length === 0 ? noHeaders : new MessageHeaders(message.headers)
    this.timestamp = message.timestamp
    this.producerId = message.producerId
    this.kind = message.kind
    this.delayedUntil = message.delayedUntil
    this.attempt = attempt
    this.failure = failure
  }

  get trace(): Trace | undefined {
    return traceOf(this.headers.raw)
  }
}
