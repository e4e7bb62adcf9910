import type { Command } from '../port.js'
import type { Failure } from './failure.js'
import { asBytes, earsOn, end, nodeRedisFailure, renew, words } from './node-redis.js'
import type { NodeRedisClient, NodeRedisCluster } from './node-redis-structure.js'
import { ofConnection, slotOf } from './slots.js'
import type { ClientWire, Ears, Heard, Shards, Wire } from './wire.js'

/** A cluster client of node-redis. */
export class NodeRedisClusterWire implements ClientWire {
  readonly name = 'node-redis'
  readonly isCluster = true
  readonly #cluster: NodeRedisCluster
  readonly shards: Shards

  constructor(cluster: NodeRedisCluster) {
    this.#cluster = cluster
    this.shards = {
      addressOf: (channel) => this.#addressOf(channel),
      ears: async (address, heard) => earsOn(await this.#at(address), heard, true),
      watch: (moved) => this.#watch(moved),
    }
  }

  async send(args: Command, key: string | undefined): Promise<unknown> {
    const address = key !== undefined && ofConnection.has(args[0]) ? this.#cluster.slots[slotOf(key)]?.master.address : undefined
    if (address !== undefined) return (await this.#at(address)).sendCommand(words(args), asBytes)
    return this.#cluster.sendCommand(key, false, words(args), asBytes)
  }

  /** Before 6 it stays with a primary that is gone until another node says MOVED: one is asked. */
  late(key: string | undefined, silent: boolean): void {
    if (key === undefined) return
    const gone = this.#cluster.slots[slotOf(key)]?.master.address
    if (silent && gone !== undefined) void this.#at(gone).then(renew, () => undefined)
    for (let count = 0; count < 64; count += 1) {
      const elsewhere = this.#cluster.slots[slotOf(String(count))]?.master.address
      if (elsewhere === undefined || elsewhere === gone) continue
      void this.#cluster.sendCommand(String(count), false, ['EXISTS', key]).catch(() => undefined)
      return
    }
  }

  failureOf(error: unknown): Failure {
    return nodeRedisFailure(error, this.#cluster.isOpen)
  }

  writers(): Promise<readonly Wire[]> {
    const wireAt = async (address: string): Promise<Wire> => {
      const client = await this.#at(address)
      return { send: (args) => client.sendCommand(words(args), asBytes), failureOf: (error) => nodeRedisFailure(error, client.isOpen) }
    }
    return Promise.all(this.#cluster.masters.map(({ address }) => wireAt(address)))
  }

  /** At one node; what is published at any of them is heard at all. */
  async ears(heard: Heard): Promise<Ears> {
    const [first] = this.#cluster.masters
    if (first === undefined) throw new Error('the cluster client knows no node')
    return earsOn(await this.#at(first.address), heard, false)
  }

  async duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const own = this.#cluster.duplicate()
    own.on('error', () => undefined)
    await own.connect()
    return Object.assign(new NodeRedisClusterWire(own), { close: () => Promise.resolve(end(own)) })
  }

  /** Asked about any key there, the client learns where it has moved. */
  async #addressOf(channel: string): Promise<string | undefined> {
    await this.#cluster.sendCommand(channel, false, ['EXISTS', channel]).catch(() => undefined)
    return this.#cluster.slots[slotOf(channel)]?.master.address
  }

  async #at(address: string): Promise<NodeRedisClient> {
    const node = this.#cluster.masters.find((each) => each.address === address)
    if (node === undefined) throw new Error(`the cluster client has no node at ${address}`)
    return this.#cluster.nodeClient(node)
  }

  #watch(moved: () => void): () => void {
    let watching = true
    for (const event of ['node-ready', 'node-disconnect', 'sharded-channel-moved-error']) this.#cluster.on(event, () => watching && moved())
    return () => {
      watching = false
    }
  }
}
