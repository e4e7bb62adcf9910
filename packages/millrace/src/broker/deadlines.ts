import type { Cancel, Clock, Millis } from '../core/index.js'

/** Things that run, and end by a deadline that is equally long for all: one timer, for the oldest. */
export class Deadlines<Running extends { readonly due: Millis }> {
  readonly #clock: Clock
  readonly #expired: (running: Running) => void
  /** In the order of their deadlines, as they all have the same time. */
  readonly #running = new Set<Running>()
  #timer: Cancel | undefined

  constructor(clock: Clock, expired: (running: Running) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  get size(): number {
    return this.#running.size
  }

  all(): IterableIterator<Running> {
    return this.#running.values()
  }

  some(fits: (running: Running) => boolean): boolean {
    for (const running of this.#running) if (fits(running)) return true
    return false
  }

  start(running: Running): void {
    this.#running.add(running)
    if (!this.#timer) this.#arm()
  }

  end(running: Running): void {
    this.#running.delete(running)
  }

  /** Ends the timer; what runs is forgotten. */
  clear(): void {
    this.#running.clear()
    this.#timer?.()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const running of this.#running) {
      if (running.due > now) {
        this.#timer = this.#clock.after(running.due - now, () => this.#arm())
        return
      }
      this.#running.delete(running)
      this.#expired(running)
    }
  }
}
