import type { Millis } from 'millrace'

/** A fixed number of numbers, one a sample; the newest push out the oldest. */
export class Ring {
  readonly #values: Float64Array
  #count = 0

  constructor(size: number) {
    this.#values = new Float64Array(size)
  }

  get length(): number {
    return Math.min(this.#count, this.#values.length)
  }

  push(value: number): void {
    this.#values[this.#count % this.#values.length] = value
    this.#count += 1
  }

  /** 0 is the newest. */
  back(steps: number): number | undefined {
    return steps < this.length ? this.#values[(this.#count - 1 - steps) % this.#values.length] : undefined
  }
}

/** A counter over time: samples of a value that only grows, and how fast it grew. */
export class Series {
  readonly #times: Ring
  readonly #values: Ring

  constructor(size: number) {
    this.#times = new Ring(size)
    this.#values = new Ring(size)
  }

  push(at: Millis, value: number): void {
    const last = this.#values.back(0)
    if (last !== undefined && value < last) this.#restart()
    this.#times.push(at)
    this.#values.push(value)
  }

  /** Growth a second between the oldest sample of the last `rangeMs` and now; 0 where nothing is known. */
  rate(now: Millis, value: number, rangeMs: Millis): number {
    const steps = this.#oldest(now - rangeMs)
    const from = this.#times.back(steps)
    const was = this.#values.back(steps)
    if (from === undefined || was === undefined || now <= from || value < was) return 0
    return ((value - was) * 1_000) / (now - from)
  }

  /** A smaller value is a new counter under the old name: what was known of it counts no more. */
  #restart(): void {
    for (let left = this.#values.length; left > 0; left -= 1) {
      this.#times.push(Number.NEGATIVE_INFINITY)
      this.#values.push(0)
    }
  }

  #oldest(since: Millis): number {
    let low = 0
    let high = this.#times.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#times.back(middle) ?? Number.NEGATIVE_INFINITY) >= since) low = middle
      else high = middle - 1
    }
    return low
  }
}
