/** Keeps a sender from running away: at most so many messages that some reader has not seen. */
export class Gate {
  /** @type {number} */
  #room
  /** @type {number[]} what each reader has seen */
  #seen
  #sent = 0
  /** @type {(() => void)[]} */
  #waiting = []

  /** @param {number} most @param {number} [readers] */
  constructor(most, readers = 1) {
    this.#room = most
    this.#seen = Array.from({ length: readers }, () => 0)
  }

  /** Answers nothing where there is room, else a promise. @param {number} count */
  enter(count) {
    this.#sent += count
    return this.#isOpen() ? undefined : new Promise((resolve) => this.#waiting.push(() => resolve(undefined)))
  }

  /** @param {number} count @param {number} [reader] */
  saw(count, reader = 0) {
    this.#seen[reader] = (this.#seen[reader] ?? 0) + count
    if (this.#waiting.length === 0 || !this.#isOpen()) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  #isOpen() {
    return this.#sent - Math.min(...this.#seen) <= this.#room
  }
}
