import type { Cancel, Clock } from '../../core/clock.js'
import type { Delivery, LeaseRequest } from '../../engine/engine.js'

/** A call of `lease` that found nothing and waits. */
export interface Waiter {
  readonly max: number
  end(deliveries: readonly Delivery[]): void
}

interface Waiting extends Waiter {
  fail(error: Error): void
}

/** Calls of `lease` that wait, first come first served; each ends by messages, time, its signal, or the end of its member. */
export class Waiters {
  readonly #clock: Clock
  readonly #waiting = new Set<Waiting>()

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
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.end([])
      const stop = (): void => {
        this.#waiting.delete(waiter)
        cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiting = {
        max,
        end: (deliveries) => {
          stop()
          resolve(deliveries)
        },
        fail: (error) => {
          stop()
          reject(error)
        },
      }
      const cancel: Cancel = this.#clock.after(waitMs, () => waiter.end([]))
      signal?.addEventListener('abort', onAbort)
      this.#waiting.add(waiter)
    })
  }

  endAll(deliveries: readonly Delivery[]): void {
    for (const waiter of [...this.#waiting]) waiter.end(deliveries)
  }

  failAll(error: Error): void {
    for (const waiter of [...this.#waiting]) waiter.fail(error)
  }
}
