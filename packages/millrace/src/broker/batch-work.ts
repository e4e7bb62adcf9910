import { type Millis, MillraceError, runUnit } from '../core/index.js'
import type { Delivery, Outcome, Verdict } from '../engine/index.js'
import { Batch, type Strand, Strands } from './batch.js'
import { bookmarkOfAll, checkVerdicts, thrownBy } from './batch-verdicts.js'
import { Deadlines } from './deadlines.js'
import { traced } from './diagnostics.js'
import { lost } from './judge.js'
import { ParkedKeys } from './parked-keys.js'
import type { BatchContext, BatchHandler, BatchVerdict, Received } from './received.js'
import { Run } from './run.js'
import type { Runtime } from './runtime.js'
import { finished, type Settler } from './settler.js'
import { Changes, isPromise, unlessAborted } from './waiting.js'
import type { Work, WorkOptions } from './work.js'

export interface BatchWorkOptions<Value> extends WorkOptions<Value> {
  readonly maxBatch: number
  readonly lingerMs: Millis
  readonly handler: BatchHandler<Value>
}

/** Runs a handler for many messages at a time, each strand one batch after another. */
export class BatchWork<Value> implements Work {
  readonly #runtime: Runtime
  readonly #options: BatchWorkOptions<Value>
  readonly #settler: Settler
  readonly #strands: Strands
  readonly #running: Deadlines<Batch>
  readonly #draining = new Set<number>()
  readonly #parked = new ParkedKeys()
  readonly #changes = new Changes()
  #inHand = 0
  #isPaused = false
  #isClosing = false

  constructor(runtime: Runtime, settler: Settler, options: BatchWorkOptions<Value>) {
    this.#runtime = runtime
    this.#settler = settler
    this.#options = options
    this.#strands = new Strands(options.concurrency, options.order)
    this.#running = new Deadlines(runtime.clock, (batch) => this.#expire(batch))
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
    await this.#changes.until(() => !this.#running.some((batch) => batch.left.some(fits)))
    await unlessAborted(signal, this.#settler.flushed())
    signal.removeEventListener('abort', abort)
    for (const partition of leaving) this.#draining.delete(partition)
  }

  handBack(): void {
    this.#isClosing = true
    for (const { delivery } of this.#takeWaiting(() => true)) this.#settler.add({ is: 'back', delivery })
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
    else this.#strands.of(delivery).waiting.push(new Run(delivery, null))
  }

  #pump(): void {
    for (const strand of this.#strands.all) this.#begin(strand)
  }

  #begin(strand: Strand): void {
    if (this.#isPaused || this.#isClosing || strand.batch || strand.resting) return
    const { maxBatch, lingerMs } = this.#options
    if (strand.again.length > 0) return this.#start(strand, strand.again.splice(0))
    if (strand.waiting.length === 0) return
    if (lingerMs === 0 || strand.waiting.length >= maxBatch) return this.#start(strand, strand.waiting.splice(0, maxBatch))
    strand.lingering ??= this.#runtime.clock.after(lingerMs, () => this.#lingered(strand))
  }

  #lingered(strand: Strand): void {
    strand.lingering = undefined
    if (this.#isPaused || this.#isClosing || strand.batch || strand.resting || strand.waiting.length === 0) return
    this.#start(strand, strand.waiting.splice(0, this.#options.maxBatch))
  }

  #start(strand: Strand, runs: readonly Run[]): void {
    const batch = new Batch(strand, runs, this.#runtime.clock.monotonic() + this.#options.deadlineMs)
    strand.batch = batch
    strand.lingering?.()
    strand.lingering = undefined
    for (const run of runs) run.current = batch
    this.#running.start(batch)
    const about = () => ({ engine: this.#runtime.engine.name, group: this.#options.group, deliveries: runs.map((run) => run.delivery), attempt: runs[0]?.attempt ?? 1 })
    traced('process', about, () => this.#run(batch)).then(
      (verdicts) => this.#finish(batch, (run) => verdicts.get(run) ?? 'done'),
      (error: unknown) => this.#finish(batch, () => ({ fail: error })),
    )
  }

  /** A verdict for each message that is not done. */
  async #run(batch: Batch): Promise<ReadonlyMap<Run, BatchVerdict>> {
    const verdicts = new Map<Run, BatchVerdict>()
    const runs: Run[] = []
    const messages: Received<Value>[] = []
    for (const run of batch.runs) {
      if (this.#options.remembered?.has(run.delivery.message.id, this.#runtime.clock.wall())) continue
      try {
        const read = this.#options.reader.received(run.delivery.message, run.attempt, run.failure)
        messages.push(isPromise(read) ? await read : read)
        runs.push(run)
      } catch (error) {
        verdicts.set(run, { fail: error })
      }
    }
    if (messages.length === 0) return verdicts
    const given = await this.#handle(batch, runs, messages)
    for (const [index, verdict] of given?.entries() ?? []) {
      const run = runs[index]
      if (run && verdict !== 'done') verdicts.set(run, verdict)
    }
    return verdicts
  }

  async #handle(batch: Batch, runs: readonly Run[], messages: readonly Received<Value>[]): Promise<readonly BatchVerdict[] | undefined> {
    const { group, send, handler } = this.#options
    const bookmark = bookmarkOfAll(runs)
    const context: BatchContext = {
      get signal() {
        return batch.signal.signal
      },
      group,
      bookmark,
      send,
    }
    let given: readonly BatchVerdict[] | undefined
    const innermost = async (): Promise<void> => {
      given = (await handler(messages, context)) ?? undefined
      if (given !== undefined) checkVerdicts(given, messages.length)
    }
    await runUnit({ bookmark }, this.#runtime.middleware.reduceRight((run, each) => async () => (each.aroundBatch ? each.aroundBatch(messages, context, run) : run()), innermost))
    return given
  }

  #expire(batch: Batch): void {
    const error = new MillraceError('TIMEOUT', `the handler took longer than ${this.#options.deadlineMs} ms (deadlineMs): its signal aborted and its result is ignored`)
    batch.abort(error)
    this.#finish(batch, () => ({ fail: error }))
  }

  #finish(batch: Batch, verdictOf: (run: Run) => BatchVerdict): void {
    const { strand } = batch
    if (strand.batch !== batch) return
    strand.batch = undefined
    this.#running.end(batch)
    let restMs = 0
    for (const run of batch.runs) {
      if (run.current !== batch) continue
      run.current = undefined
      restMs = Math.max(restMs, this.#conclude(run, verdictOf(run), strand))
    }
    if (strand.again.length > 0 && !this.#isClosing) {
      strand.resting = this.#runtime.clock.after(restMs, () => {
        strand.resting = undefined
        this.#begin(strand)
      })
    }
    this.#changes.tell()
    this.#begin(strand)
  }

  /** Settles, or puts the run up to go again; the time it rests until then. */
  #conclude(run: Run, verdict: BatchVerdict, strand: Strand): Millis {
    const { delivery } = run
    if (verdict === 'done') {
      this.#options.remembered?.add(delivery.message.id, this.#runtime.clock.wall())
      this.#settler.add({ is: 'done', delivery })
      return 0
    }
    const ruling = this.#options.judge.rule(run, thrownBy(verdict))
    if (ruling.is === 'hold') {
      this.#settler.add(ruling)
      if (this.#options.park && ruling.hold.why === 'retry') this.#park(delivery)
      return 0
    }
    run.attempt += 1
    run.failure = ruling.failure
    if (this.#draining.has(run.partition)) this.#inHand -= 1
    else if (this.#isClosing) this.#settler.add({ is: 'back', delivery })
    else strand.again.push(run)
    return ruling.ms
  }

  /** What is in hand of this key and comes later goes behind it. */
  #park(delivery: Delivery): void {
    const { partition, key } = delivery.message
    if (key === null) return
    this.#parked.add(delivery)
    const later = this.#takeWaiting((run) => run.partition === partition && run.delivery.message.key === key)
    for (const run of later) this.#settler.add({ is: 'back', delivery: run.delivery })
  }

  #lapse({ message: { partition }, epoch }: Delivery): void {
    const fits = ({ delivery }: Run): boolean => delivery.message.partition === partition && delivery.epoch <= epoch
    // Should the partition still be ours after all, the engine gets back what is dropped here.
    const dropped = [...this.#takeWaiting(fits), ...this.#abortRunning(fits, lost(undefined))]
    for (const run of dropped) this.#settler.add({ is: 'back', delivery: run.delivery })
  }

  #takeWaiting(fits: (run: Run) => boolean): readonly Run[] {
    const taken: Run[] = []
    const keep = (run: Run): boolean => !fits(run) || taken.push(run) === 0
    for (const strand of this.#strands.all) {
      strand.again = strand.again.filter(keep)
      strand.waiting = strand.waiting.filter(keep)
    }
    return taken
  }

  #dropWaiting(fits: (run: Run) => boolean): void {
    this.#inHand -= this.#takeWaiting(fits).length
    this.#options.room()
  }

  #dropRunning(fits: (run: Run) => boolean, why: unknown): void {
    this.#inHand -= this.#abortRunning(fits, why).length
    this.#options.room()
  }

  #abortRunning(fits: (run: Run) => boolean, why: unknown): readonly Run[] {
    const aborted: Run[] = []
    for (const batch of [...this.#running.all()]) {
      for (const run of batch.left.filter(fits)) {
        run.current = undefined
        aborted.push(run)
      }
      if (batch.left.length > 0) continue
      batch.abort(why)
      this.#finish(batch, () => 'done')
    }
    this.#changes.tell()
    return aborted
  }
}
