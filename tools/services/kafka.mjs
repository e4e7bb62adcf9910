import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './command.mjs'
import { kafkaJvm } from './kafka/jvm.mjs'
import { settingsOf } from './kafka/settings.mjs'
import { kafkaTool } from './kafka/tools.mjs'
import { freePorts } from './ports.mjs'
import { ServiceProcess } from './process.mjs'

export { noKafka } from './kafka/jvm.mjs'

/**
 * Starts Kafka, one node or three, on free ports of this host, and answers when it serves.
 * - `folder`: for data and logs; what lies there from an earlier start is used again, with its ports. Absent: one in the system's temporary folder, removed by `stop`.
 * - `settings`: for server.properties, on top of kafka/settings.mjs; or a function that answers them for one node's `{ id, broker, controller }`, the latter two its ports.
 * - `heapMb`: of each node.
 * - `load`: true for benchmarks. Java then compiles all it can, which costs more at each start than a test ever gets back.
 *
 * Answers `{ brokers, nodes, folder, tool, stop }`. A node (process.mjs) can be killed, stopped, paused and started again; its ports and its data stay.
 */
export async function startKafka({ nodes: count = 1, folder, settings = {}, heapMb = count === 1 ? 512 : 384, load = false } = {}) {
  const jvm = await kafkaJvm()
  const home = folder ?? mkdtempSync(join(tmpdir(), 'millrace-kafka-'))
  const cluster = await clusterIn(home, count)
  const nodes = cluster.ports.map((_, index) => nodeOf({ id: index + 1, home, cluster, settings, command: jvm.command, args: (log) => jvm.server({ heapMb, load, log }) }))
  const brokers = cluster.ports.map(({ broker }) => `127.0.0.1:${broker}`)
  const stop = async () => {
    // The last of three would wait for a majority that is gone; where nothing is kept nobody waits.
    await Promise.all(nodes.map((node) => (folder === undefined ? node.kill() : node.stop())))
    if (folder === undefined) rmSync(home, { recursive: true, force: true })
  }
  try {
    await format({ home, cluster, jvm })
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await Promise.all(nodes.map((node) => node.kill()))
    if (folder === undefined) rmSync(home, { recursive: true, force: true })
    throw error
  }
  return { brokers, nodes, folder: home, tool: (name, args, options) => kafkaTool(brokers, name, args, options), stop }
}

/** What the nodes agree on, from the folder or new. */
async function clusterIn(home, count) {
  const file = join(home, 'cluster.json')
  if (existsSync(file)) {
    const cluster = JSON.parse(readFileSync(file, 'utf8'))
    if (cluster.ports.length !== count) throw new Error(`${home} has a cluster of ${cluster.ports.length}, and ${count} were asked for: take another folder`)
    return cluster
  }
  const ports = await freePorts(count * 2)
  const cluster = { id: uuid(), ports: Array.from({ length: count }, (_, index) => ({ directory: uuid(), broker: ports[index * 2], controller: ports[index * 2 + 1] })) }
  mkdirSync(home, { recursive: true })
  writeFileSync(file, JSON.stringify(cluster))
  return cluster
}

function nodeOf({ id, home, cluster: { ports }, settings, command, args }) {
  const log = join(home, `node-${id}.log`)
  const properties = join(home, `node-${id}.properties`)
  writeFileSync(properties, settingsOf({ id, ports, data: dataOf(home, id), settings: typeof settings === 'function' ? settings({ id, ...ports[id - 1] }) : settings }))
  return new ServiceProcess({
    id,
    name: `Kafka's node ${id}`,
    command,
    args: [...args(log), properties],
    output: join(home, `node-${id}.out`),
    ready: 'Kafka Server started',
    logs: [log],
  })
}

/** Every node learns who all of them are before its first start. Kafka formats the first; what the others get differs only in who they are, and takes no Java of its own. */
async function format({ home, cluster: { id, ports }, jvm }) {
  const [first, ...others] = ports.map((_, index) => dataOf(home, index + 1))
  if (!existsSync(identityIn(first))) {
    const voters = ports.map(({ controller, directory }, index) => `${index + 1}@127.0.0.1:${controller}:${directory}`).join(',')
    const args = ['format', '--cluster-id', id, '--initial-controllers', voters, '--config', join(home, 'node-1.properties')]
    await run(jvm.command, [...jvm.tool('kafka.tools.StorageTool'), ...args])
  }
  for (const [index, data] of others.entries()) {
    if (existsSync(data)) continue
    const identity = readFileSync(identityIn(first), 'utf8').replace(/^node\.id=.*$/m, `node.id=${index + 2}`).replace(/^directory\.id=.*$/m, `directory.id=${ports[index + 1].directory}`)
    cpSync(first, data, { recursive: true })
    writeFileSync(identityIn(data), identity)
  }
}

function identityIn(data) {
  return join(data, 'meta.properties')
}

function dataOf(home, node) {
  return join(home, `node-${node}`)
}

/** As Kafka writes one: 16 bytes in base64url, not beginning with a dash, which would read as an option. */
function uuid() {
  for (;;) {
    const text = randomBytes(16).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
