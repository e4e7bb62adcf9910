import type { Clock, Millis } from '../core/clock.js'

/** Lets many wait until something may have changed. */
export class Signal {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tell(): void {
    for (const end of [...this.#waiting]) end()
  }

  /** Resolves when it is told, when the time is over, or the signal aborts. */
  wait(ms: Millis, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waiting.delete(end)
        cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#clock.after(ms, end)
      this.#waiting.add(end)
      signal?.addEventListener('abort', end, { once: true })
      if (signal?.aborted) end()
    })
  }
}
