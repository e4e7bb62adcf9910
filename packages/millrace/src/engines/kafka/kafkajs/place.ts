import type { Millis } from '../../../core/clock.js'
import type { Offset } from '../../../core/message.js'
import type { FetchPlace } from './wire-calls.js'

/** How far a partition is read. One that is added anew is another Place, so that what comes late for the old one is known. */
export class Place {
  readonly topic: string
  readonly partition: number
  next: Offset
  failures = 0
  /** The end that was told last. */
  ended: Offset | undefined
  silences = 0
  outsideSince: Millis | undefined
  /** It is looked at again later, whatever comes. */
  resting = false
  #paused = false
  #ended = false
  /** Counts pauses: what was asked for before one is not handed out after it. */
  #turn = 0
  #askedAt: number | undefined

  constructor(topic: string, partition: number, next: Offset) {
    this.topic = topic
    this.partition = partition
    this.next = next
  }

  /** It is still read, though perhaps paused. */
  get stands(): boolean {
    return !this.#ended
  }

  get ready(): boolean {
    return !this.#paused && !this.#ended && !this.resting && this.#askedAt === undefined
  }

  /** What was asked for may be handed out. */
  get current(): boolean {
    return !this.#paused && !this.#ended && this.#askedAt === this.#turn
  }

  get wanted(): FetchPlace {
    return { topic: this.topic, partition: this.partition, from: this.next }
  }

  asked(): void {
    this.#askedAt = this.#turn
  }

  answered(): void {
    this.#askedAt = undefined
  }

  pause(): void {
    if (!this.#paused) this.#turn += 1
    this.#paused = true
  }

  resume(): boolean {
    const changed = this.#paused
    this.#paused = false
    this.ended = undefined
    return changed
  }

  end(): void {
    this.#ended = true
  }
}
