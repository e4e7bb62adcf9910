import { noKafka, startKafka } from './kafka.mjs'
import { kafkaTool } from './kafka/tools.mjs'
import { lentNativeClient } from './native-client.mjs'
import { moveSlot, noRedis, redisTopologies, redisVersions, startRedis } from './redis.mjs'

/**
 * The servers that can be started here, by name.
 * - `options`: what can be asked for, by name: the values to choose from, the first of them by default, or `true` for a number.
 * - `start(options)` starts it; what it answers has `stop`. `facts(service)` is what is told of it to others, `given(env)` the same of a running one that the environment names
 *   (undefined where it names none), `environment(facts)` what a command is told that is run beside it.
 * - `checks`: what may be missing, each with why (undefined where it can run).
 * - `verbs`: what one that a test has for itself (own.mjs) can be told to do as a whole.
 * - `tool(facts, name, args, options)` runs one of its tools, `client()` says where the native client is.
 */
export const services = {
  kafka: {
    title: 'Kafka 4.3.1',
    options: { nodes: ['1', '3'] },
    start: ({ nodes, ...rest }) => startKafka({ nodes: Number(nodes), ...rest }),
    facts: ({ brokers }) => ({ brokers }),
    given: ({ SERVICES_KAFKA: named }) => (named ? { brokers: named.split(',') } : undefined),
    environment: ({ brokers }) => ({ KAFKA: brokers.join(',') }),
    checks: { kafka: noKafka },
    tool: ({ brokers }, ...rest) => kafkaTool(brokers, ...rest),
    client: lentNativeClient,
  },
  redis: {
    title: 'Redis',
    options: { version: redisVersions, topology: redisTopologies, replicas: true },
    start: ({ replicas, ...rest }) => startRedis({ ...rest, ...(replicas === undefined ? {} : { replicas: Number(replicas) }) }),
    facts: ({ version, topology, url, nodes, sentinels, primaryName }) => ({
      version,
      topology,
      url,
      addresses: nodes.map(({ address }) => address),
      ...(sentinels.length === 0 ? {} : { sentinels: sentinels.map(({ address }) => address), primaryName }),
    }),
    given: ({ SERVICES_REDIS: url }, asked) => (url && asked.version === undefined && asked.topology === undefined ? { topology: 'standalone', url, addresses: [new URL(url).host] } : undefined),
    environment: ({ url }) => ({ REDIS: url }),
    verbs: { moveSlot: ({ nodes }, slot, from, to) => moveSlot({ slot, from: nodes[from], to: nodes[to], nodes }) },
    checks: Object.fromEntries(redisVersions.map((version) => [version.startsWith('valkey') ? version : `redis-${version}`, () => noRedis(version)])),
  },
}
