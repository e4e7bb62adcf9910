import { MillraceError } from '../../../core/index.js'
import type { Command } from '../port.js'
import type { Failure } from './failure.js'
import { checkOptions, earsOn, ioredisFailure, sendOn } from './ioredis.js'
import type { IoredisCluster, IoredisNode } from './ioredis-structure.js'
import { ofConnection, slotOf } from './slots.js'
import type { ClientWire, Ears, Heard, Shards, Wire } from './wire.js'

/** A cluster of ioredis or iovalkey. */
export class IoredisClusterWire implements ClientWire {
  readonly name = 'ioredis'
  readonly isCluster = true
  readonly #cluster: IoredisCluster
  readonly shards: Shards

  constructor(cluster: IoredisCluster) {
    const { options } = cluster
    checkOptions(options)
    checkOptions(options.redisOptions)
    if (options.scaleReads !== undefined && options.scaleReads !== 'master') {
      throw new MillraceError('CONFIG', 'client: scaleReads lets replicas answer, which may be behind: hand in a cluster with scaleReads master', { field: 'client' })
    }
    this.#cluster = cluster
    this.shards = { addressOf: (channel) => this.#addressOf(channel), ears: (address, heard) => this.#earsAt(address, heard), watch: (moved) => this.#watch(moved) }
  }

  send(args: Command, key: string | undefined): Promise<unknown> {
    const node = key !== undefined && ofConnection.has(args[0]) ? this.#nodeAt(this.#cluster.slots[slotOf(key)]?.[0]) : undefined
    // iovalkey finds the keys of a command only by its name in small letters.
    return node === undefined ? sendOn(this.#cluster, [args[0].toLowerCase(), ...args.slice(1)]) : sendOn(node, args)
  }

  failureOf(error: unknown): Failure {
    return ioredisFailure(error, this.#cluster.status)
  }

  late(key: string | undefined, silent: boolean): void {
    const node = silent && key !== undefined ? this.#nodeAt(this.#cluster.slots[slotOf(key)]?.[0]) : undefined
    if (node?.status === 'ready') node.disconnect(true)
  }

  async writers(): Promise<readonly Wire[]> {
    await this.#reached()
    return this.#cluster.nodes('master').map((node) => ({ send: (args) => sendOn(node, args), failureOf: (error) => ioredisFailure(error, node.status) }))
  }

  ears(heard: Heard): Promise<Ears> {
    const own = this.#duplicate()
    own.on('message', (channel: string, text: string) => heard.message(channel, text))
    own.on('ready', () => heard.ready())
    // Of the nodes one is listened to; where it goes, the client takes another and subscribes there by itself.
    own.on('+subscriber', () => own.status === 'ready' && heard.ready())
    own.on('close', () => heard.lost())
    return Promise.resolve({
      subscribe: (channels) => own.subscribe(...channels),
      unsubscribe: (channels) => own.unsubscribe(...channels),
      close: () => own.disconnect(),
    })
  }

  duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const own = this.#duplicate()
    return Promise.resolve(Object.assign(new IoredisClusterWire(own), { close: () => Promise.resolve(own.disconnect()) }))
  }

  #duplicate(): IoredisCluster {
    const own = this.#cluster.duplicate([], { clusterRetryStrategy: (times: number) => Math.min(times * 50, 1_000), enableOfflineQueue: true, lazyConnect: false })
    own.on('error', () => undefined)
    return own
  }

  /** Asked about any key there, the client learns where it has moved. */
  async #addressOf(channel: string): Promise<string | undefined> {
    await this.#cluster.callBuffer('exists', [channel]).catch(() => undefined)
    return this.#cluster.slots[slotOf(channel)]?.[0]
  }

  /** The client learns who is there with its first command. */
  async #reached(): Promise<void> {
    if (this.#cluster.status !== 'ready') await this.#cluster.callBuffer('cluster', ['INFO'])
  }

  #earsAt(address: string, heard: Heard): Promise<Ears> {
    const node = this.#nodeAt(address)
    return node === undefined ? Promise.reject(new Error(`the client has no connection to ${address}`)) : Promise.resolve(earsOn(node, heard, true))
  }

  #nodeAt(address: string | undefined): IoredisNode | undefined {
    return this.#cluster.nodes('all').find(({ options }) => (options.key ?? `${options.host}:${options.port}`) === address)
  }

  #watch(moved: () => void): () => void {
    const events = ['refresh', '+node', '-node']
    for (const event of events) this.#cluster.on(event, moved)
    return () => {
      for (const event of events) this.#cluster.off(event, moved)
    }
  }
}
