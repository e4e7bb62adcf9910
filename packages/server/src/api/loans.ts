import { type Clock, type Failure, type Message, type Millis, type StartAt, groupHold, isMillraceError } from 'millrace'
import type { Delivery, Decision, Decided, Engine, Membership, Verdict } from 'millrace/engine'
import { type LoanToken, newSecret, readToken, writeToken } from './loan-token.js'
import type { Memberships } from './memberships.js'
import type { Turns } from './turns.js'

export interface PullAsk {
  readonly topic: string
  readonly group: string
  readonly max: number
  readonly waitMs: Millis
  /** How long the taker has for its answer. */
  readonly leaseMs: Millis
  /** Deliveries, after which a message becomes a dead letter instead. */
  readonly attempts: number
  readonly from: StartAt
  readonly signal: AbortSignal
}

export interface Loan {
  readonly token: string
  readonly message: Message
  readonly attempt: number
  readonly until: Millis
  readonly failure?: Failure
}

export type NackAsk =
  /** Uncounted: as if it had never been delivered. */
  | { readonly how: 'now'; readonly counted: boolean }
  | { readonly how: 'later'; readonly delayMs: Millis; readonly reason: string }
  | { readonly how: 'dead'; readonly reason: string }

/** An answer to a loan: it counted, or it came too late. */
export type Answered = 'done' | 'stale'

interface Lent extends Loan {
  readonly verdict: Verdict
}

/**
 * Messages in the hands of HTTP clients. A pull leases as a member of the group and turns each delivery at once into a
 * hold `lent`, so nothing of a loan lives in this process: any server on the same store takes the answer.
 */
export class Loans {
  readonly #engine: Engine
  readonly #memberships: Memberships
  readonly #clock: Clock
  #stale = 0

  constructor(engine: Engine, memberships: Memberships, clock: Clock) {
    this.#engine = engine
    this.#memberships = memberships
    this.#clock = clock
  }

  /** Answers that came too late, since the start. */
  get stale(): number {
    return this.#stale
  }

  get memberships(): number {
    return this.#memberships.size
  }

  /** At most one message of each key: its later ones wait until it is answered. */
  async pull(asked: PullAsk): Promise<readonly Loan[]> {
    const { closing } = this.#memberships
    // Who does not wait need not hear that the server closes.
    const ask = asked.waitMs === 0 ? asked : { ...asked, signal: AbortSignal.any([asked.signal, closing]) }
    const end = this.#clock.monotonic() + ask.waitMs
    try {
      const work = (membership: Membership, turns: Turns) => turns.take(ask.waitMs, ask.signal, (waits) => this.#lend(membership, ask, end, waits))
      return (await this.#memberships.with(ask.topic, ask.group, ask.from, work)) ?? []
    } catch (error) {
      // A server that goes away has left the group in the middle of this: to its client nothing came.
      if (closing.aborted && isMillraceError(error) && error.code === 'LAPSED') return []
      throw error
    }
  }

  ack(tokens: readonly string[]): Promise<readonly Answered[]> {
    return this.#decide(tokens.map(readToken).map(({ hold, secret }) => ({ hold, token: secret, to: 'drop' })))
  }

  /** Hands messages back: at once, after a delay, or to the dead letters. */
  async nack(tokens: readonly string[], ask: NackAsk): Promise<readonly Answered[]> {
    const loans = tokens.map(readToken)
    if (ask.how === 'now') return ask.counted ? this.#decide(loans.map(({ hold, secret }) => ({ hold, token: secret, to: 'release' }))) : this.#undo(loans)
    const now = this.#clock.wall()
    const failed = { reason: ask.reason, kind: 'NACK', lastAt: now }
    return this.#decide(
      await this.#anew(loans, (_, hold) => ({
        ...hold,
        failure: { ...failed, firstAt: hold.failure?.firstAt ?? now },
        ...(ask.how === 'dead' ? { why: 'dead', until: 'decided' } : { why: 'retry', until: now + ask.delayMs }),
      })),
    )
  }

  /** Gives the taker so long from now. */
  async extend(tokens: readonly string[], leaseMs: Millis): Promise<{ readonly until: Millis; readonly answered: readonly Answered[] }> {
    const until = this.#clock.wall() + leaseMs
    const decisions = await this.#anew(tokens.map(readToken), (secret, hold) => ({ ...hold, why: 'lent', until, token: secret }))
    return { until, answered: await this.#decide(decisions) }
  }

  async #lend(membership: Membership, ask: PullAsk, end: Millis, waits: (now: boolean) => void): Promise<readonly Loan[]> {
    for (;;) {
      const deliveries = await this.#lease(membership, ask, end, waits)
      if (deliveries.length === 0) return []
      if (isAborted(ask.signal)) {
        await membership.settle(deliveries.map((delivery) => ({ delivery, is: 'back' })))
        return []
      }
      const lent = await this.#settle(membership, deliveries, ask)
      if (isAborted(ask.signal)) return this.#takeBack(lent)
      if (lent.length > 0) return lent
    }
  }

  /** What is there; where nothing is, what comes until the end. */
  async #lease(membership: Membership, { max, signal }: PullAsk, end: Millis, waits: (now: boolean) => void): Promise<readonly Delivery[]> {
    const ready = await membership.lease({ max, waitMs: 0, signal })
    const waitMs = end - this.#clock.monotonic()
    if (ready.length > 0 || waitMs <= 0) return ready
    waits(true)
    const came = await membership.lease({ max, waitMs, signal })
    waits(false)
    return came
  }

  /** Nobody is there to take them: others need not wait until their time is over. */
  async #takeBack(lent: readonly Lent[]): Promise<readonly Loan[]> {
    await this.#undo(lent.map(({ token }) => readToken(token)))
    return []
  }

  /** A release counts one delivery, so these are lent to nobody, for no time, with one less. */
  async #undo(loans: readonly LoanToken[]): Promise<readonly Answered[]> {
    const until = this.#clock.wall()
    return this.#decide(await this.#anew(loans, (_, hold) => ({ ...hold, why: 'lent', until, token: newSecret(), attempt: hold.attempt - 1 })))
  }

  async #settle(membership: Membership, deliveries: readonly Delivery[], ask: PullAsk): Promise<readonly Lent[]> {
    const taken = new Set<string>()
    const lent: Lent[] = []
    const verdicts = deliveries.map((delivery): Verdict => {
      const { key } = delivery.message
      if (delivery.attempt > ask.attempts) return this.#deadVerdict(delivery, ask)
      if (key !== null && taken.has(key)) return { delivery, is: 'back' }
      if (key !== null) taken.add(key)
      const loan = this.#loan(delivery, ask)
      lent.push(loan)
      return loan.verdict
    })
    const outcomes = await membership.settle(verdicts)
    const settled = new Set(verdicts.filter((_, index) => outcomes[index] === 'settled'))
    // An unknown one may be lent; it is not handed out, and comes again when its time is over.
    return lent.filter(({ verdict }) => settled.has(verdict))
  }

  #loan(delivery: Delivery, { group, leaseMs }: PullAsk): Lent {
    const { message, attempt, failure } = delivery
    const secret = newSecret()
    const until = this.#clock.wall() + leaseMs
    const token = writeToken({ hold: groupHold(message.topic, message.partition, message.offset, group), secret })
    const hold = { why: 'lent', until, then: 'release', group, attempt, token: secret, ...(failure && { failure }) } as const
    return { token, message, attempt, until, verdict: { delivery, is: 'hold', hold }, ...(failure && { failure }) }
  }

  #deadVerdict(delivery: Delivery, { group, attempts }: PullAsk): Verdict {
    const now = this.#clock.wall()
    const reason = delivery.failure?.reason ?? `pulled ${attempts} times and never acknowledged`
    const failure: Failure = { reason, kind: 'ATTEMPTS', firstAt: delivery.failure?.firstAt ?? now, lastAt: now }
    return { delivery, is: 'hold', hold: { why: 'dead', until: 'decided', then: 'release', group, attempt: delivery.attempt - 1, failure } }
  }

  /** What holds loans anew needs what they are held with now; one that is gone is asked to be dropped, which answers 'gone'. */
  async #anew(loans: readonly LoanToken[], change: (secret: string, hold: Held) => Held): Promise<readonly Decision[]> {
    return Promise.all(
      loans.map(async ({ hold, secret }): Promise<Decision> => {
        const { items } = await this.#engine.holds({ id: hold, limit: 1 })
        const { token: _, ...now } = items[0]?.hold ?? lost
        return { hold, token: secret, to: 'hold', anew: change(secret, now) }
      }),
    )
  }

  async #decide(decisions: readonly Decision[]): Promise<readonly Answered[]> {
    const decided: readonly Decided[] = await this.#engine.decide(decisions)
    const answered = decided.map((each): Answered => (each === 'gone' ? 'stale' : 'done'))
    this.#stale += answered.filter((each) => each === 'stale').length
    return answered
  }
}

type Held = Extract<Decision, { to: 'hold' }>['anew']

/** Stands in for a hold that is no more; deciding it answers 'gone' whatever it says. */
const lost: Held = { why: 'lent', until: 0, then: 'release', attempt: 1 }

/** Asked again after each wait, so that a compiler does not take the first answer for the last. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
