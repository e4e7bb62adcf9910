import type { Delivery, Verdict } from '../engine/index.js'

/**
 * Verdicts under way that let their message come again: a retry, a hand-back. When it does come again before their
 * answer, they have counted, whatever the answer says; to repeat one then would take the message out of the hands that
 * have it now.
 */
export class Returning {
  readonly #underWay = new Map<string, Verdict>()
  readonly #counted = new Set<Verdict>()

  add(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) if (verdict.is !== 'done') this.#underWay.set(nameOf(verdict.delivery), verdict)
  }

  cameAgain(delivery: Delivery): void {
    if (this.#underWay.size === 0) return
    const name = nameOf(delivery)
    const verdict = this.#underWay.get(name)
    if (!verdict) return
    this.#counted.add(verdict)
    this.#underWay.delete(name)
  }

  hasCounted(verdict: Verdict): boolean {
    return this.#counted.size > 0 && this.#counted.has(verdict)
  }

  over(verdicts: readonly Verdict[]): void {
    if (this.#underWay.size + this.#counted.size === 0) return
    for (const verdict of verdicts) {
      const name = nameOf(verdict.delivery)
      if (this.#underWay.get(name) === verdict) this.#underWay.delete(name)
      this.#counted.delete(verdict)
    }
  }
}

function nameOf({ message: { partition, offset }, epoch }: Delivery): string {
  return `${partition}/${offset}/${epoch}`
}
