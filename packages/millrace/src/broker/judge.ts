import { type Failure, MillraceError, type Hold, type Millis } from '../core/index.js'
import type { Verdict } from '../engine/index.js'
import { Ending, Unreadable } from './endings.js'
import { failureOf } from './failure.js'
import { type ErrorRule, judge } from './retry-policy.js'
import type { Run } from './run.js'
import type { Runtime } from './runtime.js'

/** What a failed attempt leads to: a rest in place, or a verdict. */
export type Ruling = { readonly is: 'rest'; readonly ms: Millis; readonly failure: Failure } | Extract<Verdict, { readonly is: 'hold' }>

/** Turns a failed attempt into what comes next, by the group's policy. */
export class Judge {
  readonly #runtime: Runtime
  readonly #group: string
  readonly #rules: readonly ErrorRule[]
  readonly #mayRetryLater: boolean

  constructor(runtime: Runtime, group: string, rules: readonly ErrorRule[], mode: 'share' | 'broadcast') {
    this.#runtime = runtime
    this.#group = group
    this.#rules = rules
    this.#mayRetryLater = mode === 'share'
  }

  /** Never throws: where the policy itself fails, the default rules. */
  rule(run: Run, thrown: unknown): Ruling {
    try {
      return this.#rule(run, thrown, this.#rules)
    } catch (trouble) {
      this.#runtime.report(trouble)
      return this.#rule(run, trouble instanceof Error ? trouble : new Error('the retry policy failed'), [])
    }
  }

  #rule(run: Run, thrown: unknown, rules: readonly ErrorRule[]): Ruling {
    const now = this.#runtime.clock.wall()
    const to = this.#to(thrown, run.attempt, rules)
    const error = to.error
    const failure = failureOf(error, run.failure, now)
    if (to.is === 'rest') return { is: 'rest', ms: to.ms, failure }
    const hold: Hold = {
      why: to.is === 'dead' ? 'dead' : 'retry',
      until: to.is === 'dead' ? 'decided' : now + to.ms,
      then: 'release',
      group: this.#group,
      attempt: run.attempt,
      failure,
    }
    return { is: 'hold', delivery: run.delivery, hold }
  }

  #to(thrown: unknown, attempt: number, rules: readonly ErrorRule[]): { readonly error: unknown } & ({ readonly is: 'dead' } | { readonly is: 'rest' | 'later'; readonly ms: Millis }) {
    if (thrown instanceof Unreadable) return { is: 'dead', error: thrown.cause }
    if (thrown instanceof Ending && thrown.to.is === 'dead') return { is: 'dead', error: thrown }
    if (thrown instanceof Ending && thrown.to.is === 'later' && this.#mayRetryLater) return { is: 'later', ms: thrown.to.ms, error: thrown }
    const error = thrown instanceof Ending ? noLater() : thrown
    const ruling = judge(rules, error, attempt, this.#runtime.random)
    if (ruling.is === 'dead') return { is: 'dead', error }
    return { is: ruling.when === 'later' ? 'later' : 'rest', ms: ruling.delayMs, error }
  }
}

export function noLater(): MillraceError {
  return new MillraceError('UNSUPPORTED', 'a broadcast member has no group that could keep a message for later: retry in place', { field: 'mode' })
}

export function lost(cause: unknown): MillraceError {
  return new MillraceError('LAPSED', 'the partition belongs to another member now', { cause })
}
