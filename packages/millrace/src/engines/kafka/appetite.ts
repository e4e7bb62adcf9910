import type { Part } from './part.js'
import type { Reader } from './port.js'

/** Messages that wait to be leased: with more than these the next come slowly. What waits is alive when the young heap is collected and is copied, so that each more costs CPU time, and a call for more is back sooner than these are leased. */
const enough = 500

/** Tells the reader of a member's partitions when enough is waiting, in one of them or in all. */
export class Appetite {
  #isEased = false

  look(parts: Iterable<Part>, reader: Reader, topic: string): void {
    let ready = 0
    for (const part of parts) {
      const turn = part.log.turn()
      if (turn) reader[turn](topic, part.partition)
      ready += part.ready
    }
    const isEased = ready > enough
    if (isEased === this.#isEased) return
    this.#isEased = isEased
    reader.ease(isEased)
  }
}
