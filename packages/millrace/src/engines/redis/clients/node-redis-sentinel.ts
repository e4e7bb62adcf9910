import { MillraceError } from '../../../core/index.js'
import type { Command } from '../port.js'
import type { Failure } from './failure.js'
import { asBytes, nodeRedisFailure, words } from './node-redis.js'
import type { NodeRedisSentinel } from './node-redis-structure.js'
import type { ClientWire, Ears, Heard, Wire } from './wire.js'

/** A Sentinel client of node-redis. */
export class NodeRedisSentinelWire implements ClientWire {
  readonly name = 'node-redis'
  readonly isCluster = false
  readonly #sentinel: NodeRedisSentinel

  constructor(sentinel: NodeRedisSentinel) {
    this.#sentinel = sentinel
  }

  send(args: Command): Promise<unknown> {
    return this.#sentinel.sendCommand(false, words(args), asBytes)
  }

  failureOf(error: unknown): Failure {
    return nodeRedisFailure(error, this.#sentinel.isOpen)
  }

  writers(): Promise<readonly Wire[]> {
    return Promise.resolve([this])
  }

  /** It has a connection for listening of its own, and takes it along to another primary. */
  ears(heard: Heard): Promise<Ears> {
    const hear = (text: string, channel: string): void => heard.message(channel, text)
    let open = true
    this.#sentinel.on('topology-change', () => open && heard.ready())
    queueMicrotask(() => heard.ready())
    return Promise.resolve({
      subscribe: (channels) => this.#sentinel.subscribe(channels, hear),
      unsubscribe: (channels) => this.#sentinel.unsubscribe(channels, hear),
      close: () => {
        open = false
      },
    })
  }

  async duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const { duplicate } = this.#sentinel
    if (duplicate === undefined) throw new MillraceError('CONFIG', 'client: a second Sentinel client cannot be made of one of node-redis 5: hand in one of node-redis 6 or newer, or of ioredis', { field: 'client' })
    const own = duplicate.call(this.#sentinel, { masterPoolSize: 1 })
    own.on('error', () => undefined)
    await own.connect()
    return Object.assign(new NodeRedisSentinelWire(own), { close: async () => void (await own.destroy()) })
  }
}
