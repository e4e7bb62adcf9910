/** Runs once at the end of a turn of the event loop, however often it was asked for in it, until the signal aborts. */
export class Turns {
  readonly #run: () => void
  readonly #signal: AbortSignal
  #isDue = false

  constructor(run: () => void, signal: AbortSignal) {
    this.#run = run
    this.#signal = signal
  }

  ask(): void {
    if (this.#isDue || this.#signal.aborted) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      if (!this.#signal.aborted) this.#run()
    })
  }
}
