import { type Millis, MillraceError, runUnit } from '../core/index.js'
import type { Delivery } from '../engine/index.js'
import { Batch, type Strand, Strands, Surroundings } from './batch.js'
import { bookmarkOfAll, checkVerdicts, thrownBy } from './batch-verdicts.js'
import { Deadlines } from './deadlines.js'
import { traced } from './diagnostics.js'
import type { BatchHandler, BatchVerdict, Received } from './received.js'
import { Run } from './run.js'
import type { Runtime } from './runtime.js'
import type { Settler } from './settler.js'
import { isPromise } from './waiting.js'
import type { WorkOptions } from './work.js'
import { type Fits, WorkInHand } from './work-in-hand.js'

export interface BatchWorkOptions<Value> extends WorkOptions<Value> {
  readonly maxBatch: number
  readonly lingerMs: Millis
  readonly handler: BatchHandler<Value>
}

/** Runs a handler for many messages at a time, each strand one batch after another. */
export class BatchWork<Value> extends WorkInHand {
  readonly #runtime: Runtime
  readonly #options: BatchWorkOptions<Value>
  readonly #strands: Strands
  readonly #running: Deadlines<Batch>

  constructor(runtime: Runtime, settler: Settler, options: BatchWorkOptions<Value>) {
    super(settler, options.room)
    this.#runtime = runtime
    this.#options = options
    this.#strands = new Strands(options.concurrency, options.order)
    this.#running = new Deadlines(runtime.clock, (batch) => this.#expire(batch))
  }

  protected enqueue(delivery: Delivery): void {
    this.#strands.of(delivery).waiting.push(new Run(delivery, null))
  }

  protected pump(): void {
    for (const strand of this.#strands.all) this.#begin(strand)
  }

  protected isRunning(fits: Fits): boolean {
    return this.#running.some((batch) => batch.left.some(fits))
  }

  protected takeWaiting(fits: Fits): readonly Run[] {
    const taken: Run[] = []
    const keep = (run: Run): boolean => !fits(run) || taken.push(run) === 0
    for (const strand of this.#strands.all) {
      strand.again = strand.again.filter(keep)
      strand.waiting = strand.waiting.filter(keep)
    }
    return taken
  }

  protected abortRunning(fits: Fits, why: unknown): readonly Run[] {
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
    this.changes.tell()
    return aborted
  }

  protected clear(): void {
    this.#running.clear()
  }

  #begin(strand: Strand): void {
    if (!this.mayStart || strand.batch || strand.resting) return
    const { maxBatch, lingerMs } = this.#options
    if (strand.again.length > 0) return this.#start(strand, strand.again.splice(0))
    if (strand.waiting.length === 0) return
    if (lingerMs === 0 || strand.waiting.length >= maxBatch) return this.#start(strand, strand.waiting.splice(0, maxBatch))
    strand.lingering ??= this.#runtime.clock.after(lingerMs, () => this.#lingered(strand))
  }

  #lingered(strand: Strand): void {
    strand.lingering = undefined
    if (!this.mayStart || strand.batch || strand.resting || strand.waiting.length === 0) return
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
    // By index: an iterator that lives across an await makes an object for each message.
    for (let at = 0; at < batch.runs.length; at += 1) {
      const run = batch.runs[at]
      if (run === undefined || this.#options.remembered?.has(run.delivery.message.id, this.#runtime.clock.wall())) continue
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
    const context = new Surroundings(batch.signal, group, bookmark, send)
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
    if (strand.again.length > 0) {
      strand.resting = this.#runtime.clock.after(restMs, () => {
        strand.resting = undefined
        this.#begin(strand)
      })
    }
    this.changes.tell()
    this.#begin(strand)
  }

  /** Settles, or puts the run up to go again; the time it rests until then. */
  #conclude(run: Run, verdict: BatchVerdict, strand: Strand): Millis {
    const { delivery } = run
    if (verdict === 'done') {
      this.#options.remembered?.add(delivery.message.id, this.#runtime.clock.wall())
      this.settler.add({ is: 'done', delivery })
      return 0
    }
    const ruling = this.#options.judge.rule(run, thrownBy(verdict))
    if (ruling.is === 'hold') {
      this.settler.add(ruling)
      if (this.#options.park && ruling.hold.why === 'retry') this.park(delivery)
      return 0
    }
    run.attempt += 1
    run.failure = ruling.failure
    if (this.staysInHand(run)) strand.again.push(run)
    return ruling.ms
  }
}
