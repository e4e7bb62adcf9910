import type { Cancel, Clock, Millis } from '../core/clock.js'
import type { Delivery, LeaseRequest } from './engine.js'

/** A call of `lease` that found nothing and waits. */
export interface Waiter {
  readonly max: number
  end(deliveries: readonly Delivery[]): void
}

interface Waiting extends Waiter {
  /** By the monotonic clock. */
  readonly until: Millis
  fail(error: Error): void
}

/**
 * Calls of `lease` that wait, first come first served; each ends by messages, time, its signal, or the end of its
 * member. They share one timer, which a call that ends early leaves as it is.
 */
export class Waiters {
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()
  #lookAt: Millis = Infinity
  #cancel: Cancel | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  first(): Waiter | undefined {
    for (const waiter of this.#waiting) return waiter
    return undefined
  }

  wait({ max, waitMs, signal }: LeaseRequest): Promise<readonly Delivery[]> {
    const until = this.#clock.monotonic() + waitMs
    if (until < this.#lookAt) this.#arm(until, waitMs)
    return new Promise((resolve, reject) => {
      const onAbort = signal && ((): void => waiter.end([]))
      const stop = (): void => {
        this.#waiting.delete(waiter)
        if (onAbort) signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiting = {
        max,
        until,
        end: (deliveries) => {
          stop()
          resolve(deliveries)
        },
        fail: (error) => {
          stop()
          reject(error)
        },
      }
      if (onAbort) signal.addEventListener('abort', onAbort)
      this.#waiting.add(waiter)
    })
  }

  /** Ends every call, with nothing or with an error, and the timer. */
  endAll(error?: Error): void {
    this.#cancel?.()
    for (const waiter of [...this.#waiting]) {
      if (error) waiter.fail(error)
      else waiter.end([])
    }
  }

  #arm(at: Millis, waitMs: Millis): void {
    this.#cancel?.()
    this.#lookAt = at
    this.#cancel = this.#clock.after(waitMs, () => this.#look())
  }

  #look(): void {
    const now = this.#clock.monotonic()
    let next = Infinity
    this.#lookAt = Infinity
    for (const waiter of [...this.#waiting]) {
      if (waiter.until <= now) waiter.end([])
      else next = Math.min(next, waiter.until)
    }
    if (next < Infinity) this.#arm(next, next - now)
  }
}
