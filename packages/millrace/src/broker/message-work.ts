import { type Millis, MillraceError, runUnit } from '../core/index.js'
import type { Delivery } from '../engine/index.js'
import { Attempt } from './attempt.js'
import { Deadlines } from './deadlines.js'
import { isTraced, traced } from './diagnostics.js'
import { Lanes } from './lanes.js'
import type { Middleware } from './middleware.js'
import type { Handler, Received } from './received.js'
import { Run } from './run.js'
import type { Runtime } from './runtime.js'
import type { Settler } from './settler.js'
import { isPromise } from './waiting.js'
import type { WorkOptions } from './work.js'
import { type Fits, WorkInHand } from './work-in-hand.js'

export interface MessageWorkOptions<Value> extends WorkOptions<Value> {
  readonly handler: Handler<Value>
}

/** Runs a handler for each message, one lane one after another, many lanes at once. */
export class MessageWork<Value> extends WorkInHand {
  readonly #runtime: Runtime
  readonly #options: MessageWorkOptions<Value>
  readonly #around: readonly Middleware[]
  readonly #lanes = new Lanes<Run>()
  readonly #running: Deadlines<Attempt>
  readonly #resting = new Set<Run>()
  #isPumping = false

  constructor(runtime: Runtime, settler: Settler, options: MessageWorkOptions<Value>) {
    super(settler, options.room)
    this.#runtime = runtime
    this.#options = options
    this.#around = runtime.middleware.filter((each) => each.around !== undefined)
    this.#running = new Deadlines(runtime.clock, (attempt) => this.#expire(attempt))
  }

  protected enqueue(delivery: Delivery): void {
    this.#lanes.add(new Run(delivery, this.#laneOf(delivery)))
  }

  protected pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.mayStart && this.#running.size < this.#options.concurrency) {
      const run = this.#lanes.next()
      if (!run) break
      if (this.#isRemembered(run)) this.#skip(run)
      else this.#start(run)
    }
    this.#isPumping = false
  }

  protected isRunning(fits: Fits): boolean {
    return this.#running.some(({ run }) => fits(run))
  }

  protected takeWaiting(fits: Fits): readonly Run[] {
    const resting = [...this.#resting].filter(fits)
    for (const run of resting) {
      run.resting?.()
      this.#resting.delete(run)
      this.#lanes.release(run)
    }
    return [...resting, ...this.#lanes.take(fits)]
  }

  protected abortRunning(fits: Fits, why: unknown): readonly Run[] {
    const aborted: Run[] = []
    for (const attempt of [...this.#running.all()]) {
      if (!fits(attempt.run) || !this.#ends(attempt)) continue
      attempt.abort(why)
      this.#lanes.release(attempt.run)
      aborted.push(attempt.run)
    }
    this.changes.tell()
    return aborted
  }

  protected clear(): void {
    this.#running.clear()
  }

  #laneOf({ message: { partition, key } }: Delivery): string | null {
    const { order } = this.#options
    if (order === 'partition') return String(partition)
    return order === 'none' || key === null ? null : `${partition}/${key}`
  }

  #isRemembered({ delivery }: Run): boolean {
    return this.#options.remembered?.has(delivery.message.id, this.#runtime.clock.wall()) ?? false
  }

  #skip(run: Run): void {
    this.settler.add({ is: 'done', delivery: run.delivery })
    this.#lanes.release(run)
  }

  #start(run: Run): void {
    const attempt = new Attempt(run, this.#options.group, this.#options.send, this.#runtime.clock.monotonic() + this.#options.deadlineMs)
    run.current = attempt
    this.#running.start(attempt)
    let outcome: void | Promise<void>
    try {
      outcome = isTraced('process') ? this.#traced(attempt) : this.#invoke(attempt)
    } catch (error) {
      this.#failed(attempt, error)
      return
    }
    if (isPromise(outcome)) {
      outcome.then(
        () => this.#done(attempt),
        (error: unknown) => this.#failed(attempt, error),
      )
    } else this.#done(attempt)
  }

  #traced(attempt: Attempt): Promise<void> {
    const about = { engine: this.#runtime.engine.name, group: this.#options.group, deliveries: [attempt.run.delivery], attempt: attempt.attempt }
    return traced('process', () => about, async () => this.#invoke(attempt))
  }

  #invoke(attempt: Attempt): void | Promise<void> {
    const { run } = attempt
    const message = this.#options.reader.received(run.delivery.message, run.attempt, run.failure)
    return message instanceof Promise ? message.then((read) => this.#handle(read, attempt)) : this.#handle(message, attempt)
  }

  #handle(message: Received<Value>, attempt: Attempt): void | Promise<void> {
    return runUnit(attempt, () => {
      if (this.#around.length === 0) return this.#options.handler(message, attempt)
      const innermost = async (): Promise<void> => this.#options.handler(message, attempt)
      return this.#around.reduceRight((run, each) => () => each.around?.(message, attempt, run) ?? run(), innermost)()
    })
  }

  #done(attempt: Attempt): void {
    if (!this.#ends(attempt)) return
    const { run } = attempt
    this.#options.remembered?.add(run.delivery.message.id, this.#runtime.clock.wall())
    this.settler.add({ is: 'done', delivery: run.delivery })
    this.#next(run)
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (!this.#ends(attempt)) return
    const { run } = attempt
    const ruling = this.#options.judge.rule(run, error)
    if (ruling.is === 'rest') return this.#rest(run, ruling)
    this.settler.add(ruling)
    if (this.#options.park && ruling.hold.why === 'retry') this.park(run.delivery)
    this.#next(run)
  }

  #expire(attempt: Attempt): void {
    const error = new MillraceError('TIMEOUT', `the handler took longer than ${this.#options.deadlineMs} ms (deadlineMs): its signal aborted and its result is ignored`)
    attempt.abort(error)
    this.#failed(attempt, error)
  }

  /** False for the late result of an attempt that no longer counts. */
  #ends(attempt: Attempt): boolean {
    if (attempt.run.current !== attempt) return false
    attempt.run.current = undefined
    this.#running.end(attempt)
    return true
  }

  /** In place: the lane stays busy, so that the key keeps its order; the hand is free for another lane. */
  #rest(run: Run, { ms, failure }: { readonly ms: Millis; readonly failure: NonNullable<Run['failure']> }): void {
    run.attempt += 1
    run.failure = failure
    if (this.staysInHand(run)) {
      this.#resting.add(run)
      run.resting = this.#runtime.clock.after(ms, () => this.#wake(run))
    } else this.#lanes.release(run)
    this.changes.tell()
  }

  #wake(run: Run): void {
    this.#resting.delete(run)
    run.resting = undefined
    this.#lanes.again(run)
    this.pump()
  }

  #next(run: Run): void {
    this.#lanes.release(run)
    this.changes.tell()
    this.pump()
  }
}
