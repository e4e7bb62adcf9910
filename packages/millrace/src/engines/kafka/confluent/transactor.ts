import { MillraceError } from '../../../core/errors.js'
import type { NewRecord, Transactor } from '../port.js'
import { asError, codes, fencedCodes, isNativeError } from './codes.js'
import type { Base } from './link.js'
import { Line } from './producer.js'
import type { NativeAnswer, NativeError } from './structure.js'
import { pause, told, within } from './wait.js'

type Outcome = Awaited<ReturnType<Transactor['commit']>>

/** After this the coordinator aborts what a dead transactor left open, which holds up readers. */
const transactionMs = 10_000
/** Of one native call. It holds a thread of libuv's pool meanwhile. */
const callMs = 2_000
/** Longer it is not asked for: whoever takes the id anew ends what is open, and until then nobody reads on. */
const abortMs = 3_000
const retryMs = 50

/** One transactional id. Its transactions run one after another. */
export class ConfluentTransactor implements Transactor {
  readonly #base: Base
  readonly #line: Line
  readonly #left: (transactor: ConfluentTransactor) => void
  #tail: Promise<unknown> = Promise.resolve()
  #end: 'fenced' | 'unknown' | undefined
  #closing: Promise<void> | undefined
  /** The last transaction ended so; once, then anew. */
  #isAborted = false
  /** A native call has not come back long after its time. */
  #isStuck = false

  private constructor(base: Base, line: Line, left: (transactor: ConfluentTransactor) => void) {
    this.#base = base
    this.#line = line
    this.#left = left
  }

  static async open(base: Base, id: string, left: (transactor: ConfluentTransactor) => void): Promise<ConfluentTransactor> {
    const own = { 'transactional.id': id, 'transaction.timeout.ms': transactionMs, 'message.timeout.ms': transactionMs - 1_000 }
    const line = await Line.open(base, own, () => undefined)
    const transactor = new ConfluentTransactor(base, line, left)
    const problem = await transactor.#call((ms, answer) => line.native.initTransactions(ms, answer))
    if (problem === undefined) return transactor
    await transactor.close()
    throw problem === 'late' ? new MillraceError('TIMEOUT', `no coordinator answered for the transactions of ${id}`) : asError(problem, `cannot begin the transactions of ${id}`)
  }

  commit(records: readonly NewRecord[]): Promise<Outcome> {
    const work = this.#tail.then(() => this.#commit(records))
    this.#tail = work.catch(() => undefined)
    return work
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // A native producer that is taken away under a call ends the process: a call that is still out is waited for, by nobody if need be.
    if ((await within(this.#base.clock, this.#base.closeMs, this.#tail)) === 'late') void this.#tail.then(() => this.#line.close(0))
    else if (!this.#isStuck) await this.#line.close(0)
    this.#left(this)
  }

  async #commit(records: readonly NewRecord[]): Promise<Outcome> {
    if (this.#end !== undefined) return this.#end
    // Its native producer is gone; a call would end the process.
    if (this.#line.isOver || this.#closing !== undefined) throw new MillraceError('CLOSED', 'the transactor was closed')
    const began = await told((answer) => this.#line.native.beginTransaction(answer))
    if (began !== undefined) return this.#broken(began)
    const wasAborted = this.#isAborted
    this.#isAborted = false
    const sent = await this.#line.outbox.send(records)
    const failure = sent.flatMap((each) => ('error' in each ? [each.error] : []))[0]
    if (failure !== undefined) {
      const outcome = await this.#abort(failure.cause)
      // An abort still empties the client's queue when the next transaction has begun, of which nothing was sent then.
      return wasAborted && outcome === 'aborted' && isCode(failure.cause, codes.purgedQueued) ? this.#commit(records) : outcome
    }
    const problem = await this.#call((ms, answer) => this.#line.native.commitTransaction(ms, answer))
    if (problem === undefined) return 'committed'
    if (problem !== 'late' && problem.isTxnRequiresAbort === true) return this.#abort(problem)
    // The commit may have been written before its answer was lost, even when the next attempt was then told of a newer producer.
    return this.#over('unknown')
  }

  /** The commit was never asked for, so that nothing can become visible any more. */
  async #abort(why: unknown): Promise<Outcome> {
    if (isFence(why)) return this.#over('fenced')
    const problem = await this.#call((ms, answer) => this.#line.native.abortTransaction(ms, answer), abortMs)
    this.#isAborted = problem === undefined
    if (problem === undefined) return 'aborted'
    return this.#over(isFence(problem) ? 'fenced' : 'unknown')
  }

  #broken(error: NativeError): Outcome {
    return this.#over(isFence(error) ? 'fenced' : 'unknown')
  }

  /** A native producer that has ended this way takes no call more; it is closed when the owner closes us, or now. */
  #over(end: 'fenced' | 'unknown'): Outcome {
    this.#end = end
    void this.close()
    return end
  }

  /** Calls until it is decided or the time is over: a call that took too long goes on where it was. */
  async #call(call: (ms: number, answer: NativeAnswer) => void, mostMs = transactionMs): Promise<NativeError | 'late' | undefined> {
    const { clock } = this.#base
    const due = clock.monotonic() + mostMs
    for (;;) {
      const problem = await within(clock, transactionMs + callMs, told((answer) => call(callMs, answer)))
      if (problem === 'late') this.#isStuck = true
      const mayRetry = problem !== undefined && problem !== 'late' && problem.isRetriable === true && problem.isTxnRequiresAbort !== true && problem.isFatal !== true
      if (!mayRetry || this.#line.isOver) return problem
      if (clock.monotonic() > due) return problem.code === codes.timedOut ? 'late' : problem
      await pause(clock, retryMs)
    }
  }
}

function isFence(error: unknown): boolean {
  return isNativeError(error) && fencedCodes.has(error.code)
}

function isCode(error: unknown, code: number): boolean {
  return isNativeError(error) && error.code === code
}
