import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './ports.mjs'
import { joinCluster } from './redis/cluster.mjs'
import { RedisNode } from './redis/node.mjs'
import { clusterSettingsOf, sentinelSettingsOf, settingsOf } from './redis/settings.mjs'
import { until } from './redis/until.mjs'
import { redisOf } from './redis/versions.mjs'

export { moveSlot } from './redis/cluster.mjs'
export { noRedis, redisVersions } from './redis/versions.mjs'

/** What Sentinel calls the primary. */
const primaryName = 'millrace'
const topologies = {
  standalone: { replicas: 0, nodes: ({ replicas }) => 1 + replicas, sentinels: 0 },
  sentinel: { replicas: 1, nodes: ({ replicas }) => 1 + replicas, sentinels: 3 },
  cluster: { replicas: 0, nodes: ({ replicas }) => 3 * (1 + replicas), sentinels: 0 },
}
export const redisTopologies = Object.keys(topologies)

/**
 * Starts Redis or Valkey on free ports of this host, and answers when it serves.
 * - `version`: '7.0', '8.2', 'valkey-9'.
 * - `topology`: 'standalone'; 'sentinel', a primary with a replica and three Sentinels; 'cluster', three primaries.
 * - `replicas`: of each primary. Absent: 1 with Sentinel, else none.
 * - `config`: for redis.conf of every node, on top of redis/settings.mjs; a list is one line for each of its items. `requirepass` is what the replicas and the Sentinels use too.
 * - `env`: for the servers' processes, on top of this one's.
 * - `folder`: for data and logs; what lies there from an earlier start is used again, with its ports. Absent: one in the system's temporary folder, removed by `stop`.
 *
 * Answers `{ title, version, topology, url, nodes, sentinels, primaryName, folder, stop }`. `nodes` begin with the primaries. A node (redis/node.mjs) can be killed, stopped, paused
 * and started again, and `call`ed; its port and its data stay. `url` is that of the first.
 */
export async function startRedis({ version = '7.0', topology = 'standalone', replicas, config = {}, env, folder } = {}) {
  if (!Object.hasOwn(topologies, topology)) throw new Error(`no topology ${topology}: ${redisTopologies.join(', ')}`)
  const { title, program } = await redisOf(version)
  const home = folder ?? mkdtempSync(join(tmpdir(), 'millrace-redis-'))
  const made = await nodesIn({ home, topology, replicas: replicas ?? topologies[topology].replicas, config, env, program })
  const all = [...made.nodes, ...made.sentinels]
  const end = async (node) => (folder === undefined ? node.kill() : node.stop())
  const stop = async () => {
    await Promise.all(all.map(end))
    if (folder === undefined) rmSync(home, { recursive: true, force: true })
  }
  try {
    await made.serve()
  } catch (error) {
    await Promise.all(all.map((node) => node.kill()))
    if (folder === undefined) rmSync(home, { recursive: true, force: true })
    throw error
  }
  const password = config.requirepass === undefined ? '' : `:${config.requirepass}@`
  return { title, version, topology, url: `redis://${password}${made.nodes[0].address}`, nodes: made.nodes, sentinels: made.sentinels, primaryName, folder: home, stop }
}

async function nodesIn({ home, topology, replicas, config, env, program }) {
  const shape = topologies[topology]
  const counts = { nodes: shape.nodes({ replicas }), sentinels: shape.sentinels }
  const ports = await portsIn(home, counts.nodes * 2 + counts.sentinels)
  const password = config.requirepass
  const nodeAt = (index) => {
    const [port, busPort] = ports.slice(index * 2)
    const settings = topology === 'cluster' ? clusterSettingsOf({ port, busPort, config }) : settingsOf({ port, config: index === 0 ? config : { ...config, replicaof: `127.0.0.1 ${ports[0]}` } })
    return new RedisNode({ id: index + 1, home, port, program, settings, password, env })
  }
  const sentinelAt = (index) => {
    const port = ports[counts.nodes * 2 + index]
    const settings = sentinelSettingsOf({ port, name: primaryName, primary: ports[0], password })
    return new RedisNode({ id: counts.nodes + index + 1, home, port, program, settings, sentinel: true })
  }
  const nodes = Array.from({ length: counts.nodes }, (_, index) => nodeAt(index))
  const sentinels = Array.from({ length: counts.sentinels }, (_, index) => sentinelAt(index))
  return { nodes, sentinels, serve: () => serve({ topology, nodes, sentinels }) }
}

async function serve({ topology, nodes, sentinels }) {
  await Promise.all(nodes.map((node) => node.start()))
  if (topology === 'cluster') return joinCluster(nodes, 3)
  await until(() => allCopied(nodes), 'the replicas have copied their primary')
  await Promise.all(sentinels.map((node) => node.start()))
  await until(() => allSeen(sentinels, nodes.length - 1), 'the Sentinels know each other and the replicas')
}

async function allCopied(nodes) {
  const infos = await Promise.all(nodes.map((node) => node.call('INFO', 'replication')))
  return infos.every((info) => info.includes('role:master') || info.includes('master_link_status:up'))
}

async function allSeen(sentinels, replicas) {
  const infos = await Promise.all(sentinels.map((node) => node.call('INFO', 'sentinel')))
  return infos.every((info) => info.includes(`slaves=${replicas},sentinels=${sentinels.length}`))
}

/** As many as asked for, from the folder or new. */
async function portsIn(home, count) {
  const file = join(home, 'ports.json')
  if (existsSync(file)) {
    const ports = JSON.parse(readFileSync(file, 'utf8'))
    if (ports.length !== count) throw new Error(`${home} has another number of nodes than was asked for: take another folder`)
    return ports
  }
  mkdirSync(home, { recursive: true })
  const ports = await freePorts(count)
  writeFileSync(file, JSON.stringify(ports))
  return ports
}
