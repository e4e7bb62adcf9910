import { checkName, checkWhole, limits, type Millis } from '../core/index.js'
import { BatchWork } from './batch-work.js'
import type { BatchConsumeOptions, ConsumeOptions, ConsumerDefaults, MemberOptions } from './consume-options.js'
import { type CloseOptions, type Consumer, GroupConsumer } from './consumer.js'
import { reportTo } from './diagnostics.js'
import { Judge, noLater } from './judge.js'
import { MessageWork } from './message-work.js'
import { Reader } from './reader.js'
import type { BatchHandler, Handler } from './received.js'
import { Remembered } from './remembered.js'
import { errorRules } from './retry-policy.js'
import type { Runtime } from './runtime.js'
import type { Send } from './send.js'
import type { SessionOptions } from './session.js'
import type { TopicContract } from './topic-contract.js'
import type { TopicBook } from './topics.js'

/** The consumers of one Millrace: makes them from their options, and closes them together. */
export class Consumers {
  readonly #runtime: Runtime
  readonly #book: TopicBook
  readonly #send: Send
  readonly #defaults: ConsumerDefaults
  readonly #open = new Set<Consumer>()

  constructor(runtime: Runtime, book: TopicBook, send: Send, defaults: ConsumerDefaults = {}) {
    this.#runtime = runtime
    this.#book = book
    this.#send = send
    this.#defaults = defaults
  }

  consume<Output>(contract: TopicContract<unknown, Output>, group: string, handler: Handler<Output>, own: ConsumeOptions): Consumer {
    const options = { ...this.#defaults, ...own }
    const { order = 'key', concurrency = limits.concurrency } = options
    checkWhole('concurrency', concurrency, 1, limits.maxConcurrency)
    const runtime = this.#heard(options)
    const shared = this.#shared(runtime, contract, group, options)
    return this.#start(runtime, contract, {
      request: this.#request(contract.name, group, options),
      prefetch: prefetchOf(options, Math.max(limits.minPrefetch, 4 * concurrency)),
      work: (settler, room) => new MessageWork(runtime, settler, { ...shared, order, concurrency, handler, room }),
    })
  }

  consumeBatch<Output>(contract: TopicContract<unknown, Output>, group: string, handler: BatchHandler<Output>, own: BatchConsumeOptions): Consumer {
    const options = { ...this.#defaults, ...own }
    const { order = 'key', concurrency = 1, maxBatch = limits.batchMessages, lingerMs = 0 } = options
    checkWhole('concurrency', concurrency, 1, limits.maxConcurrency)
    checkWhole('maxBatch', maxBatch, 1, limits.maxBatch)
    checkWhole('lingerMs', lingerMs, 0, limits.maxBackoffMs)
    const runtime = this.#heard(options)
    const shared = this.#shared(runtime, contract, group, options)
    return this.#start(runtime, contract, {
      request: this.#request(contract.name, group, options),
      prefetch: prefetchOf(options, Math.min(maxBatch * (concurrency + 3), limits.maxLease)),
      work: (settler, room) => new BatchWork(runtime, settler, { ...shared, order, concurrency, maxBatch, lingerMs, handler, room }),
    })
  }

  /** Resolves when those that are joining a group of the topic have joined, or never will. */
  async joined(topic: string): Promise<void> {
    await Promise.allSettled([...this.#open].filter((consumer) => consumer.topic === topic).map(({ ready }) => ready))
  }

  async close(options: CloseOptions): Promise<void> {
    await Promise.all([...this.#open].map((consumer) => consumer.close(options)))
  }

  #start(runtime: Runtime, contract: TopicContract, session: SessionOptions): Consumer {
    const consumer = new GroupConsumer(runtime, {
      session,
      prepare: () => {
        this.#book.forget(contract.name)
        return this.#book.find(contract)
      },
      closed: (gone) => this.#open.delete(gone),
    })
    this.#open.add(consumer)
    return consumer
  }

  #shared<Output>(runtime: Runtime, contract: TopicContract<unknown, Output>, group: string, options: MemberOptions) {
    const { mode = 'share', park = false, idempotent } = options
    const rules = errorRules(options.retry)
    if (mode === 'broadcast' && rules.some((rule) => 'retry' in rule && rule.when === 'later')) throw noLater()
    if (idempotent) checkWhole('idempotent.max', idempotent.max, 1, limits.maxRemembered)
    return {
      group,
      park,
      deadlineMs: deadlineOf(options),
      reader: new Reader(contract, runtime.middleware),
      judge: new Judge(runtime, group, rules, mode),
      send: this.#send,
      remembered: idempotent && new Remembered(idempotent),
    }
  }

  #request(topic: string, group: string, options: MemberOptions): SessionOptions['request'] {
    const { mode = 'share', from = 'start', leaseMs = limits.leaseMs, drainMs = limits.drainMs, maxDeliveries = limits.maxDeliveries, park = false } = options
    const member = options.member ?? `member-${this.#runtime.ids()}`
    checkName('group', group)
    checkName('member', member)
    return { topic, group, member, mode, from, leaseMs, stallMs: deadlineOf(options), drainMs, maxDeliveries, park }
  }

  #heard({ onError }: MemberOptions): Runtime {
    if (!onError) return this.#runtime
    return { ...this.#runtime, report: reportTo(onError, this.#runtime.report) }
  }
}

function deadlineOf({ deadlineMs = limits.handlerMs }: MemberOptions): Millis {
  checkWhole('deadlineMs', deadlineMs, 1, Number.MAX_SAFE_INTEGER)
  return deadlineMs
}

function prefetchOf({ prefetch }: MemberOptions, usual: number): number {
  const most = prefetch ?? Math.min(usual, limits.maxLease)
  checkWhole('prefetch', most, 1, limits.maxLease)
  return most
}
