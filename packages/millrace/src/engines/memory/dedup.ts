import type { Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import { Wheel } from '../../engine/wheel.js'

/** The first draft with a dedup id. */
export interface Original {
  readonly id: string
  readonly timestamp: Millis
  /** Null while it is held. */
  offset: Offset | null
}

/** Dedup ids of one topic's partitions, each for its window by the wall clock. */
export class Dedup {
  readonly #originals = new Map<string, Original>()
  readonly #ends = new Wheel<string>()

  /** What was stored under this id and is still in its window. */
  find(partition: number, id: string, wall: Millis): Original | undefined {
    for (const over of this.#ends.advance(wall)) this.#originals.delete(over)
    return this.#originals.get(place(partition, id))
  }

  /** Only where `find` found none. */
  remember(partition: number, id: string, until: Millis, original: Original): void {
    const at = place(partition, id)
    this.#originals.set(at, original)
    this.#ends.add(until, at)
  }
}

function place(partition: number, id: string): string {
  return `${partition}:${id}`
}
