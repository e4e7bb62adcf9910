import type { Cancel, Clock, Millis } from 'millrace'

interface Waiter {
  /** Its time is over; it stays only while somebody is at work who may leave something for it. */
  late: boolean
  readonly end: (comes: boolean) => void
}

/**
 * One after the other, in the order of coming. Who has the turn says while it only waits for something to come:
 * then there is nothing for those behind it either, and they go when their time is over.
 */
export class Turns {
  readonly #clock: Clock
  readonly #queue: Waiter[] = []
  #taken = false
  #waits = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `work` in its turn; undefined when that did not come in time, or the signal aborts. */
  async take<T>(waitMs: Millis, signal: AbortSignal, work: (waits: (now: boolean) => void) => Promise<T>): Promise<T | undefined> {
    if (this.#taken && !(await this.#comes(waitMs, signal))) return undefined
    this.#taken = true
    try {
      return await work((now) => this.#setWaits(now))
    } finally {
      this.#waits = false
      const next = this.#queue.shift()
      if (next) next.end(true)
      else this.#taken = false
    }
  }

  #comes(waitMs: Millis, signal: AbortSignal): Promise<boolean> {
    if ((this.#waits && waitMs === 0) || signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const abort = (): void => waiter.end(false)
      const cancel: Cancel = this.#clock.after(waitMs, () => {
        waiter.late = true
        if (this.#waits) waiter.end(false)
      })
      const waiter: Waiter = {
        late: waitMs === 0,
        end: (comes) => {
          cancel()
          signal.removeEventListener('abort', abort)
          const at = this.#queue.indexOf(waiter)
          if (at !== -1) this.#queue.splice(at, 1)
          resolve(comes)
        },
      }
      signal.addEventListener('abort', abort)
      this.#queue.push(waiter)
    })
  }

  #setWaits(now: boolean): void {
    this.#waits = now
    if (now) for (const waiter of this.#queue.filter(({ late }) => late)) waiter.end(false)
  }
}
