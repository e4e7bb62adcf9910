import { type Clock, type Millis, MillraceError, systemClock } from '../core/index.js'
import type { Delivery, Engine, JoinRequest, LeaseRequest, Membership, Outcome, Published, Verdict } from '../engine/index.js'

/** The verbs of an engine that can be troubled. `lease`, `settle` and `leave` are its memberships'. */
export type ChaosVerb = 'open' | 'publish' | 'join' | 'lease' | 'settle' | 'leave' | 'decide' | 'keep' | 'holds' | 'browse' | 'census'

/**
 * What happens to a call: `fail`: it is refused, nothing has happened. `lose-answer`: it happened, and the answer says
 * that nobody knows. `unknown`: it did not happen, and the answer says that nobody knows. `delay`: it happens late.
 */
export type Trouble =
  | { readonly is: 'fail'; readonly error?: Error }
  | { readonly is: 'lose-answer' }
  | { readonly is: 'unknown' }
  | { readonly is: 'delay'; readonly ms: Millis }

export interface ChaosOptions {
  /** Time of the delays. */
  readonly clock?: Clock
  /** Makes random mode repeatable. Default 1. */
  readonly seed?: number
}

/** Wraps any engine and troubles its calls, so that what stands above can be seen to survive it. Hand it in as the engine. */
export function chaosEngine<E extends Engine>(engine: E, options: ChaosOptions = {}): ChaosEngine<E> {
  return new ChaosEngine(engine, options)
}

interface Planned {
  readonly verb: ChaosVerb
  readonly trouble: Trouble
  readonly from: number
  readonly to: number
}

export class ChaosEngine<E extends Engine = Engine> implements Engine {
  readonly engine: E
  readonly #clock: Clock
  readonly #calls = new Map<ChaosVerb, number>()
  readonly #random: () => number
  #planned: Planned[] = []
  #odds: { readonly chance: number; readonly troubles: readonly Trouble[]; readonly verbs: readonly ChaosVerb[] } | undefined

  constructor(engine: E, { clock = systemClock, seed = 1 }: ChaosOptions) {
    this.engine = engine
    this.#clock = clock
    this.#random = seeded(seed)
  }

  /** Troubles call number `nth` of a verb from now on (1 is the next), and those after it, `times` in all. */
  trouble(verb: ChaosVerb, trouble: Trouble, { nth = 1, times = 1 }: { readonly nth?: number; readonly times?: number } = {}): this {
    const from = this.calls(verb) + nth
    this.#planned.push({ verb, trouble, from, to: from + times - 1 })
    return this
  }

  /** Troubles calls at random: each with this chance, from 0 to 1. The same seed and calls give the same troubles. */
  randomly(chance: number, troubles: readonly Trouble[], verbs: readonly ChaosVerb[] = ['publish', 'lease', 'settle', 'decide']): this {
    this.#odds = { chance, troubles, verbs }
    return this
  }

  /** No more trouble. */
  calm(): this {
    this.#planned = []
    this.#odds = undefined
    return this
  }

  /** How often a verb was called. */
  calls(verb: ChaosVerb): number {
    return this.#calls.get(verb) ?? 0
  }

  get name(): string {
    return this.engine.name
  }

  get traits(): Engine['traits'] {
    return this.engine.traits
  }

  get topics(): Engine['topics'] {
    return this.engine.topics
  }

  get groups(): Engine['groups'] {
    return this.engine.groups
  }

  open(): Promise<void> {
    return this.#call('open', () => this.engine.open())
  }

  close(): Promise<void> {
    return this.engine.close()
  }

  publish(...[drafts, level]: Parameters<Engine['publish']>): Promise<readonly Published[]> {
    const lost = (): readonly Published[] => drafts.map(() => ({ error: unknownOutcome('publish'), stored: 'unknown' }))
    return this.#call('publish', () => this.engine.publish(drafts, level), lost)
  }

  join(request: JoinRequest): Promise<Membership> {
    return this.#call('join', async () => this.#troubled(await this.engine.join(request)))
  }

  decide(...[decisions]: Parameters<Engine['decide']>): ReturnType<Engine['decide']> {
    return this.#call('decide', () => this.engine.decide(decisions))
  }

  keep(...[request]: Parameters<Engine['keep']>): ReturnType<Engine['keep']> {
    return this.#call('keep', () => this.engine.keep(request))
  }

  holds(...[query]: Parameters<Engine['holds']>): ReturnType<Engine['holds']> {
    return this.#call('holds', () => this.engine.holds(query))
  }

  browse(...[query]: Parameters<Engine['browse']>): ReturnType<Engine['browse']> {
    return this.#call('browse', () => this.engine.browse(query))
  }

  watch(...[on]: Parameters<Engine['watch']>): ReturnType<Engine['watch']> {
    return this.engine.watch(on)
  }

  census(): ReturnType<Engine['census']> {
    return this.#call('census', () => this.engine.census())
  }

  #troubled(membership: Membership): Membership {
    return {
      lease: (ask: LeaseRequest): Promise<readonly Delivery[]> => this.#call('lease', () => membership.lease(ask)),
      settle: (verdicts: readonly Verdict[]) => this.#call('settle', () => membership.settle(verdicts), (): readonly Outcome[] => verdicts.map(() => 'unknown')),
      leave: () => this.#call('leave', () => membership.leave()),
    }
  }

  /** `lost` is the verb's own way of saying that nobody knows; without it the call throws UNKNOWN_OUTCOME. */
  async #call<T>(verb: ChaosVerb, run: () => Promise<T>, lost?: () => T): Promise<T> {
    const trouble = this.#next(verb)
    if (trouble === undefined) return run()
    if (trouble.is === 'fail') throw trouble.error ?? new MillraceError('ENGINE_FAILED', `${verb} failed on purpose`)
    if (trouble.is === 'delay') await new Promise<void>((resolve) => void this.#clock.after(trouble.ms, resolve))
    if (trouble.is === 'delay') return run()
    if (trouble.is === 'lose-answer') await run()
    if (lost) return lost()
    throw unknownOutcome(verb)
  }

  #next(verb: ChaosVerb): Trouble | undefined {
    const call = this.calls(verb) + 1
    this.#calls.set(verb, call)
    const planned = this.#planned.find((each) => each.verb === verb && call >= each.from && call <= each.to)
    if (planned) return planned.trouble
    if (!this.#odds?.verbs.includes(verb) || this.#random() >= this.#odds.chance) return undefined
    return this.#odds.troubles[Math.floor(this.#random() * this.#odds.troubles.length)]
  }
}

function unknownOutcome(verb: string): MillraceError {
  return new MillraceError('UNKNOWN_OUTCOME', `the answer of ${verb} was lost on purpose`)
}

/** Mulberry32, by Tommy Ettinger: numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
