import type { TopicState } from './topic-state.js'

/** Holds a topic to its cap: how much is unread, counted anew only when the estimate reaches the bound. */
export class Capacity {
  readonly #topic: TopicState
  /** Never less than what is unread. */
  #count = 0
  #bytes = 0
  #hasRefused = false

  constructor(topic: TopicState) {
    this.#topic = topic
  }

  /** Whether a message of so many bytes may come in. Where the cap says so, the oldest unread make room. */
  admits(bytes: number): boolean {
    const { cap } = this.#topic.meta
    if (cap.count === undefined && cap.bytes === undefined) return true
    if (this.#fits(bytes)) return this.#admit(bytes)
    this.recount()
    while (cap.whenFull === 'trim' && !this.#fits(bytes) && this.#trimOldest()) this.recount()
    if (this.#fits(bytes)) return this.#admit(bytes)
    this.#hasRefused = true
    return false
  }

  /** True once, when there is room again after a refusal. */
  hasRoomAgain(): boolean {
    if (!this.#hasRefused) return false
    this.recount()
    if (!this.#fits(1)) return false
    this.#hasRefused = false
    return true
  }

  /** Counts what some group has not finished. */
  recount(): void {
    this.#count = 0
    this.#bytes = 0
    for (const log of this.#topic.logs) {
      const watermark = this.#topic.watermark(log)
      this.#count += log.end - watermark
      this.#bytes += log.bytesFrom(watermark)
    }
  }

  #fits(bytes: number): boolean {
    const { cap } = this.#topic.meta
    return (cap.count === undefined || this.#count + 1 <= cap.count) && (cap.bytes === undefined || this.#bytes + bytes <= cap.bytes)
  }

  #admit(bytes: number): true {
    this.#count += 1
    this.#bytes += bytes
    return true
  }

  /** False when nothing is unread. */
  #trimOldest(): boolean {
    let oldest: { at: number; cut: () => void } | undefined
    for (const log of this.#topic.logs) {
      const watermark = this.#topic.watermark(log)
      const at = log.at(watermark)?.timestamp
      if (at !== undefined && (oldest === undefined || at < oldest.at)) oldest = { at, cut: () => this.#topic.cut(log, watermark + 1) }
    }
    oldest?.cut()
    return oldest !== undefined
  }
}
