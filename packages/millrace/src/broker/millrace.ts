import type { ProducerGroup, Receipt } from '../core/index.js'
import { type Census, type Engine, guard, type Page, type Published, type Stir } from '../engine/index.js'
import type { BatchConsumeOptions, ConsumeOptions } from './consume-options.js'
import type { CloseOptions, Consumer } from './consumer.js'
import type { DeadLetters } from './dead-letters.js'
import type { Delays } from './delays.js'
import type { Groups } from './groups.js'
import type { MillraceOptions } from './options.js'
import type { Peeked, PeekOptions } from './peek.js'
import type { BatchHandler, Handler } from './received.js'
import type { SendItem, SendManyOptions, SendOptions } from './send.js'
import type { TopicRef } from './topic-contract.js'
import type { Topics } from './topics.js'
import type { AnswerOptions, Checker, Prepared, PrepareOptions, Transacted, TransactionOptions, TransactionWork } from './transactions.js'

/** The face of the queue: sends, consumes and looks after topics over any engine. Opens on first use. */
export class Millrace {
  /** The engine behind its guard. */
  readonly engine: Engine
  declare readonly topics: Topics
  declare readonly groups: Groups
  declare readonly delays: Delays
  declare readonly deadLetters: DeadLetters

  constructor(options: MillraceOptions) {
    this.engine = guard(options.engine)
  }

  /** Opens the engine, so that trouble shows early. Errors: those of the engine's `open`. */
  open(): Promise<void> {
    return this.engine.open()
  }

  /** Sends one message. Those of one tick go to the engine together. Errors: SCHEMA naming the field, CODEC, UNKNOWN_TOPIC, TOO_LARGE, FULL, UNKNOWN_OUTCOME. */
  send<Input>(_topic: TopicRef<Input, unknown>, _value: NoInfer<Input>, _options?: SendOptions): Promise<Receipt> {
    throw new Error('soon')
  }

  /** Sends many: one answer for each, in their order; one message's failure is not another's. Errors: UNKNOWN_TOPIC. */
  sendMany<Input>(_topic: TopicRef<Input, unknown>, _items: readonly SendItem<NoInfer<Input>>[], _options?: SendManyOptions): Promise<readonly Published[]> {
    throw new Error('soon')
  }

  /** Runs `handler` for each message of the topic, as a member of the group. */
  consume<Input, Output>(_topic: TopicRef<Input, Output>, _group: string, _handler: Handler<Output>, _options?: ConsumeOptions): Consumer {
    throw new Error('soon')
  }

  /** Runs `handler` for many messages at a time; it gives a verdict for each. */
  consumeBatch<Input, Output>(_topic: TopicRef<Input, Output>, _group: string, _handler: BatchHandler<Output>, _options?: BatchConsumeOptions): Consumer {
    throw new Error('soon')
  }

  /** Stores a message that nobody reads until it is committed. Errors: as `send`, and UNSUPPORTED. */
  prepare<Input>(_topic: TopicRef<Input, unknown>, _value: NoInfer<Input>, _options: PrepareOptions): Promise<Prepared> {
    throw new Error('soon')
  }

  /**
   * Prepares a message, does the work, commits. When the work throws the message is rolled back, `compensate` runs and
   * the error goes on to the caller.
   */
  transaction<Input, T>(_topic: TopicRef<Input, unknown>, _value: NoInfer<Input>, _options: TransactionOptions, _work: TransactionWork<T>): Promise<Transacted<T>> {
    throw new Error('soon')
  }

  /** Answers for prepared messages of a producer group that nobody decided, whichever instance prepared them. Resolves when it is asked. */
  answers(_group: ProducerGroup, _checker: Checker, _options?: AnswerOptions): Promise<void> {
    throw new Error('soon')
  }

  /** Reads a topic without consuming. */
  peek<Input, Output>(_topic: TopicRef<Input, Output>, _options?: PeekOptions): Promise<Page<Peeked<Output>>> {
    throw new Error('soon')
  }

  census(): Promise<Census> {
    return this.engine.census()
  }

  /** Calls when it may be worth to look again; may be spurious. Returns what ends it. */
  watch(_on: (stir: Stir) => void): () => void {
    throw new Error('soon')
  }

  /** Closes the consumers, sends what is buffered, closes the engine. */
  close(_options?: CloseOptions): Promise<void> {
    throw new Error('soon')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
