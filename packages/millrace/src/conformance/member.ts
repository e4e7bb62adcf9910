import assert from 'node:assert/strict'
import { groupHold, type Hold, type HoldId } from '../core/hold.js'
import type { Engine, Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Verdict } from '../engine/engine.js'
import type { Kit } from './kit.js'
import { texts } from './text.js'

export type MemberOptions = Partial<Omit<JoinRequest, 'topic' | 'group'>> & { readonly engine?: Engine }

/** A member of a group with the verbs that cases read by. */
export class Member {
  readonly name: string
  readonly group: string
  readonly #kit: Kit
  readonly #membership: Membership

  constructor(kit: Kit, request: JoinRequest, membership: Membership) {
    this.name = request.member
    this.group = request.group
    this.#kit = kit
    this.#membership = membership
  }

  /** What may be had now. */
  lease(max = 100, ask: Partial<LeaseRequest> = {}): Promise<readonly Delivery[]> {
    return this.#membership.lease({ max, waitMs: 0, ...ask })
  }

  /** The next `count` deliveries, whenever they come. */
  async take(count: number): Promise<readonly Delivery[]> {
    const taken: Delivery[] = []
    await this.#kit.until(`${this.name} gets ${count} messages, has ${taken.length}`, async () => {
      taken.push(...(await this.lease(count - taken.length)))
      return taken.length >= count
    }, () => `${this.name} has ${taken.length} of ${count} messages: ${texts(taken).join(', ')}`)
    return taken
  }

  async takeOne(): Promise<Delivery> {
    const [delivery] = await this.take(1)
    assert.ok(delivery)
    return delivery
  }

  /** Takes as many as there are values and holds them to the values, in order. */
  async gets(...values: readonly string[]): Promise<readonly Delivery[]> {
    const taken = await this.take(values.length)
    assert.deepEqual(texts(taken), values, `${this.name} gets these, in this order`)
    return taken
  }

  async getsOne(value: string): Promise<Delivery> {
    const [delivery] = await this.gets(value)
    assert.ok(delivery)
    return delivery
  }

  /** As `gets`, for values of several partitions: their order is not said. */
  async getsInAnyOrder(...values: readonly string[]): Promise<readonly Delivery[]> {
    const taken = await this.take(values.length)
    assert.deepEqual(texts(taken).sort(), [...values].sort(), `${this.name} gets these`)
    return taken
  }

  /** Nothing comes, though time passes. */
  async getsNothing(ms = 500): Promise<void> {
    assert.deepEqual(texts(await this.lease()), [], `${this.name} gets nothing`)
    await this.#kit.pass(ms)
    assert.deepEqual(texts(await this.lease()), [], `${this.name} gets nothing after ${ms} ms`)
  }

  /** Verdicts as they are, with the raw answers. */
  settle(...verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    return this.#membership.settle(verdicts)
  }

  async done(...deliveries: readonly Delivery[]): Promise<void> {
    await this.#settled(deliveries.map((delivery) => ({ delivery, is: 'done' })))
  }

  async back(...deliveries: readonly Delivery[]): Promise<void> {
    await this.#settled(deliveries.map((delivery) => ({ delivery, is: 'back' })))
  }

  /** Takes the next ones and finishes them. */
  async finishes(...values: readonly string[]): Promise<void> {
    await this.done(...(await this.gets(...values)))
  }

  /** Holds it for this group; answers the hold's id. */
  async hold(delivery: Delivery, hold: Hold): Promise<HoldId> {
    await this.#settled([{ delivery, is: 'hold', hold }])
    return this.holdOf(delivery)
  }

  holdOf({ message }: Delivery): HoldId {
    return groupHold(message.topic, message.partition, message.offset, this.group)
  }

  retry(delivery: Delivery, inMs: number): Promise<HoldId> {
    return this.hold(delivery, this.retrying(delivery, this.#kit.in(inMs)))
  }

  dead(delivery: Delivery, reason = 'broken', kind = 'Error'): Promise<HoldId> {
    return this.hold(delivery, this.dying(delivery, reason, kind))
  }

  lend(delivery: Delivery, token: string, inMs: number): Promise<HoldId> {
    return this.hold(delivery, this.lending(delivery, token, this.#kit.in(inMs)))
  }

  retrying(delivery: Delivery, until: Hold['until']): Hold {
    return { why: 'retry', until, then: 'release', group: this.group, attempt: delivery.attempt, failure: this.#failure('not yet', 'Busy') }
  }

  dying(delivery: Delivery, reason = 'broken', kind = 'Error'): Hold {
    return { why: 'dead', until: 'decided', then: 'release', group: this.group, attempt: delivery.attempt, failure: this.#failure(reason, kind) }
  }

  lending(delivery: Delivery, token: string, until: Hold['until']): Hold {
    return { why: 'lent', until, then: 'release', group: this.group, attempt: delivery.attempt, token }
  }

  /** Finishes one after another: for values that may come each only when the one before has its verdict. */
  async finishesEach(...values: readonly string[]): Promise<void> {
    for (const value of values) await this.finishes(value)
  }

  leave(): Promise<void> {
    return this.#membership.leave()
  }

  #failure(reason: string, kind: string): NonNullable<Hold['failure']> {
    return { reason, kind, firstAt: this.#kit.wall(), lastAt: this.#kit.wall() }
  }

  async #settled(verdicts: readonly Verdict[]): Promise<void> {
    const outcomes = await this.settle(...verdicts)
    assert.deepEqual(outcomes, verdicts.map(() => 'settled'), `the verdicts of ${this.name} count`)
  }
}
