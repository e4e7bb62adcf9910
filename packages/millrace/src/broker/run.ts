import type { Cancel, Failure } from '../core/index.js'
import type { Delivery } from '../engine/index.js'
import type { Laned } from './lanes.js'

/** A delivery in hand, through all its attempts in place. */
export class Run implements Laned {
  readonly delivery: Delivery
  readonly lane: string | null
  attempt: number
  failure: Failure | undefined
  /** The one that counts; a late result of an earlier one is ignored. */
  current: { abort(why: unknown): void } | undefined
  /** While it rests between two attempts: ends the rest. */
  resting: Cancel | undefined

  constructor(delivery: Delivery, lane: string | null) {
    this.delivery = delivery
    this.lane = lane
    this.attempt = delivery.attempt
    this.failure = delivery.failure
  }

  get partition(): number {
    return this.delivery.message.partition
  }
}
