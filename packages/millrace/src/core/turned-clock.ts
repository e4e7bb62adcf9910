import type { Cancel, Clock, Millis } from './clock.js'

interface Timer {
  readonly due: Millis
  readonly call: () => void
}

/** A clock whose time is in shared memory and moves only when somebody turns it; its timers fire in `fire`. */
export class TurnedClock implements Clock {
  readonly shared: SharedArrayBuffer
  readonly #time: Float64Array
  readonly #timers = new Set<Timer>()

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared
    this.#time = new Float64Array(shared)
  }

  wall(): Millis {
    return this.#time[0] ?? 0
  }

  monotonic(): Millis {
    return this.#time[1] ?? 0
  }

  after(ms: Millis, call: () => void): Cancel {
    const timer = { due: this.monotonic() + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Runs the timers that are due, earliest first, and says when the next is due. */
  fire(): Millis | undefined {
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.due > this.monotonic()) return next?.due
      this.#timers.delete(next)
      next.call()
    }
  }

  /** When the next timer is due. */
  nextDue(): Millis | undefined {
    return this.#next()?.due
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (next === undefined || timer.due < next.due) next = timer
    return next
  }
}
