import type { Message, Millis, ProducerGroup, Receipt, UnitOfWork } from '../core/index.js'
import type { Held } from '../engine/index.js'
import type { MessageHeaders } from './headers.js'
import type { SendOptions } from './send.js'

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
  commit(): Promise<'done' | 'gone' | 'accepted'>
  rollback(): Promise<'done' | 'gone' | 'accepted'>
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
   * 'committed'; 'decided': a check-back had decided it first; 'pending': the commit was sent and not answered, and a
   * check-back will decide it.
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
