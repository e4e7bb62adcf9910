import { MillraceError, type Clock, type Millis, systemClock } from '../../../core/index.js'
import type { RedisClient } from '../port.js'
import { GlideWire } from './glide.js'
import type { GlideClient } from './glide-structure.js'
import { IoredisWire } from './ioredis.js'
import { IoredisClusterWire } from './ioredis-cluster.js'
import type { IoredisCluster, IoredisNode } from './ioredis-structure.js'
import { NodeRedisWire } from './node-redis.js'
import { NodeRedisClusterWire } from './node-redis-cluster.js'
import { NodeRedisSentinelWire } from './node-redis-sentinel.js'
import type { NodeRedisClient, NodeRedisCluster, NodeRedisSentinel } from './node-redis-structure.js'
import { WiredClient } from './wired-client.js'
import type { ClientWire } from './wire.js'

export interface ClientOptions {
  /** How long a call may take, whatever the client does with it. Default 10,000. */
  readonly deadlineMs?: Millis
  readonly clock?: Clock
}

/**
 * The client that a user hands in, known by what it can do: a Redis or Cluster of ioredis or iovalkey, a client or cluster of node-redis 5 or newer.
 * (also its Sentinel client). Anything else is refused with CONFIG.
 */
export function clientOf(handedIn: unknown, { deadlineMs = 10_000, clock = systemClock }: ClientOptions = {}): RedisClient {
  return new WiredClient(wireOf(handedIn), { deadlineMs, clock })
}

const ioredisVerbs = ['callBuffer', 'duplicate', 'subscribe', 'on', 'disconnect']
const ioredisClusterVerbs = [...ioredisVerbs, 'nodes']
const glideVerbs = ['customCommand', 'subscribe', 'unsubscribe', 'close']
const nodeRedisVerbs = ['sendCommand', 'connect', 'destroy', 'duplicate', 'subscribe', 'sSubscribe', 'on']
const nodeRedisSentinelVerbs = ['sendCommand', 'connect', 'destroy', 'subscribe', 'getMasterNode', 'on']
const nodeRedisClusterVerbs = ['sendCommand', 'connect', 'destroy', 'duplicate', 'nodeClient', 'on']

function wireOf(client: unknown): ClientWire {
  if (typeof client !== 'object' || client === null) throw refused(`is ${client === null ? 'null' : typeof client}`)
  if (isIoredisCluster(client)) return new IoredisClusterWire(client)
  if (isIoredis(client)) return new IoredisWire(client)
  if (isNodeRedisCluster(client)) return new NodeRedisClusterWire(client)
  if (isNodeRedisSentinel(client)) return new NodeRedisSentinelWire(client)
  if (isNodeRedis(client)) return new NodeRedisWire(client)
  if (isGlide(client)) return new GlideWire(client)
  if ('customCommand' in client) throw refused(`looks like GLIDE, but has no ${missingIn(client, glideVerbs) || 'config'}: 2.0 or newer has`)
  if ('callBuffer' in client) throw refused(`looks like ioredis, but has no ${missingIn(client, 'isCluster' in client && client.isCluster ? ioredisClusterVerbs : ioredisVerbs)}`)
  if ('sendCommand' in client) throw refused(`looks like node-redis, but has no ${missingIn(client, 'nodeClient' in client ? nodeRedisClusterVerbs : nodeRedisVerbs)}`)
  throw refused('has neither callBuffer (ioredis, iovalkey) nor sendCommand (node-redis) nor customCommand (GLIDE)')
}

function refused(what: string): MillraceError {
  return new MillraceError('CONFIG', `client ${what}: hand in a Redis or Cluster of ioredis or iovalkey, a client or cluster of node-redis 5 or newer, or a client of GLIDE 2`, { field: 'client' })
}

function isIoredisCluster(client: object): client is IoredisCluster {
  return 'isCluster' in client && client.isCluster === true && 'slots' in client && missingIn(client, ioredisClusterVerbs) === ''
}

function isIoredis(client: object): client is IoredisNode {
  return !('isCluster' in client && client.isCluster === true) && 'status' in client && missingIn(client, ioredisVerbs) === ''
}

function isNodeRedisCluster(client: object): client is NodeRedisCluster {
  return 'slots' in client && 'masters' in client && missingIn(client, nodeRedisClusterVerbs) === ''
}

function isNodeRedis(client: object): client is NodeRedisClient {
  return !('nodeClient' in client) && 'isOpen' in client && missingIn(client, nodeRedisVerbs) === ''
}

function isNodeRedisSentinel(client: object): client is NodeRedisSentinel {
  return 'isOpen' in client && missingIn(client, nodeRedisSentinelVerbs) === ''
}

function isGlide(client: object): client is GlideClient {
  return 'config' in client && typeof client.config === 'object' && missingIn(client, glideVerbs) === ''
}

function missingIn(client: object, verbs: readonly string[]): string {
  return verbs.filter((verb) => typeof Reflect.get(client, verb) !== 'function').join(', ')
}
