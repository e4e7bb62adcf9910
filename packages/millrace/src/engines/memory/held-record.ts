import type { Millis } from '../../core/clock.js'
import { groupHold, type Hold, type HoldId, messageHold } from '../../core/hold.js'
import type { Held } from '../../engine/engine.js'
import type { Timed } from '../../engine/wheel.js'
import type { Original } from './dedup.js'
import type { TopicState } from './topic-state.js'

/** How many holds of each kind there are. */
export type HoldCounts = Record<Hold['why'], number>

export function noHolds(): HoldCounts {
  return { delay: 0, retry: 0, prepared: 0, dead: 0, lent: 0 }
}

/** What is known of a hold when it begins. */
export interface Holding {
  readonly topic: TopicState
  readonly hold: Hold
  readonly message: Held['message']
  readonly heldAt: Millis
  /** Whose counts it is in. */
  readonly counts: HoldCounts
  /** The member that held it asked for `park`. */
  readonly park: boolean
  readonly original?: Original | undefined
}

/** A held message as the store keeps it. There may be millions: its id is made when it is asked for. */
export class HeldRecord implements Holding {
  readonly topic: TopicState
  readonly message: Held['message']
  readonly heldAt: Millis
  readonly counts: HoldCounts
  readonly park: boolean
  readonly original: Original | undefined
  /** In which it was held, among all. */
  readonly order: number
  hold: Hold
  isGone = false
  timed: Timed<HeldRecord> | undefined = undefined

  constructor({ topic, hold, message, heldAt, counts, park, original }: Holding, order: number) {
    this.topic = topic
    this.message = message
    this.heldAt = heldAt
    this.counts = counts
    this.park = park
    this.original = original
    this.order = order
    this.hold = hold
  }

  get id(): HoldId {
    const { id, partition, offset } = this.message
    return offset === null || this.hold.group === undefined ? messageHold(this.topic.name, id) : groupHold(this.topic.name, partition, offset, this.hold.group)
  }

  asHeld(): Held {
    const { id, hold, message, heldAt } = this
    return { id, hold, message, heldAt }
  }
}
