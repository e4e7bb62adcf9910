import { until } from './until.mjs'

const slots = 16_384

/** Makes a cluster of the nodes: the first `primaries` share the slots, each of the others copies one of them in turn. */
export async function joinCluster(nodes, primaries) {
  const [first, ...others] = nodes
  if (await isWhole(nodes)) return
  for (const [index, node] of nodes.slice(0, primaries).entries()) {
    const from = Math.ceil((slots * index) / primaries)
    const to = Math.ceil((slots * (index + 1)) / primaries) - 1
    await node.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
  }
  for (const [index, node] of nodes.entries()) await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  for (const node of others) await node.call('CLUSTER', 'MEET', '127.0.0.1', first.port, busPortOf(await first.call('CLUSTER', 'NODES')))
  await until(() => knowEachOther(nodes), 'the nodes of the cluster know each other')
  const ids = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'MYID')))
  for (const [index, node] of nodes.slice(primaries).entries()) await node.call('CLUSTER', 'REPLICATE', ids[index % primaries])
  await until(() => isWhole(nodes), 'the cluster serves')
}

/** The bus is told with the address: `127.0.0.1:PORT@BUS`. */
function busPortOf(text) {
  return /@(\d+)/.exec(text.split('\n').find((line) => line.includes('myself')))[1]
}

async function knowEachOther(nodes) {
  const infos = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO')))
  return infos.every((info) => info.includes(`cluster_known_nodes:${nodes.length}\r`))
}

async function isWhole(nodes) {
  const infos = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO')))
  if (!infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}\r`))) return false
  const replications = await Promise.all(nodes.map((node) => node.call('INFO', 'replication')))
  return replications.every((info) => !info.includes('role:slave') || info.includes('master_link_status:up'))
}

/**
 * Moves one slot with its keys to another primary, step by step as redis-cli does. `between` is called when the slot is on its way and a part of its keys has moved: those there are
 * answered ASK for.
 */
export async function moveSlot({ slot, from, to, nodes, between = async () => undefined }) {
  const [source, target] = [await from.call('CLUSTER', 'MYID'), await to.call('CLUSTER', 'MYID')]
  await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source)
  await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target)
  const keys = await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100_000)
  for (const [index, key] of keys.entries()) {
    if (index === Math.floor(keys.length / 2)) await between()
    await from.call('MIGRATE', '127.0.0.1', to.port, key, 0, 5_000)
  }
  if (keys.length === 0) await between()
  for (const node of [to, from, ...nodes.filter((each) => each !== to && each !== from)]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', target).catch(ofReplica)
}

function ofReplica(error) {
  if (!error.message.includes('SETSLOT only with masters') && !error.message.includes('replica')) throw error
}
