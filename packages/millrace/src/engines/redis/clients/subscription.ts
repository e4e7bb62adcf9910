import type { Clock, Millis } from '../../../core/index.js'
import type { Listener, Subscription } from '../port.js'
import { Failure, textOf } from './failure.js'
import type { Ears, Heard } from './wire.js'

const againMs = 200
/** So often the connection is asked whether it lives, and so long it may take to say so. */
const pingMs = 5_000

export interface SubscriptionOptions {
  readonly clock: Clock
  readonly deadlineMs: Millis
  /** What ails it, told once for each time the server is lost or refuses. */
  readonly lost?: () => void
  /** The server refuses a channel: it is no longer the one that has it, or the right is missing. */
  readonly refused?: (error: unknown) => void
}

/** Somebody who waits until a channel is heard. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Channels on one connection, which is made anew whenever it is lost; then all of them are subscribed to again. */
export class EarSubscription implements Subscription {
  readonly #listener: Listener
  readonly #options: SubscriptionOptions
  /** Each channel, and who waits for it; undefined when it is heard. */
  readonly #channels = new Map<string, Waiter[] | undefined>()
  #ears: Ears | undefined
  #ready = false
  #hadBeen = false
  #closed = false
  #last = 'there is no connection to the server'

  constructor(listener: Listener, options: SubscriptionOptions) {
    this.#listener = listener
    this.#options = options
  }

  async open(ears: (heard: Heard) => Promise<Ears>): Promise<this> {
    this.#ears = await ears({
      message: (channel, text) => {
        if (!this.#closed && this.#channels.has(channel)) this.#listener.message(channel, text)
      },
      ready: () => void this.#begin(),
      lost: () => this.#lost(),
      moved: (channel) => this.#moved(channel),
    })
    // It may have been ready before we knew it.
    if (this.#ready) void this.#begin()
    this.#watch()
    return this
  }

  get channels(): readonly string[] {
    return [...this.#channels.keys()]
  }

  add(channel: string): Promise<void> {
    if (this.#channels.has(channel) && this.#channels.get(channel) === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const { clock, deadlineMs } = this.#options
      const late = clock.after(deadlineMs, () => reject(new Failure('again', 'DEADLINE', `${channel} is not heard within ${deadlineMs} ms: ${this.#last}`)))
      const waiter = { resolve: () => (late(), resolve()), reject: (error: Error) => (late(), reject(error)) }
      const others = this.#channels.get(channel)
      this.#channels.set(channel, [...(others ?? []), waiter])
      if (others === undefined && this.#ready) void this.#hear([channel])
    })
  }

  async remove(channel: string): Promise<void> {
    for (const waiter of this.#channels.get(channel) ?? []) waiter.resolve()
    if (!this.#channels.delete(channel) || !this.#ready) return
    await this.#ears?.unsubscribe([channel]).catch(() => undefined)
  }

  close(): Promise<void> {
    this.#closed = true
    for (const waiters of this.#channels.values()) for (const { resolve } of waiters ?? []) resolve()
    this.#channels.clear()
    this.#ears?.close()
    return Promise.resolve()
  }

  /** What comes by itself is not missed when it does not come: a connection whose other end is gone without a word is found only by asking. */
  #watch(): void {
    this.#options.clock.after(pingMs, () => {
      if (this.#closed) return
      const { ping, renew } = this.#ears ?? {}
      if (ping === undefined || renew === undefined) return
      if (this.#ready) {
        const late = this.#options.clock.after(pingMs, () => (this.#closed ? undefined : renew()))
        void ping().then(late, late)
      }
      this.#watch()
    })
  }

  #lost(): void {
    if (!this.#ready || this.#closed) return
    this.#ready = false
    this.#last = 'the connection was lost'
    for (const [channel, waiters] of this.#channels) this.#channels.set(channel, waiters ?? [])
    this.#options.lost?.()
  }

  #moved(channel: string): void {
    if (this.#closed || !this.#channels.has(channel)) return
    this.#channels.set(channel, this.#channels.get(channel) ?? [])
    this.#options.refused?.(new Error(`${channel} has moved`))
  }

  async #begin(): Promise<void> {
    this.#ready = true
    if (this.#ears === undefined || this.#closed) return
    const again = this.#hadBeen
    this.#hadBeen = true
    for (const [channel, waiters] of this.#channels) this.#channels.set(channel, waiters ?? [])
    if ((await this.#hear([...this.#channels.keys()])) && again) this.#listener.gap()
  }

  /** One that is refused is tried again later: the slot may come back, the right may be given. */
  async #hear(channels: readonly string[]): Promise<boolean> {
    try {
      if (channels.length > 0) await this.#ears?.subscribe(channels)
    } catch (error) {
      this.#last = textOf(error)
      this.#options.refused?.(error)
      this.#options.clock.after(againMs, () => void this.#hearAgain(channels))
      return false
    }
    for (const channel of channels.filter((each) => this.#channels.has(each))) {
      for (const { resolve } of this.#channels.get(channel) ?? []) resolve()
      this.#channels.set(channel, undefined)
    }
    return true
  }

  async #hearAgain(channels: readonly string[]): Promise<void> {
    const unheard = channels.filter((each) => this.#channels.get(each) !== undefined)
    if (this.#closed || !this.#ready || unheard.length === 0) return
    if (await this.#hear(unheard)) this.#listener.gap()
  }
}
