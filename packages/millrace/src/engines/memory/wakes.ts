import type { Member } from './member.js'

/** Wakes members once the call that stirred them is over, so that a burst of sends becomes one lease. */
export class Wakes {
  #sleepers = new Set<Member>()

  soon(member: Member): void {
    if (this.#sleepers.size === 0) queueMicrotask(() => this.#wake())
    this.#sleepers.add(member)
  }

  #wake(): void {
    const sleepers = this.#sleepers
    this.#sleepers = new Set()
    for (const member of sleepers) member.wake()
  }
}
