import { asMillraceError, type MillraceError } from '../../core/errors.js'
import type { RedisClient, Subscription } from './port.js'

/** Who listens to a channel. */
export interface Hearer {
  heard(text: string): void
  /** What was told may have been missed: look. */
  missed(): void
}

/** What an instance listens to, on one connection of its own that is opened when somebody first listens. */
export class Ears {
  readonly #client: RedisClient
  readonly #report: (error: MillraceError) => void
  readonly #isSharded: () => boolean
  readonly #hearers = new Map<string, Set<Hearer>>()
  #subscription: Promise<Subscription> | undefined
  #isOver = false
  #isQuiet = false

  constructor(client: RedisClient, report: (error: MillraceError) => void, isSharded: () => boolean) {
    this.#isSharded = isSharded
    this.#client = client
    this.#report = report
  }

  /** Until the answer is called. Listening begins soon: `missed` says when something may have come before. */
  hear(channel: string, hearer: Hearer): () => void {
    const hearers = this.#hearers.get(channel)
    if (hearers) hearers.add(hearer)
    else {
      this.#hearers.set(channel, new Set([hearer]))
      this.#ask(channel, (subscription) => subscription.add(channel), () => this.#each(channel, (each) => each.missed()))
    }
    return () => this.#leave(channel, hearer)
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#hearers.clear()
    const subscription = await this.#subscription?.catch(() => undefined)
    await subscription?.close()
  }

  /** For tests: hears nothing any more. */
  quiet(): void {
    this.#isQuiet = true
  }

  #leave(channel: string, hearer: Hearer): void {
    const hearers = this.#hearers.get(channel)
    if (!hearers?.delete(hearer) || hearers.size > 0) return
    this.#hearers.delete(channel)
    this.#ask(channel, async (subscription) => (this.#hearers.has(channel) ? undefined : subscription.remove(channel)))
  }

  #ask(channel: string, ask: (subscription: Subscription) => Promise<void>, then: () => void = () => undefined): void {
    void this.#open()
      .then(ask)
      .then(then)
      .catch((error: unknown) => {
        // Who waits looks by itself, too.
        if (!this.#isOver) this.#report(asMillraceError(error, 'ENGINE_FAILED', `listening to ${channel}`))
      })
  }

  #open(): Promise<Subscription> {
    this.#subscription ??= this.#client
      .subscribe({
        message: (channel, text) => this.#each(channel, (each) => each.heard(text)),
        gap: () => this.#missed(),
      }, this.#isSharded())
      .catch((error: unknown) => {
        this.#subscription = undefined
        throw error
      })
    return this.#subscription
  }

  #missed(): void {
    for (const channel of [...this.#hearers.keys()]) this.#each(channel, (each) => each.missed())
  }

  #each(channel: string, call: (hearer: Hearer) => void): void {
    if (this.#isOver || this.#isQuiet) return
    for (const hearer of [...(this.#hearers.get(channel) ?? [])]) call(hearer)
  }
}
