import { type Millis, MillraceError, runUnit } from '../core/index.js'
import type { Delivery, Outcome, Verdict } from '../engine/index.js'
import { Attempt } from './attempt.js'
import { Deadlines } from './deadlines.js'
import { isTraced, traced } from './diagnostics.js'
import { lost } from './judge.js'
import { Lanes } from './lanes.js'
import type { Middleware } from './middleware.js'
import { ParkedKeys } from './parked-keys.js'
import type { Handler, Received } from './received.js'
import { Run } from './run.js'
import type { Runtime } from './runtime.js'
import { finished, type Settler } from './settler.js'
import { Changes, isPromise, unlessAborted } from './waiting.js'
import type { Work, WorkOptions } from './work.js'

export interface MessageWorkOptions<Value> extends WorkOptions<Value> {
  readonly handler: Handler<Value>
}

/** Runs a handler for each message, one lane one after another, many lanes at once. */
export class MessageWork<Value> implements Work {
  readonly #runtime: Runtime
  readonly #options: MessageWorkOptions<Value>
  readonly #settler: Settler
  readonly #around: readonly Middleware[]
  readonly #lanes = new Lanes<Run>()
  readonly #running: Deadlines<Attempt>
  readonly #resting = new Set<Run>()
  readonly #draining = new Set<number>()
  readonly #parked = new ParkedKeys()
  readonly #changes = new Changes()
  #inHand = 0
  #isPaused = false
  #isClosing = false
  #isPumping = false

  constructor(runtime: Runtime, settler: Settler, options: MessageWorkOptions<Value>) {
    this.#runtime = runtime
    this.#settler = settler
    this.#options = options
    this.#around = runtime.middleware.filter((each) => each.around !== undefined)
    this.#running = new Deadlines(runtime.clock, (attempt) => this.#expire(attempt))
  }

  get inHand(): number {
    return this.#inHand
  }

  leasing(): void {
    this.#parked.leasing()
  }

  take(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.#admit(delivery)
    this.#pump()
  }

  pause(paused: boolean): void {
    this.#isPaused = paused
    this.#pump()
  }

  async drain(partitions: readonly number[], signal: AbortSignal): Promise<void> {
    const leaving = new Set(partitions)
    for (const partition of leaving) this.#draining.add(partition)
    const fits = (run: Run): boolean => leaving.has(run.partition)
    this.#dropWaiting(fits)
    const abort = (): void => this.#dropRunning(fits, lost(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    await this.#changes.until(() => !this.#running.some(({ run }) => fits(run)))
    await unlessAborted(signal, this.#settler.flushed())
    signal.removeEventListener('abort', abort)
    for (const partition of leaving) this.#draining.delete(partition)
  }

  handBack(): void {
    this.#isClosing = true
    for (const run of this.#takeWaiting(() => true)) this.#settler.add({ is: 'back', delivery: run.delivery })
  }

  idle(): Promise<void> {
    return this.#changes.until(() => this.#running.size === 0)
  }

  flushed(): Promise<void> {
    return this.#settler.flushed()
  }

  abort(why: unknown): void {
    this.#dropRunning(() => true, why)
    this.#running.clear()
  }

  abandon(why: unknown): void {
    this.#isClosing = true
    this.#settler.abandon()
    this.#dropWaiting(() => true)
    this.abort(why)
    this.#inHand = 0
  }

  over(verdicts: readonly Verdict[], outcomes: readonly Outcome[]): void {
    for (const verdict of finished(verdicts, outcomes, (delivery) => this.#lapse(delivery))) {
      this.#inHand -= 1
      if (verdict.is === 'hold') this.#parked.settled(verdict.delivery)
    }
    this.#options.room()
  }

  #admit(delivery: Delivery): void {
    this.#settler.cameAgain(delivery)
    if (this.#draining.has(delivery.message.partition)) return
    this.#inHand += 1
    if (this.#isClosing || this.#parked.has(delivery)) this.#settler.add({ is: 'back', delivery })
    else this.#lanes.add(new Run(delivery, this.#laneOf(delivery)))
  }

  #laneOf({ message: { partition, key } }: Delivery): string | null {
    const { order } = this.#options
    if (order === 'partition') return String(partition)
    return order === 'none' || key === null ? null : `${partition}/${key}`
  }

  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (!this.#isPaused && !this.#isClosing && this.#running.size < this.#options.concurrency) {
      const run = this.#lanes.next()
      if (!run) break
      if (this.#isRemembered(run)) this.#skip(run)
      else this.#start(run)
    }
    this.#isPumping = false
  }

  #isRemembered({ delivery }: Run): boolean {
    return this.#options.remembered?.has(delivery.message.id, this.#runtime.clock.wall()) ?? false
  }

  #skip(run: Run): void {
    this.#settler.add({ is: 'done', delivery: run.delivery })
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
    this.#settler.add({ is: 'done', delivery: run.delivery })
    this.#next(run)
  }

  #failed(attempt: Attempt, error: unknown): void {
    if (!this.#ends(attempt)) return
    const { run } = attempt
    const ruling = this.#options.judge.rule(run, error)
    if (ruling.is === 'rest') return this.#rest(run, ruling)
    this.#settler.add(ruling)
    if (this.#options.park && ruling.hold.why === 'retry') this.#park(run)
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
    if (this.#draining.has(run.partition)) this.#forget(run)
    else if (this.#isClosing) this.#settler.add({ is: 'back', delivery: run.delivery })
    else {
      this.#resting.add(run)
      run.resting = this.#runtime.clock.after(ms, () => this.#wake(run))
    }
    this.#changes.tell()
  }

  #wake(run: Run): void {
    this.#resting.delete(run)
    run.resting = undefined
    this.#lanes.again(run)
    this.#pump()
  }

  /** What is in hand of this key and comes later goes behind it. */
  #park({ delivery }: Run): void {
    const { partition, key } = delivery.message
    if (key === null) return
    this.#parked.add(delivery)
    const later = this.#lanes.take((run) => run.partition === partition && run.delivery.message.key === key)
    for (const run of later) this.#settler.add({ is: 'back', delivery: run.delivery })
  }

  #next(run: Run): void {
    this.#lanes.release(run)
    this.#changes.tell()
    this.#pump()
  }

  #lapse({ message: { partition }, epoch }: Delivery): void {
    const fits = ({ delivery }: Run): boolean => delivery.message.partition === partition && delivery.epoch <= epoch
    // Should the partition still be ours after all, the engine gets back what is dropped here.
    const dropped = [...this.#takeWaiting(fits), ...this.#abortRunning(fits, lost(undefined))]
    for (const run of dropped) this.#settler.add({ is: 'back', delivery: run.delivery })
    this.#pump()
  }

  #takeWaiting(fits: (run: Run) => boolean): readonly Run[] {
    const resting = [...this.#resting].filter(fits)
    for (const run of resting) {
      run.resting?.()
      this.#resting.delete(run)
      this.#lanes.release(run)
    }
    return [...resting, ...this.#lanes.take(fits)]
  }

  #dropWaiting(fits: (run: Run) => boolean): void {
    this.#inHand -= this.#takeWaiting(fits).length
    this.#options.room()
  }

  #dropRunning(fits: (run: Run) => boolean, why: unknown): void {
    this.#inHand -= this.#abortRunning(fits, why).length
    this.#options.room()
    this.#pump()
  }

  #abortRunning(fits: (run: Run) => boolean, why: unknown): readonly Run[] {
    const aborted: Run[] = []
    for (const attempt of [...this.#running.all()]) {
      if (!fits(attempt.run) || !this.#ends(attempt)) continue
      attempt.abort(why)
      this.#lanes.release(attempt.run)
      aborted.push(attempt.run)
    }
    this.#changes.tell()
    return aborted
  }

  #forget(run: Run): void {
    this.#inHand -= 1
    this.#lanes.release(run)
  }
}
