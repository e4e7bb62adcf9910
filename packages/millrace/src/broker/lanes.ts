/** What waits in a lane. */
export interface Laned {
  readonly partition: number
  /** Those with one lane run one after another; null runs as soon as there is a hand for it. */
  readonly lane: string | null
}

class Lane<Run> {
  readonly name: string
  readonly waiting: Run[]
  busy = false

  constructor(name: string, first: Run) {
    this.name = name
    // Most lanes never have another: an array that is pushed to makes room for many.
    this.waiting = [first]
  }
}

/**
 * Orders what is in hand: one at a time of each lane, first in first out, many lanes at once. Bounded by who fills it.
 * A lane is busy from `next` until `release`; lanes whose turn it is wait in the order in which they became ready.
 */
export class Lanes<Run extends Laned> {
  readonly #lanes = new Map<string, Lane<Run>>()
  readonly #ready = new Queue<Run | Lane<Run>>()
  #waiting = 0

  /** Waiting, not yet begun. */
  get size(): number {
    return this.#waiting
  }

  add(run: Run): void {
    this.#waiting += 1
    if (run.lane === null) return this.#ready.push(run)
    const known = this.#lanes.get(run.lane)
    if (known) {
      known.waiting.push(run)
      return
    }
    const lane = new Lane(run.lane, run)
    this.#lanes.set(run.lane, lane)
    this.#ready.push(lane)
  }

  /** The next that may run, or undefined. */
  next(): Run | undefined {
    for (let ready = this.#ready.shift(); ready; ready = this.#ready.shift()) {
      if (!(ready instanceof Lane)) {
        this.#waiting -= 1
        return ready
      }
      const run = ready.waiting.shift()
      if (!run) {
        this.#lanes.delete(ready.name)
        continue
      }
      ready.busy = true
      this.#waiting -= 1
      return run
    }
    return undefined
  }

  /** The lane's run has its verdict: the next of the lane has its turn. */
  release(run: Run): void {
    const lane = run.lane === null ? undefined : this.#lanes.get(run.lane)
    if (!lane?.busy) return
    lane.busy = false
    if (lane.waiting.length === 0) this.#lanes.delete(lane.name)
    else this.#ready.push(lane)
  }

  /** The lane's run goes again, before what waits in its lane. */
  again(run: Run): void {
    const lane = run.lane === null ? undefined : this.#lanes.get(run.lane)
    this.#waiting += 1
    if (!lane) return this.#ready.push(run)
    lane.waiting.unshift(run)
    lane.busy = false
    this.#ready.push(lane)
  }

  /** Takes out what waits and fits. A lane that has none left and is not busy is found empty by `next`. */
  take(fits: (run: Run) => boolean): Run[] {
    const taken: Run[] = []
    const keep = (run: Run): boolean => !fits(run) || taken.push(run) === 0
    for (const lane of this.#lanes.values()) lane.waiting.splice(0, Infinity, ...lane.waiting.filter(keep))
    this.#ready.filter((ready) => ready instanceof Lane || keep(ready))
    this.#waiting -= taken.length
    return taken
  }
}

/** First in, first out, without moving what is left. */
class Queue<T> {
  #items: T[] = []
  #head = 0

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head += 1
    if (this.#head === this.#items.length || this.#head === 1_024) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  filter(keep: (item: T) => boolean): void {
    this.#items = this.#items.slice(this.#head).filter(keep)
    this.#head = 0
  }
}
