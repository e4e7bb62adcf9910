import type { Cancel } from '../../../core/index.js'
import type { Listener, Subscription } from '../port.js'
import { EarSubscription, type SubscriptionOptions } from './subscription.js'
import type { Shards } from './wire.js'

const againMs = 500

/** Channels in a cluster, each heard at the node that has its slot. Where slots move, the channels follow. */
export class ShardedSubscription implements Subscription {
  readonly #shards: Shards
  readonly #listener: Listener
  readonly #options: SubscriptionOptions
  readonly #nodes = new Map<string, Promise<EarSubscription>>()
  readonly #places = new Map<string, string>()
  readonly #channels = new Set<string>()
  readonly #turns = new Map<string, Promise<void>>()
  readonly #unwatch: () => void
  #again: Cancel | undefined
  #closed = false

  constructor(shards: Shards, listener: Listener, options: SubscriptionOptions) {
    this.#shards = shards
    this.#listener = listener
    this.#options = { ...options, lost: () => this.#soon(), refused: () => this.#soon() }
    this.#unwatch = shards.watch(() => void this.#placeAll())
  }

  add(channel: string): Promise<void> {
    this.#channels.add(channel)
    return this.#inTurn(channel, async () => {
      const node = await this.#nodeOf(channel)
      if (node === undefined) this.#soon()
      await node?.add(channel)
    })
  }

  remove(channel: string): Promise<void> {
    this.#channels.delete(channel)
    return this.#inTurn(channel, () => this.#leave(channel))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    this.#again?.()
    const nodes = await Promise.allSettled(this.#nodes.values())
    await Promise.all(nodes.flatMap((node) => (node.status === 'fulfilled' ? [node.value.close()] : [])))
  }

  /** What is done about a channel is done one after another. */
  #inTurn<Result>(channel: string, act: () => Promise<Result>): Promise<Result> {
    const acted = (this.#turns.get(channel) ?? Promise.resolve()).then(act)
    const ended = acted.then(
      () => undefined,
      () => undefined,
    )
    this.#turns.set(channel, ended)
    void ended.then(() => this.#turns.get(channel) === ended && this.#turns.delete(channel))
    return acted
  }

  /** The subscription at the node that has the channel's slot now. */
  async #nodeOf(channel: string): Promise<EarSubscription | undefined> {
    const address = await this.#shards.addressOf(channel).catch(() => undefined)
    if (address === undefined || this.#closed) return undefined
    this.#places.set(channel, address)
    let node = this.#nodes.get(address)
    if (node === undefined) {
      node = new EarSubscription(this.#listener, this.#options).open((heard) => this.#shards.ears(address, heard))
      this.#nodes.set(address, node)
      node.catch(() => this.#nodes.delete(address))
    }
    return node
  }

  #soon(): void {
    if (this.#closed) return
    this.#again ??= this.#options.clock.after(againMs, () => {
      this.#again = undefined
      void this.#placeAll()
    })
  }

  async #placeAll(): Promise<void> {
    const moved = await Promise.all([...this.#channels].map((channel) => this.#inTurn(channel, () => this.#place(channel)).catch(() => this.#soon())))
    if (!this.#closed && moved.some((each) => each === true)) this.#listener.gap()
  }

  /** Answers whether it had to follow its slot. */
  async #place(channel: string): Promise<boolean> {
    if (!this.#channels.has(channel)) return false
    const before = this.#places.get(channel)
    const address = await this.#shards.addressOf(channel)
    if (address === undefined) this.#soon()
    if (address === undefined || address === before) return false
    await this.#leave(channel)
    const node = await this.#nodeOf(channel)
    await node?.add(channel)
    return before !== undefined
  }

  /** A node with nothing left to hear is left. */
  async #leave(channel: string): Promise<void> {
    const address = this.#places.get(channel)
    this.#places.delete(channel)
    if (address === undefined) return
    const node = await this.#nodes.get(address)
    await node?.remove(channel)
    if (node === undefined || node.channels.length > 0) return
    this.#nodes.delete(address)
    await node.close()
  }
}
