import type { Millis } from '../core/index.js'

/** Ids that were finished, for a while and up to a number; the oldest go first. */
export class Remembered {
  readonly #max: number
  readonly #windowMs: Millis
  readonly #at = new Map<string, Millis>()

  constructor({ max, windowMs }: { readonly max: number; readonly windowMs: Millis }) {
    this.#max = max
    this.#windowMs = windowMs
  }

  has(id: string, now: Millis): boolean {
    const at = this.#at.get(id)
    return at !== undefined && now - at < this.#windowMs
  }

  add(id: string, now: Millis): void {
    this.#at.delete(id)
    this.#at.set(id, now)
    for (const [oldest, at] of this.#at) {
      if (this.#at.size <= this.#max && now - at < this.#windowMs) return
      this.#at.delete(oldest)
    }
  }
}
