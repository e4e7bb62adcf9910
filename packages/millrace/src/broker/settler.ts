import { asMillraceError, isMillraceError, limits, type MillraceError } from '../core/index.js'
import type { Delivery, Membership, Outcome, Verdict } from '../engine/index.js'
import { backoffMs } from './backoff.js'
import { traced } from './diagnostics.js'
import { Returning } from './returning.js'
import type { Runtime } from './runtime.js'

export interface SettlerEvents {
  /** What is not 'unknown' counts or has lapsed, and is no longer in hand. */
  readonly over: (verdicts: readonly Verdict[], outcomes: readonly Outcome[]) => void
  /** Something is unknown and will be handed in again: leases nothing until `calm`, and resolves when no lease is under way. */
  readonly trouble: () => Promise<void>
  readonly calm: () => void
  /** The engine is closed: no verdict can be stored any more. */
  readonly closed: (error: MillraceError) => void
}

/**
 * Hands verdicts to the engine, those of one tick together, one call at a time, in order. A verdict whose outcome is
 * unknown is handed in again, with backoff, until it counts or lapses: a dead letter that could not be stored never
 * lets its source be acknowledged. Nothing is leased meanwhile, so that no message comes again behind its back.
 */
export class Settler {
  readonly #runtime: Runtime
  readonly #group: string
  readonly #membership: () => Membership
  readonly #events: SettlerEvents
  readonly #returning = new Returning()
  #waiting: Verdict[] = []
  #flushes: { readonly target: number; readonly tell: () => void }[] = []
  /** Handed in before, with an unknown outcome. */
  #repeated: ReadonlySet<Verdict> = new Set()
  #added = 0
  #over = 0
  #isBusy = false
  /** Calls in a row that left something unknown. */
  #failures = 0
  #isAbandoned = false
  #endRest: (() => void) | undefined

  constructor(runtime: Runtime, group: string, membership: () => Membership, events: SettlerEvents) {
    this.#runtime = runtime
    this.#group = group
    this.#membership = membership
    this.#events = events
  }

  add(verdict: Verdict): void {
    if (this.#isAbandoned) return
    this.#added += 1
    this.#waiting.push(verdict)
    if (this.#isBusy) return
    this.#isBusy = true
    setImmediate(() => void this.#run())
  }

  /** Resolves when all that was added before is stored or lapsed, or the settler is abandoned. */
  flushed(): Promise<void> {
    return new Promise((tell) => {
      this.#flushes.push({ target: this.#added, tell })
      this.#tellFlushed()
    })
  }

  /** Stops: the membership is over, and what has no verdict there goes to others. */
  abandon(): void {
    this.#isAbandoned = true
    this.#waiting = []
    this.#endRest?.()
    this.#tellFlushed()
  }

  #tellFlushed(): void {
    const isReached = (target: number): boolean => this.#isAbandoned || (this.#failures === 0 && this.#over >= target)
    const reached = this.#flushes.filter(({ target }) => isReached(target))
    if (reached.length > 0) this.#flushes = this.#flushes.filter(({ target }) => !isReached(target))
    for (const { tell } of reached) tell()
  }

  /** A delivery was leased: a verdict on it that is still under way has counted. */
  cameAgain(delivery: Delivery): void {
    this.#returning.cameAgain(delivery)
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isAbandoned) {
      const verdicts = this.#waiting.splice(0, limits.maxBatch)
      this.#returning.add(verdicts)
      const outcomes = await this.#settle(verdicts)
      if (this.#isAbandoned) return
      let unknown = this.#finish(verdicts, outcomes)
      if (unknown.length > 0) {
        await this.#rest()
        if (this.#isAbandoned) return
        unknown = this.#finish(unknown, unknown.map(() => 'unknown'))
        this.#waiting = [...unknown, ...this.#waiting]
      }
      if (unknown.length === 0) this.#noneUnknown()
    }
    this.#isBusy = false
  }

  /** Tells of what is over; the rest. */
  #finish(verdicts: readonly Verdict[], answers: readonly Outcome[]): readonly Verdict[] {
    const outcomes = this.#sure(verdicts, answers)
    const unknown = outcomes.includes('unknown') ? verdicts.filter((_, index) => outcomes[index] === 'unknown') : []
    this.#over += verdicts.length - unknown.length
    this.#repeated = new Set(unknown)
    this.#returning.over(unknown.length === 0 ? verdicts : verdicts.filter((verdict) => !this.#repeated.has(verdict)))
    this.#events.over(verdicts, outcomes)
    return unknown
  }

  #noneUnknown(): void {
    if (this.#failures > 0) this.#events.calm()
    this.#failures = 0
    this.#tellFlushed()
  }

  /** What came again has counted; a repeated verdict that lapsed may just have counted the first time, and says nothing of its partition. */
  #sure(verdicts: readonly Verdict[], outcomes: readonly Outcome[]): readonly Outcome[] {
    if (this.#repeated.size === 0 && !outcomes.includes('unknown')) return outcomes
    return outcomes.map((outcome, index) => {
      const verdict = verdicts[index]
      if (!verdict || outcome === 'settled') return outcome
      const hasCounted = outcome === 'unknown' ? this.#returning.hasCounted(verdict) : this.#repeated.has(verdict)
      return hasCounted ? 'settled' : outcome
    })
  }

  async #settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    try {
      return await traced('settle', () => ({ engine: this.#runtime.engine.name, group: this.#group, verdicts }), async (operation) => {
        const outcomes = await this.#membership().settle(verdicts)
        if (operation) operation.outcomes = outcomes
        return outcomes
      })
    } catch (error) {
      if (isMillraceError(error) && error.code === 'LAPSED') return verdicts.map(() => 'lapsed')
      if (isMillraceError(error) && error.code === 'CLOSED') this.#events.closed(error)
      else if (!this.#isAbandoned) this.#runtime.report(asMillraceError(error, 'ENGINE_FAILED', 'verdicts could not be stored and will be tried again'))
      return verdicts.map(() => 'unknown')
    }
  }

  /** Longer each time, and until no lease is under way that could still bring something again. */
  async #rest(): Promise<void> {
    this.#failures += 1
    const quiet = this.#events.trouble()
    const waitMs = backoffMs(this.#failures, this.#runtime.random)
    await new Promise<void>((resolve) => {
      const cancel = this.#runtime.clock.after(waitMs, resolve)
      this.#endRest = () => {
        cancel()
        resolve()
      }
    })
    await quiet
  }
}

/** The verdicts that are over; tells of those that lapsed. */
export function finished(verdicts: readonly Verdict[], outcomes: readonly Outcome[], lapsed: (delivery: Delivery) => void): readonly Verdict[] {
  outcomes.forEach((outcome, index) => {
    const verdict = outcome === 'lapsed' ? verdicts[index] : undefined
    if (verdict) lapsed(verdict.delivery)
  })
  return outcomes.includes('unknown') ? verdicts.filter((_, index) => outcomes[index] !== 'unknown') : verdicts
}
