import { type Cancel, isMillraceError, limits, type MillraceError, type Millis } from '../core/index.js'
import type { Delivery, JoinRequest, Membership } from '../engine/index.js'
import { backoffMs } from './backoff.js'
import type { Runtime } from './runtime.js'
import { Settler } from './settler.js'
import { within } from './waiting.js'
import type { Work } from './work.js'

export interface SessionOptions {
  readonly request: Omit<JoinRequest, 'revoke'>
  /** Messages in hand at most. */
  readonly prefetch: number
  readonly work: (settler: Settler, room: () => void) => Work
}

/**
 * One membership, from its join until it leaves or lapses, with everything that is in hand under it. A lapsed session is
 * thrown away whole: the next one shares nothing with it.
 */
export class Session {
  readonly #runtime: Runtime
  readonly #options: SessionOptions
  readonly #work: Work
  readonly #aborted = new AbortController()
  #membership: Membership | undefined
  #lease = new AbortController()
  #wake: (() => void) | undefined
  #isPaused: boolean
  #isStirred = false
  /** While verdicts are in trouble. */
  #isQuiet = false
  #closed: MillraceError | undefined
  #leasing: Promise<boolean> = Promise.resolve(true)
  #hasLeased = false

  constructor(runtime: Runtime, options: SessionOptions, isPaused: boolean) {
    this.#runtime = runtime
    this.#options = options
    this.#isPaused = isPaused
    const settler = new Settler(runtime, options.request.group, () => this.#joined(), {
      over: (verdicts, outcomes) => {
        this.#work.over(verdicts, outcomes)
        if (this.#work.inHand === 0) for (const tell of runtime.atRest) tell()
      },
      trouble: () => this.#quiet(),
      calm: () => this.#calm(),
      closed: (error) => this.#close(error),
    })
    this.#work = options.work(settler, () => this.#look())
    this.#work.pause(isPaused)
  }

  get inHand(): number {
    return this.#work.inHand
  }

  /** True once the engine has answered a lease: it is not in trouble any more. */
  get hasLeased(): boolean {
    return this.#hasLeased
  }

  async join(): Promise<void> {
    this.#membership = await this.#runtime.engine.join({
      ...this.#options.request,
      revoke: (partitions, signal) => this.#work.drain(partitions, signal),
    })
  }

  /**
   * Leases until the session is stopped. Throws when the membership is over, and when a lease may have been given whose
   * answer was lost: only leaving hands back what nobody here knows of.
   */
  async lease(): Promise<void> {
    const unwatch = this.#runtime.engine.watch(({ topic }) => {
      if (topic === undefined || topic === this.#options.request.topic) this.#stir()
    })
    try {
      for (let failures = 0; await this.#room(); ) {
        this.#leasing = this.#leaseOnce()
        failures = (await this.#leasing) ? 0 : await this.#backOff(failures)
      }
    } finally {
      unwatch()
    }
  }

  pause(paused: boolean): void {
    this.#isPaused = paused
    this.#work.pause(paused)
    if (paused) this.#lease.abort()
    this.#look()
  }

  /** Hands back what has not begun, waits for the rest until the deadline, aborts it then, and leaves. */
  async stop(deadlineMs: Millis, why: unknown): Promise<void> {
    this.#aborted.abort(why)
    this.#lease.abort(why)
    this.#look()
    this.#work.handBack()
    await within(this.#runtime.clock, this.#work.idle(), deadlineMs)
    this.#work.abort(why)
    await within(this.#runtime.clock, this.#work.flushed(), limits.closeSettleMs)
    this.#work.abandon(why)
    if (this.#membership) await within(this.#runtime.clock, this.#membership.leave(), limits.closeSettleMs)
  }

  /** Forgets everything at once: the membership is over. */
  abandon(why: unknown): void {
    this.#aborted.abort(why)
    this.#work.abandon(why)
  }

  async #quiet(): Promise<void> {
    this.#isQuiet = true
    this.#lease.abort()
    this.#look()
    await this.#leasing.catch(() => false)
  }

  #calm(): void {
    this.#isQuiet = false
    this.#look()
  }

  /** The engine is closed: there is nothing to lease from, nor to try again. */
  #close(error: MillraceError): void {
    if (this.#aborted.signal.aborted) {
      this.#runtime.report(error)
      this.#work.abandon(error)
      return
    }
    this.#closed = error
    this.#lease.abort()
    this.#look()
  }

  /** False when the engine refused for now. */
  async #leaseOnce(): Promise<boolean> {
    const began = this.#runtime.clock.monotonic()
    let deliveries: readonly Delivery[]
    this.#isStirred = false
    try {
      this.#work.leasing()
      deliveries = await this.#joined().lease({ max: Math.min(this.#options.prefetch - this.#work.inHand, limits.maxLease), waitMs: limits.leaseWaitMs, signal: this.#lease.signal })
    } catch (error) {
      if (this.#aborted.signal.aborted) return true
      if (!isMillraceError(error) || !refusals.has(error.code)) throw error
      this.#runtime.report(error)
      return false
    }
    this.#hasLeased = true
    if (deliveries.length > 0) this.#work.take(deliveries)
    // Empty before its time: the group or the topic is paused.
    else if (!this.#isStirred && this.#runtime.clock.monotonic() - began < limits.leaseWaitMs) await this.#sleep(limits.safetyLookMs)
    return true
  }

  async #backOff(failures: number): Promise<number> {
    this.#isStirred = true // no stir ends this rest
    await this.#sleep(backoffMs(failures + 1, this.#runtime.random))
    return failures + 1
  }

  /** Waits until there is room and no pause. False when the session is stopping. Throws when the engine is closed. */
  async #room(): Promise<boolean> {
    const { prefetch } = this.#options
    // A few large leases cost less than many small ones.
    const least = prefetch >= 64 ? prefetch >> 2 : 1
    while (!this.#aborted.signal.aborted && !this.#closed && (this.#isPaused || this.#isQuiet || prefetch - this.#work.inHand < least)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#closed) throw this.#closed
    if (this.#lease.signal.aborted && !this.#aborted.signal.aborted) this.#lease = new AbortController()
    return !this.#aborted.signal.aborted
  }

  async #sleep(ms: Millis): Promise<void> {
    if (this.#lease.signal.aborted) return
    let cancel: Cancel | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      cancel = this.#runtime.clock.after(ms, resolve)
    })
    cancel?.()
  }

  #stir(): void {
    if (!this.#isStirred) this.#look()
    this.#isStirred = true
  }

  #look(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #joined(): Membership {
    if (this.#membership) return this.#membership
    throw new Error('not joined')
  }
}

/** What an engine answers that has leased nothing, and may lease the next time. */
const refusals: ReadonlySet<string> = new Set(['STORE_BUSY', 'STORE_FULL', 'FULL'])
