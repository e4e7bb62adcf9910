import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { now, within } from './deadline.js'
import { code, isSilence } from './failure.js'
import type { Broker, Cluster, ConnectionPool, KafkaJsModule, Metadata, Place } from './module.js'
import type { KafkaJsSettings } from './settings.js'
import { Sockets } from './sockets.js'

export type Partitions = ReadonlyMap<number, { readonly leader: number; readonly replicas: number }>

/** What coordinates an id: consumer groups, or transactions. */
export type Coordinates = 'group' | 'transaction'

const coordinatorTypes = { group: 0, transaction: 1 } as const
const requestMs = 10_000
const connectMs = 3_000
/** Other brokers know the same. */
const metadataMs = 3_000
const suspectMs = 10_000

/** The brokers of a cluster and the connections to them: kafkajs's, one set for each Nodes. */
export class Nodes {
  readonly requestMs: Millis
  readonly #sockets: Sockets
  readonly #cluster: Cluster
  readonly #places = new Map<number, Place>()
  readonly #shared = new Map<number, Promise<Broker>>()
  readonly #made = new Set<Broker>()
  readonly #leaders = new Map<string, Partitions>()
  readonly #suspects = new Map<number, Millis>()
  #seed: Broker | undefined
  #seeds: number
  #closed = false

  constructor(module: KafkaJsModule, brokers: readonly string[], settings: KafkaJsSettings, clientId: string) {
    this.requestMs = settings.requestTimeout ?? requestMs
    this.#seeds = brokers.length
    this.#sockets = new Sockets(settings.socketFactory)
    this.#cluster = clusterOf(module, {
      logLevel: 0,
      connectionTimeout: connectMs,
      ...settings,
      brokers: [...brokers],
      clientId,
      requestTimeout: this.requestMs,
      socketFactory: this.#sockets.factory,
    })
  }

  /** A connected broker, shared by whoever asks for this node. */
  async broker(node: number): Promise<Broker> {
    const known = this.#shared.get(node)
    const broker = await known
    if (broker?.isConnected() === true) return broker
    const current = this.#shared.get(node)
    if (current !== undefined && current !== known) return current
    const connecting = broker === undefined ? this.own(node) : this.#reconnect(broker)
    this.#shared.set(node, connecting)
    connecting.catch(() => this.#shared.delete(node))
    return connecting
  }

  /** A connection of one's own: a broker answers the requests of a connection one after another. Give it back by `release`. */
  async own(node: number): Promise<Broker> {
    const place = this.#places.get(node) ?? (await this.#find(node))
    return this.#connect(await this.#cluster.connectionPoolBuilder.build(place), node)
  }

  release(broker: Broker): void {
    this.#made.delete(broker)
    void broker.disconnect().catch(() => undefined)
  }

  /** It has not answered: others are asked first for a while, and its connection is built anew. */
  suspect(node: number | null): void {
    const broker = node === null ? Promise.resolve(this.#seed) : this.#shared.get(node)
    if (node === null) this.#seed = undefined
    else {
      this.#suspects.set(node, now() + suspectMs)
      this.#shared.delete(node)
    }
    void broker?.then((each) => (each === undefined ? undefined : this.release(each))).catch(() => undefined)
  }

  /** Any broker that can be reached. */
  async any(): Promise<Broker> {
    const free = [...this.#places.keys()].filter((node) => now() >= (this.#suspects.get(node) ?? 0))
    for (const node of free) {
      try {
        return await this.broker(node)
      } catch {
        if (this.#closed) break
      }
    }
    if (this.#seed?.isConnected() === true) return this.#seed
    let reason = new Error('the client is closed')
    for (let left = this.#seeds; left > 0 && !this.#closed; left -= 1) {
      try {
        this.#seed = await this.#connect(await this.#cluster.connectionPoolBuilder.build())
        return this.#seed
      } catch (error) {
        if (error instanceof Error) reason = error
      }
    }
    throw reason
  }

  /** Asks the cluster about a topic. Undefined when there is none of this name. */
  async look(topic: string): Promise<Partitions | undefined> {
    const { topicMetadata } = await this.metadata([topic])
    const found = topicMetadata.find((each) => each.topic === topic)
    if (found === undefined || found.topicErrorCode === code.unknownTopic) {
      this.#leaders.delete(topic)
      return undefined
    }
    if (found.topicErrorCode === code.topicForbidden) throw new MillraceError('FORBIDDEN', `topic ${topic}: the broker refuses to describe it`)
    const partitions = new Map(found.partitionMetadata.map(({ partitionId, leader, replicas }) => [partitionId, { leader, replicas: replicas.length }]))
    this.#leaders.set(topic, partitions)
    return partitions
  }

  /** The leader of a partition as last seen; -1 for none, undefined when it must be looked for. */
  leader(topic: string, partition: number): number | undefined {
    return this.#leaders.get(topic)?.get(partition)?.leader
  }

  forget(topic: string): void {
    this.#leaders.delete(topic)
  }

  async coordinator(of: Coordinates, id: string): Promise<number> {
    const broker = await this.any()
    const asking = broker.findGroupCoordinator({ groupId: id, coordinatorType: coordinatorTypes[of] })
    const { coordinator } = await within(metadataMs, `looking for the coordinator of ${id}`, asking).catch((error: unknown) => {
      if (isSilence(error)) this.suspect(broker.nodeId)
      throw error
    })
    this.#places.set(coordinator.nodeId, { host: coordinator.host, port: coordinator.port })
    return coordinator.nodeId
  }

  /** What one broker knows; errors of single topics are part of the answer. Naming no topic would ask for all of them. */
  async metadata(topics: readonly string[]): Promise<Metadata> {
    for (let left = Math.max(this.#places.size, 1); ; left -= 1) {
      const broker = await this.any()
      try {
        const answer = await within(metadataMs, `asking ${broker.nodeId === null ? 'a broker' : `node ${broker.nodeId}`}`, tolerant(broker).metadata(topics.length === 0 ? ['__consumer_offsets'] : topics))
        this.#learn(answer)
        return answer
      } catch (error) {
        if (isSilence(error)) this.suspect(broker.nodeId)
        if (left <= 1 || this.#closed) throw error
      }
    }
  }

  /** All nodes of the cluster. */
  async all(): Promise<readonly number[]> {
    const { brokers } = await this.metadata([])
    return brokers.map(({ nodeId }) => nodeId)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#sockets.destroy()
    const ends = [...this.#made].map((broker) => broker.disconnect().catch(() => undefined))
    await within(1_000, 'closing connections', Promise.all(ends)).catch(() => undefined)
    this.#made.clear()
    this.#shared.clear()
  }

  #learn({ brokers }: Metadata): void {
    for (const { nodeId, host, port } of brokers) {
      const known = this.#places.get(nodeId)
      if (known !== undefined && (known.host !== host || known.port !== port)) this.suspect(nodeId)
      this.#places.set(nodeId, { host, port })
    }
  }

  async #find(node: number): Promise<Place> {
    await this.metadata([])
    const place = this.#places.get(node)
    if (place === undefined) throw new MillraceError('ENGINE_FAILED', `the cluster does not know its node ${node} now`)
    return place
  }

  /** After a lost connection, and when its authentication has run out. */
  async #reconnect(broker: Broker): Promise<Broker> {
    try {
      await broker.connect()
      return broker
    } catch (error) {
      this.release(broker)
      throw error
    }
  }

  async #connect(connectionPool: ConnectionPool, node?: number): Promise<Broker> {
    if (this.#closed) throw new MillraceError('CLOSED', 'the client is closed')
    mendTimers(connectionPool)
    const broker = this.#cluster.brokerPool.createBroker({ connectionPool, logger: this.#cluster.rootLogger, ...(node === undefined ? {} : { nodeId: node }) })
    this.#made.add(broker)
    try {
      await broker.connect()
    } catch (error) {
      this.release(broker)
      throw error
    }
    if (!this.#closed) return broker
    this.release(broker)
    throw new MillraceError('CLOSED', 'the client is closed')
  }
}

/**
 * The queue of a kafkajs connection looks again and again, each millisecond, whether something waits in it, also when nothing does: 3 % of
 * a core when idle, and from Node 24 on a warning about negative timers.
 */
function mendTimers({ pool }: ConnectionPool): void {
  for (const { requestQueue } of pool) {
    const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue)
    requestQueue.scheduleCheckPendingRequests = () => {
      if (requestQueue.pending.length > 0) schedule()
    }
  }
}

/** The same broker, whose answers are handed out also when a part of them is an error. */
function tolerant(broker: Broker): Broker {
  const { connectionPool } = broker
  const send: ConnectionPool['send'] = ({ response: { decode }, ...rest }) => connectionPool.send({ ...rest, response: { decode, parse: (decoded) => Promise.resolve(decoded) } })
  // kafkajs finds its own members through the prototype.
  return Object.create(broker, { connectionPool: { value: { pool: connectionPool.pool, send, destroy: () => broker.disconnect() } } }) as Broker
}

/** kafkajs hands its cluster to partition assigners; a consumer that never runs is made for its sake. */
function clusterOf(module: KafkaJsModule, config: Readonly<Record<string, unknown>> & { readonly brokers: string[] }): Cluster {
  const Kafka = module.Kafka ?? module.default?.Kafka
  if (typeof Kafka !== 'function') throw new MillraceError('CONFIG', "kafkajs: `module` is what `await import('kafkajs')` gives", { field: 'module' })
  let cluster: unknown
  new Kafka(config).consumer({
    groupId: 'millrace',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (given) => {
        cluster = given.cluster
        return { name: 'none', version: 0, assign: () => Promise.reject(new Error('never runs')), protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }) }
      },
    ],
  })
  if (isCluster(cluster)) return cluster
  throw new MillraceError('CONFIG', 'kafkajs: this version is not known here; 2.2.4 is', { field: 'module' })
}

function isCluster(given: unknown): given is Cluster {
  return typeof given === 'object' && given !== null && 'connectionPoolBuilder' in given && 'brokerPool' in given && 'rootLogger' in given
}
