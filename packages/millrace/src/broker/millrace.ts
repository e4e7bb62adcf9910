import { limits, MillraceError, type ProducerGroup, type Receipt, systemClock } from '../core/index.js'
import { type Census, type Engine, guard, type Page, type Published, type Stir } from '../engine/index.js'
import { keyHash } from '../routing/index.js'
import type { BatchConsumeOptions, ConsumeOptions } from './consume-options.js'
import type { CloseOptions, Consumer } from './consumer.js'
import { Consumers } from './consumers.js'
import { DeadLetters } from './dead-letters.js'
import { Delays } from './delays.js'
import { reportTo } from './diagnostics.js'
import { Drafter } from './drafter.js'
import { Groups } from './groups.js'
import { makeIds } from './ids.js'
import { Keeper } from './keeper.js'
import type { MillraceOptions } from './options.js'
import { Outbox } from './outbox.js'
import { type Peeked, type PeekOptions, peek } from './peek.js'
import { Producer } from './producer.js'
import type { BatchHandler, Handler } from './received.js'
import type { Runtime } from './runtime.js'
import { Schedules } from './schedules.js'
import type { SendItem, SendManyOptions, SendOptions } from './send.js'
import { contractOf, type TopicRef } from './topic-contract.js'
import { TopicBook, type Topics } from './topics.js'
import { type AnswerOptions, type Checker, type Prepared, type PrepareOptions, type Transacted, type TransactionOptions, Transactions, type TransactionWork } from './transactions.js'
import { within } from './waiting.js'

/** The face of the queue: sends, consumes and looks after topics over any engine. Opens on first use. */
export class Millrace {
  /** The engine behind its guard. */
  readonly engine: Engine
  readonly topics: Topics
  readonly groups: Groups
  readonly delays: Delays
  readonly deadLetters: DeadLetters
  readonly schedules: Schedules
  readonly #runtime: Runtime
  readonly #keeper: Keeper
  readonly #keeps: boolean
  readonly #outbox: Outbox
  readonly #producer: Producer
  readonly #consumers: Consumers
  readonly #transactions: Transactions
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: MillraceOptions) {
    const { clock = systemClock, random = Math.random, ids = makeIds(), middleware = [], partitioner = keyHash(), onError = warn } = options
    this.engine = guard(options.engine)
    const runtime: Runtime = { engine: this.engine, clock, random, ids, middleware, atRest: new Set(), open: () => this.open(), report: reportTo(onError, warn) }
    const book = new TopicBook(runtime, options.autoCreate)
    let producerId = options.producerId
    this.#runtime = runtime
    this.topics = book
    this.groups = new Groups(runtime, book, (topic) => this.#consumers.joined(topic))
    this.delays = new Delays(runtime)
    this.deadLetters = new DeadLetters(runtime)
    this.#keeps = options.keeper ?? true
    this.#keeper = new Keeper(runtime)
    this.#outbox = new Outbox(runtime, options.buffer)
    this.#producer = new Producer(book, new Drafter(runtime, partitioner, () => (producerId ??= `producer-${ids()}`)), this.#outbox)
    this.#consumers = new Consumers(runtime, book, (topic, value, sendOptions) => this.send(topic, value, sendOptions), options.consumers)
    this.schedules = new Schedules(runtime, book, this.#producer)
    this.#transactions = new Transactions(runtime, this.#producer, this.#keeper)
  }

  /** Opens the engine, so that trouble shows early. Errors: those of the engine's `open`. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Sends one message. Those of one tick go to the engine together. Errors: SCHEMA naming the field, CODEC, UNKNOWN_TOPIC, TOO_LARGE, FULL, UNKNOWN_OUTCOME. */
  send<Input>(topic: TopicRef<Input, unknown>, value: NoInfer<Input>, options?: SendOptions): Promise<Receipt> {
    return this.#producer.send(contractOf(topic), value, options)
  }

  /** Sends many: one answer for each, in their order; one message's failure is not another's. Errors: UNKNOWN_TOPIC. */
  sendMany<Input>(topic: TopicRef<Input, unknown>, items: readonly SendItem<NoInfer<Input>>[], options?: SendManyOptions): Promise<readonly Published[]> {
    return this.#producer.sendMany(contractOf(topic), items, options)
  }

  /** Runs `handler` for each message of the topic, as a member of the group. Errors: INVALID, UNSUPPORTED; the rest by `ready`. */
  consume<Input, Output>(topic: TopicRef<Input, Output>, group: string, handler: Handler<Output>, options: ConsumeOptions = {}): Consumer {
    return this.#consumers.consume(contractOf(topic), group, handler, options)
  }

  /** Runs `handler` for many messages at a time; it gives a verdict for each. Errors: as `consume`. */
  consumeBatch<Input, Output>(topic: TopicRef<Input, Output>, group: string, handler: BatchHandler<Output>, options: BatchConsumeOptions = {}): Consumer {
    return this.#consumers.consumeBatch(contractOf(topic), group, handler, options)
  }

  /** Stores a message that nobody reads until it is committed. Errors: as `send`, and UNSUPPORTED. */
  prepare<Input>(topic: TopicRef<Input, unknown>, value: NoInfer<Input>, options: PrepareOptions): Promise<Prepared> {
    return this.#transactions.prepare(contractOf(topic), value, options)
  }

  /**
   * Prepares a message, does the work, commits. When the work throws the message is rolled back, `compensate` runs and
   * the error goes on to the caller.
   */
  transaction<Input, T>(topic: TopicRef<Input, unknown>, value: NoInfer<Input>, options: TransactionOptions, work: TransactionWork<T>): Promise<Transacted<T>> {
    return this.#transactions.transaction(contractOf(topic), value, options, work)
  }

  /** Answers for prepared messages of a producer group that nobody decided, whichever instance prepared them. Resolves when it is asked. */
  async answers(group: ProducerGroup, checker: Checker, options?: AnswerOptions): Promise<void> {
    await this.open()
    return this.#transactions.answers(group, checker, options)
  }

  /** Reads a topic without consuming. Errors: UNKNOWN_TOPIC. */
  peek<Input, Output>(topic: TopicRef<Input, Output>, options?: PeekOptions): Promise<Page<Peeked<Output>>> {
    return peek(this.#runtime, contractOf(topic), options)
  }

  async census(): Promise<Census> {
    await this.open()
    return this.engine.census()
  }

  /** Calls when it may be worth to look again; may be spurious. Returns what ends it. */
  watch(on: (stir: Stir) => void): () => void {
    let isOver = false
    let unwatch: (() => void) | undefined
    this.open().then(
      () => {
        if (!isOver) unwatch = this.engine.watch(on)
      },
      (error: unknown) => this.#runtime.report(error),
    )
    return () => {
      isOver = true
      unwatch?.()
    }
  }

  /** Closes the consumers, sends what is buffered, closes the engine. */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<void> {
    try {
      if (this.#closing) throw closed()
      await this.engine.open()
      if (this.#keeps) await this.#keeper.start()
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  async #close({ deadlineMs = limits.closeMs }: CloseOptions): Promise<void> {
    await this.schedules.stop()
    await this.#consumers.close({ deadlineMs })
    await within(this.#runtime.clock, this.#outbox.drained(), deadlineMs)
    this.#outbox.refuseAll(closed())
    await this.#keeper.stop()
    await this.engine.close()
  }
}

function closed(): MillraceError {
  return new MillraceError('CLOSED', 'this Millrace is closed: make a new one')
}

/** So that trouble is never silent where nobody asked to hear of it. */
function warn(error: unknown): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  process.emitWarning(text, { type: 'MillraceWarning', ...(error instanceof Error && error.stack !== undefined && { detail: error.stack }) })
}
