import type { Millis } from '../../../core/clock.js'
import type { Offset } from '../../../core/message.js'
import type { KafkaRecord } from '../port.js'
import type { NativePlace } from './structure.js'

/** A partition that is read. A jump is a new place. */
export class Place {
  readonly topic: string
  readonly partition: number
  /** The first that has not come out of the client. */
  next: Offset
  isPaused = false
  /** What the native consumer does: nothing, reads, or keeps it paused. */
  native: 'out' | 'flowing' | 'paused' = 'out'
  /** Came out of the client while the place was paused. */
  held: KafkaRecord[] = []
  /** An end that was told while the place was paused. */
  heldEnd: Offset | undefined
  /** Something came since the last look; for the watchdog. */
  isHeard = false
  isAtEnd = false
  /** Looks in a row at which there was more to read and nothing came. */
  silentLooks = 0
  /** Since when the cluster says that it is not there, or that it lies behind the end of its log. By the monotonic clock. */
  amissSince: Millis | undefined

  constructor(topic: string, partition: number, from: Offset) {
    this.topic = topic
    this.partition = partition
    this.next = from
  }

  get isHolding(): boolean {
    return this.held.length > 0 || this.heldEnd !== undefined
  }

  name(): NativePlace {
    return { topic: this.topic, partition: this.partition }
  }

  start(): NativePlace {
    return { topic: this.topic, partition: this.partition, offset: Number(this.next) }
  }
}

/** By topic, then partition: a look-up for each record that makes no text. */
export class Places {
  readonly #topics = new Map<string, Map<number, Place>>()

  get(topic: string, partition: number): Place | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(place: Place): void {
    let topic = this.#topics.get(place.topic)
    if (topic === undefined) this.#topics.set(place.topic, (topic = new Map()))
    topic.set(place.partition, place)
  }

  delete(place: Place): void {
    const topic = this.#topics.get(place.topic)
    topic?.delete(place.partition)
    if (topic?.size === 0) this.#topics.delete(place.topic)
  }

  has(place: Place): boolean {
    return this.get(place.topic, place.partition) === place
  }

  all(): Place[] {
    return [...this.#topics.values()].flatMap((topic) => [...topic.values()])
  }
}
