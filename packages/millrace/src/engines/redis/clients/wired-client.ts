import type { Command, Listener, RedisClient, RedisConnection, Reply, Subscription } from '../port.js'
import { type CallOptions, Calls } from './calls.js'
import { ShardedSubscription } from './sharded-subscription.js'
import { EarSubscription } from './subscription.js'
import type { ClientWire } from './wire.js'

/** A client of any library, over the wire of its adapter. */
export class WiredClient extends Calls implements RedisClient {
  readonly #wire: ClientWire
  readonly #options: CallOptions

  constructor(wire: ClientWire, options: CallOptions) {
    super(wire, options)
    this.#wire = wire
    this.#options = options
  }

  get name(): string {
    return this.#wire.name
  }

  get isCluster(): boolean {
    return this.#wire.isCluster
  }

  async everywhere(args: Command): Promise<readonly Reply[]> {
    const writers = await this.#wire.writers()
    return Promise.all(writers.map((each) => new Calls(each, this.#options).command(args)))
  }

  subscribe(listener: Listener, sharded = false): Promise<Subscription> {
    const { shards } = this.#wire
    if (sharded && shards !== undefined) return Promise.resolve(new ShardedSubscription(shards, listener, this.#options))
    return new EarSubscription(listener, this.#options).open((heard) => this.#wire.ears(heard, sharded))
  }

  async duplicate(): Promise<RedisConnection & { close(): Promise<void> }> {
    const wire = await this.#wire.duplicate()
    const calls = new Calls(wire, this.#options)
    return { command: (...args) => calls.command(...args), run: (...args) => calls.run(...args), close: () => wire.close() }
  }
}
