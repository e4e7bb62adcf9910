import { currentUnit, type Hold, limits, type Message, messageHold, MillraceError, type Millis, type ProducerGroup, type Receipt, runUnit, type UnitOfWork } from '../core/index.js'
import type { Check, Decided, Held } from '../engine/index.js'
import { json } from './codec.js'
import { MessageHeaders } from './headers.js'
import type { Keeper } from './keeper.js'
import type { Producer } from './producer.js'
import { Reader } from './reader.js'
import type { Runtime } from './runtime.js'
import type { SendOptions } from './send.js'
import { contractOf, type TopicContract } from './topic-contract.js'

export interface PrepareOptions extends Omit<SendOptions, 'delayMs' | 'at'> {
  /** Whose checkers are asked when neither commit nor rollback comes. */
  readonly producerGroup: ProducerGroup
  /** Time before the first question. Default 6 s. */
  readonly immunityMs?: Millis
  /** Time between questions. Default 30 s. */
  readonly everyMs?: Millis
  /** Questions, after which it is parked. Default 15. */
  readonly checks?: number
  /** Parked after so long, asked or not. Default: time for every question and one more. */
  readonly parkAfterMs?: Millis
}

/** A message that nobody reads until it is committed. */
export interface Prepared {
  readonly id: string
  readonly receipt: Receipt
  /** 'gone': it was decided before. */
  commit(): Promise<Decided>
  rollback(): Promise<Decided>
}

export interface TransactionOptions extends PrepareOptions {
  /** Undoes what `work` did outside of its own transaction; called after the rollback with what `work` threw. */
  readonly compensate?: (error: unknown) => void | Promise<void>
}

/** Does the local work, inside `unit` with its transaction open. */
export type TransactionWork<T> = (unit: UnitOfWork) => Promise<T>

export interface Transacted<T> {
  /** What the work returned. */
  readonly result: T
  readonly id: string
  /**
   * 'committed'; 'decided': a check-back had decided it first; 'pending': it follows the transaction that it joined, or
   * the commit was not answered; a check-back decides what is left.
   */
  readonly outcome: 'committed' | 'decided' | 'pending'
}

/** A prepared message as its checker gets it. */
export interface PreparedMessage extends Omit<Message, 'offset' | 'value' | 'headers'> {
  readonly headers: MessageHeaders
  /** As JSON, or the bytes when it is none. */
  readonly value: unknown
  readonly bytes: Uint8Array | null
  readonly checksLeft: number
  readonly held: Held
}

/** Says what became of the local transaction. A throw is 'unknown': it is asked again. */
export type Checker = (message: PreparedMessage) => Promise<'commit' | 'rollback' | 'unknown'> | 'commit' | 'rollback' | 'unknown'

export interface AnswerOptions {
  /** Called after the checker said 'rollback' and before it counts; a throw makes the answer 'unknown'. */
  readonly compensate?: (message: PreparedMessage) => void | Promise<void>
}

/** Prepared messages: stored unseen, then committed or rolled back, by their sender or by a check-back. */
export class Transactions {
  readonly #runtime: Runtime
  readonly #producer: Producer
  readonly #keeper: Keeper

  constructor(runtime: Runtime, producer: Producer, keeper: Keeper) {
    this.#runtime = runtime
    this.#producer = producer
    this.#keeper = keeper
  }

  async prepare<Input>(contract: TopicContract<Input, unknown>, value: Input, options: PrepareOptions): Promise<Prepared> {
    const receipt = await this.#producer.send(contract, value, options, preparedHold(options, this.#runtime.clock.wall()))
    const hold = messageHold(contract.name, receipt.id)
    return {
      id: receipt.id,
      receipt,
      commit: () => this.#decide(hold, 'release'),
      rollback: () => this.#decide(hold, 'drop'),
    }
  }

  async transaction<Input, T>(contract: TopicContract<Input, unknown>, value: Input, options: TransactionOptions, work: TransactionWork<T>): Promise<Transacted<T>> {
    const prepared = await this.prepare(contract, value, options)
    const outer = currentUnit()?.inTransaction ? currentUnit() : undefined
    let result: T
    try {
      result = await inTransaction(work)
    } catch (error) {
      await this.#undo(prepared, options, error)
      throw error
    }
    if (!outer) return { result, id: prepared.id, outcome: await this.#commit(prepared) }
    // It joined a transaction that is still open: that one's commit is this one's.
    await outer.afterCommit(() => this.#commit(prepared).then(() => undefined))
    return { result, id: prepared.id, outcome: 'pending' }
  }

  answers(group: ProducerGroup, checker: Checker, { compensate }: AnswerOptions = {}): Promise<void> {
    const check: Check = async (held) => {
      const message = await this.#message(held)
      const answer = await checker(message)
      if (answer === 'rollback') await compensate?.(message)
      return answer
    }
    return this.#keeper.answer(group, check)
  }

  /** The work is done: whatever happens now must not undo it. */
  async #commit(prepared: Prepared): Promise<Transacted<unknown>['outcome']> {
    try {
      return (await prepared.commit()) === 'gone' ? 'decided' : 'committed'
    } catch (error) {
      this.#runtime.report(error)
      return 'pending'
    }
  }

  async #undo(prepared: Prepared, { compensate }: TransactionOptions, error: unknown): Promise<void> {
    try {
      await prepared.rollback()
    } catch (trouble) {
      this.#runtime.report(trouble)
    }
    try {
      await compensate?.(error)
    } catch (trouble) {
      throw new AggregateError([error, trouble], 'the transaction failed, and so did its compensation', { cause: trouble })
    }
  }

  async #message(held: Held): Promise<PreparedMessage> {
    const { offset, ...about } = held.message
    const plain = await new Reader(contractOf(about.topic), this.#runtime.middleware).plain({ ...about, offset: offset ?? 0n })
    const { then } = held.hold
    return { ...about, headers: new MessageHeaders(plain.headers), bytes: plain.value, value: jsonOr(plain.value), checksLeft: then === 'release' ? 0 : then.checks, held }
  }

  async #decide(hold: string, to: 'release' | 'drop'): Promise<Decided> {
    const [decided] = await this.#runtime.engine.decide([{ hold, to }])
    return decided ?? 'gone'
  }
}

async function inTransaction<T>(work: TransactionWork<T>): Promise<T> {
  const unit = currentUnit()
  if (unit) return unit.transaction(() => work(unit))
  return runUnit({}, async () => {
    const fresh = currentUnit()
    if (!fresh) throw new MillraceError('ENGINE_FAILED', 'no unit of work inside runUnit')
    return fresh.transaction(() => work(fresh))
  })
}

function preparedHold(options: PrepareOptions, now: Millis): Hold {
  const { producerGroup, immunityMs = limits.prepareImmunityMs, everyMs = limits.prepareEveryMs, checks = limits.prepareChecks } = options
  const parkAfterMs = options.parkAfterMs ?? immunityMs + everyMs * (checks + 1)
  return { why: 'prepared', until: now + immunityMs, then: { ask: producerGroup, checks, everyMs, parkAt: now + parkAfterMs }, attempt: 0 }
}

function jsonOr(bytes: Uint8Array | null): unknown {
  try {
    return json.decode(bytes)
  } catch {
    return bytes
  }
}
