import type { Cancel, Millis } from '../../core/clock.js'
import { limits } from '../../core/limits.js'
import type { Instance } from './instance.js'
import { cutPassed, nextExpiry } from './retention.js'
import type { TopicState } from './topic-state.js'

/** Removes what nobody needs any more: read messages, silent broadcast members, the pins of idle groups. Sleeps when there is nothing to do. */
export class Janitor {
  readonly #instance: Instance
  #cancel: Cancel | undefined
  #isSoon = false
  #isOver = false

  constructor(instance: Instance) {
    this.#instance = instance
  }

  /** Something has changed: look within a `limits.safetyLookMs`. */
  poke(): void {
    if (!this.#isSoon && !this.#isOver) this.#arm(limits.safetyLookMs)
  }

  stop(): void {
    this.#cancel?.()
    this.#isOver = true
  }

  #arm(waitMs: Millis): void {
    this.#cancel?.()
    this.#isSoon = waitMs <= limits.safetyLookMs
    this.#cancel = this.#instance.clock.after(waitMs, () => this.#look())
  }

  #look(): void {
    const { store, clock } = this.#instance
    const wall = clock.wall()
    const monotonic = clock.monotonic()
    let nextMs = Infinity
    for (const topic of store.topics.values()) {
      nextMs = Math.min(nextMs, this.#idle(topic, monotonic) - monotonic)
      for (const group of topic.broadcasts) group.expelSilent(monotonic)
      cutPassed(topic, wall)
      if (topic.capacity.hasRoomAgain()) store.stir({ what: 'room', topic: topic.name })
      nextMs = Math.min(nextMs, nextExpiry(topic) - wall)
    }
    this.#isSoon = false
    if (nextMs < Infinity) this.#arm(Math.max(nextMs, limits.safetyLookMs))
  }

  /** Lets groups go idle; says when the next may, by the monotonic clock. */
  #idle(topic: TopicState, monotonic: Millis): Millis {
    const { groupIdleMs } = topic.meta
    let next = Infinity
    if (groupIdleMs === undefined) return next
    for (const group of topic.groups.values()) {
      group.expelSilent(monotonic)
      if (group.isIdle) continue
      if (group.idleSince === undefined) next = Math.min(next, group.nextSilence())
      else if (monotonic - group.idleSince < groupIdleMs) next = Math.min(next, group.idleSince + groupIdleMs)
      else {
        group.isIdle = true
        group.stirMembers()
      }
    }
    return next
  }
}
