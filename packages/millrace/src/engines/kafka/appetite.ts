import type { Part } from './part.js'
import type { Reader } from './port.js'

/** Messages that wait to be leased: above the first more come slowly, until there are fewer than the second. What waits long outlives the young heap, and the collector pays for it. */
const enough = { most: 4_000, least: 2_000 }

/** Tells the reader of a member's partitions when enough is waiting. */
export class Appetite {
  #isEased = false

  look(parts: Iterable<Part>, reader: Reader | undefined): void {
    let ready = 0
    for (const part of parts) ready += part.ready
    const isEased = ready > (this.#isEased ? enough.least : enough.most)
    if (isEased === this.#isEased) return
    this.#isEased = isEased
    reader?.ease(isEased)
  }
}
