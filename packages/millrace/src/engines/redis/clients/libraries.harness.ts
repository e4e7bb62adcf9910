import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { createClient, createCluster, createSentinel } from 'redis'
import { createClient as createClient5, createCluster as createCluster5, createSentinel as createSentinel5 } from 'redis-5'

/** A client as a user would make it, and how the user ends it. */
export interface Made {
  readonly client: unknown
  end(): Promise<void>
}

export interface Sentinels {
  readonly sentinels: readonly string[]
  readonly primaryName: string
}

/** A library, and how a user makes clients of it. */
export interface Library {
  readonly name: string
  /** Why it cannot be tried with Sentinels. */
  readonly noSentinels?: string
  /** Why a connection whose other end is gone without a word cannot be made anew. */
  readonly noRenewal?: string
  standalone(url: string): Promise<Made>
  sentinel(at: Sentinels): Promise<Made>
  cluster(addresses: readonly string[]): Promise<Made>
}

const places = (addresses: readonly string[]): { host: string; port: number }[] => addresses.map((address) => ({ host: address.split(':')[0] ?? '', port: Number(address.split(':')[1]) }))

interface Ending {
  on(event: 'error', call: () => void): unknown
  disconnect(): void
}

/** `error` is listened to as any user has to. */
function made<Client extends Ending>(client: Client): Promise<Made> {
  client.on('error', () => undefined)
  return Promise.resolve({ client, end: () => Promise.resolve(client.disconnect()) })
}

interface Opening {
  readonly isOpen: boolean
  on(event: 'error', call: () => void): unknown
  connect(): Promise<unknown>
  destroy(): unknown
}

/** One that is alone is not waited for: with a wrong password it tries for ever. */
async function opened<Client extends Opening>(client: Client, waits = true): Promise<Made> {
  client.on('error', () => undefined)
  const connected = client.connect().catch(() => undefined)
  if (waits) await connected
  return { client, end: async () => void (client.isOpen && (await client.destroy())) }
}

/** It makes no client while nobody lets it in; `lazyConnect` is told of that by the calls. */
async function glide(kind: typeof GlideClient | typeof GlideClusterClient, addresses: readonly string[], url = 'redis://'): Promise<Made> {
  Logger.init('off')
  const { username, password } = new URL(url)
  const credentials = password === '' ? {} : { credentials: { password, ...(username === '' ? {} : { username }) } }
  const client = await kind.createClient({ addresses: places(addresses), requestTimeout: 10_000, lazyConnect: true, ...credentials })
  return { client, end: () => Promise.resolve(client.close()) }
}

export const libraries: readonly Library[] = [
  {
    name: 'ioredis 6',
    standalone: (url) => made(new Redis(url)),
    sentinel: ({ sentinels, primaryName }) => made(new Redis({ sentinels: places(sentinels), name: primaryName })),
    cluster: (addresses) => made(new Cluster(places(addresses))),
  },
  {
    name: 'ioredis 5',
    standalone: (url) => made(new Redis5(url)),
    sentinel: ({ sentinels, primaryName }) => made(new Redis5({ sentinels: places(sentinels), name: primaryName })),
    cluster: (addresses) => made(new Cluster5(places(addresses))),
  },
  {
    name: 'iovalkey',
    standalone: (url) => made(new Valkey(url)),
    sentinel: ({ sentinels, primaryName }) => made(new Valkey({ sentinels: places(sentinels), name: primaryName })),
    cluster: (addresses) => made(new ValkeyCluster(places(addresses))),
  },
  {
    name: 'node-redis 6',
    standalone: (url) => opened(createClient({ url }), false),
    sentinel: ({ sentinels, primaryName }) => opened(createSentinel({ name: primaryName, sentinelRootNodes: places(sentinels) })),
    cluster: (addresses) => opened(createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) })),
  },
  {
    name: 'node-redis 5',
    standalone: (url) => opened(createClient5({ url }), false),
    sentinel: ({ sentinels, primaryName }) => opened(createSentinel5({ name: primaryName, sentinelRootNodes: places(sentinels) })),
    cluster: (addresses) => opened(createCluster5({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) })),
  },
  {
    name: 'GLIDE',
    noSentinels: 'GLIDE has no Sentinels',
    noRenewal: 'GLIDE keeps its connections to itself, and a silent one until the system gives it up',
    standalone: (url) => glide(GlideClient, [new URL(url).host], url),
    sentinel: () => Promise.reject(new Error('GLIDE has no Sentinels')),
    cluster: (addresses) => glide(GlideClusterClient, addresses),
  },
]
