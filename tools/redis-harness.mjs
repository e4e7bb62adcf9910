import { redisTopologies, redisVersions, startRedis } from './services/redis.mjs'

const places = (addresses) => addresses.map((address) => ({ host: address.split(':')[0], port: Number(address.split(':')[1]) }))

/** `error` is listened to as any user has to. */
function ended(client, end = async () => client.disconnect()) {
  client.on('error', () => undefined)
  return { client, end }
}

async function opened(client) {
  const made = ended(client, async () => client.destroy())
  await client.connect()
  return made
}

const ioredis = async ({ Redis, Cluster }) => ({
  standalone: async ({ url }) => ended(new Redis(url)),
  sentinel: async ({ sentinels, primaryName }) => ended(new Redis({ sentinels: places(sentinels), name: primaryName })),
  cluster: async ({ addresses }) => ended(new Cluster(places(addresses))),
})

/** The libraries that the engine on Redis works with, by name, and how a user makes a client for each topology. */
const libraries = {
  ioredis: async () => ioredis(await import('ioredis')),
  iovalkey: async () => ioredis(await import('iovalkey')),
  async redis() {
    const { createClient, createCluster, createSentinel } = await import('redis')
    return {
      standalone: async ({ url }) => opened(createClient({ url })),
      sentinel: async ({ sentinels, primaryName }) => opened(createSentinel({ name: primaryName, sentinelRootNodes: places(sentinels) })),
      cluster: async ({ addresses }) => opened(createCluster({ rootNodes: addresses.map((address) => ({ url: `redis://${address}` })) })),
    }
  },
  async glide() {
    const { GlideClient, GlideClusterClient, Logger } = await import('@valkey/valkey-glide')
    Logger.init('off')
    const make = async (kind, addresses) => {
      const client = await kind.createClient({ addresses: places(addresses), requestTimeout: 10_000 })
      return { client, end: async () => client.close() }
    }
    return { standalone: ({ url }) => make(GlideClient, [new URL(url).host]), cluster: ({ addresses }) => make(GlideClusterClient, addresses) }
  },
}

export const redisClients = Object.keys(libraries)

/** `{ client, end }` of this library, for a server of this topology: `at` has `url` of a standalone one, `sentinels` and `primaryName`, or `addresses` of a cluster. */
export async function redisClient(library, topology, at) {
  const makers = await libraries[library]()
  return makers[topology](at)
}

export { redisTopologies, redisVersions }

/** A server of its own, or the one at SERVICES_REDIS (a URL, or addresses of a cluster or of Sentinels), and a maker of harnesses on it. `stop` ends what was started. */
export async function redisHarnesses({ client = 'ioredis', topology = 'standalone', server = '7.0', timeScale = 1 }) {
  const given = process.env.SERVICES_REDIS
  const at = given ? { ...placesGiven(given, topology), stop: async () => undefined } : await started({ topology, server })
  const make = await makerOf(client, topology)
  const { redisHarness } = await import('../packages/millrace/dist/testing/harness/redis.js')
  const beat = `${import.meta.resolve('./redis-beat.mjs')}?${new URLSearchParams({ client, topology, at: JSON.stringify({ ...at, stop: undefined }) })}`
  return { makeHarness: () => redisHarness(() => make(at), { timeScale, beat }), stop: () => at.stop() }
}

/** Makes clients of a library for a topology. */
export async function makerOf(client, topology) {
  return (await libraries[client]())[topology]
}

function placesGiven(given, topology) {
  if (topology === 'standalone') return { url: given.includes('://') ? given : `redis://${given}` }
  const addresses = given.split(',')
  return { addresses, sentinels: addresses, primaryName: 'millrace' }
}

async function started({ topology, server }) {
  const redis = await startRedis({ version: server, topology, config: { appendonly: 'yes' } })
  const { url, nodes, sentinels, primaryName, stop } = redis
  return { url, addresses: nodes.map(({ address }) => address), sentinels: sentinels.map(({ address }) => address), primaryName, stop }
}
