import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Missing } from './missing.mjs'
import { moveSlot, redisVersions, startRedis } from './redis.mjs'
import { until } from './redis/until.mjs'

const startMs = 180_000
const started = []
const folders = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Starts it, or skips the test with the reason why it cannot run here. */
async function redisFor(context, options) {
  try {
    const redis = await startRedis(options)
    started.push(redis)
    return redis
  } catch (error) {
    if (!(error instanceof Missing) || process.env.SERVICES === 'required') throw error
    return context.skip(`Redis ${options.version ?? '7.0'} cannot run here: ${error.message}`)
  }
}

function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-test-'))
  folders.push(folder)
  return folder
}

describe.each(redisVersions)('Redis %s', (version) => {
  it('serves, and leaves nothing behind when it has stopped', async (context) => {
    const redis = await redisFor(context, { version })
    const [node] = redis.nodes
    const { pid } = node
    expect(redis.url).toBe(`redis://${node.address}`)
    expect(await node.call('SET', 'a', 'ü')).toBe('OK')
    expect(await node.call('GET', 'a')).toBe('ü')
    expect(await node.call('INFO', 'server')).toContain(redis.title.split(' ')[1])
    await redis.stop()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(() => readdirSync(redis.folder)).toThrow('ENOENT')
  }, startMs)
})

it('comes back after kill -9 on its port, with what its AOF has', async (context) => {
  const redis = await redisFor(context, { config: { appendonly: 'yes', appendfsync: 'always' } })
  const [node] = redis.nodes
  await node.call('SET', 'a', '1')
  await node.kill()
  expect(node.pid).toBeUndefined()
  await expect(node.call('GET', 'a')).rejects.toThrow('ECONNREFUSED')
  await node.start()
  expect(await node.call('GET', 'a')).toBe('1')
}, startMs)

it('keeps its ports, its settings and its data in a folder that was named', async (context) => {
  const folder = scratch()
  const first = await redisFor(context, { folder, config: { appendonly: 'yes', maxmemory: '64mb' } })
  await first.nodes[0].call('SET', 'a', '1')
  await first.stop()
  const second = await redisFor(context, { folder })
  expect(second.url).toBe(first.url)
  expect(await second.nodes[0].call('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '67108864'])
  expect(await second.nodes[0].call('GET', 'a')).toBe('1')
}, startMs)

it('asks for the password that it was given, and for the users', async (context) => {
  const redis = await redisFor(context, { config: { requirepass: 'secret', user: ['reader on >r ~* +get', 'writer on >w ~* +set'] } })
  expect(redis.url).toContain(':secret@')
  expect(await redis.nodes[0].call('ACL', 'WHOAMI')).toBe('default')
  expect(await redis.nodes[0].call('ACL', 'USERS')).toEqual(['default', 'reader', 'writer'])
}, startMs)

it('Sentinels make the replica the primary when the primary is gone', async (context) => {
  const redis = await redisFor(context, { topology: 'sentinel', config: { requirepass: 'secret' } })
  const [primary, replica] = redis.nodes
  await primary.call('SET', 'a', '1')
  await primary.call('WAIT', 1, 5_000)
  await primary.kill()
  await until(async () => (await replica.call('ROLE'))[0] === 'master', 'the replica is the primary')
  expect(await replica.call('GET', 'a')).toBe('1')
  await primary.start()
  await until(async () => (await primary.call('ROLE'))[0] === 'slave', 'the one that was the primary copies the new one')
}, startMs)

it('a cluster serves all slots, and a slot moves with its keys', async (context) => {
  const { nodes } = await redisFor(context, { topology: 'cluster' })
  const [first, second] = nodes
  const slot = await first.call('CLUSTER', 'KEYSLOT', '{7}a')
  const owner = (await Promise.all(nodes.map((node) => node.call('SET', '{7}a', '1').then(() => true, () => false)))).indexOf(true)
  const from = nodes[owner]
  const to = from === first ? second : first
  await from.call('SET', '{7}b', '2')
  const asked = []
  await moveSlot({ slot, from, to, nodes, between: async () => asked.push(...(await Promise.all(['{7}a', '{7}b'].map((key) => from.call('GET', key).catch(({ message }) => message))))) })
  expect(asked.filter((answer) => answer.startsWith('ASK'))).toHaveLength(1)
  expect(await to.call('GET', '{7}a')).toBe('1')
  await expect(from.call('GET', '{7}b')).rejects.toThrow(`MOVED ${slot} 127.0.0.1:${to.port}`)
}, startMs)

it('a replica of a cluster takes over from its primary', async (context) => {
  const { nodes } = await redisFor(context, { topology: 'cluster', replicas: 1 })
  await nodes[0].kill()
  await until(async () => (await nodes[3].call('ROLE'))[0] === 'master', 'the replica is a primary')
  expect(await nodes[1].call('CLUSTER', 'INFO')).toContain('cluster_known_nodes:6')
}, startMs)

it('says what there is when something else is asked for', async () => {
  await expect(startRedis({ topology: 'ring' })).rejects.toThrow('no topology ring: standalone, sentinel, cluster')
  await expect(startRedis({ version: '1.0' })).rejects.toThrow('no Redis 1.0: 7.0, 8.2, valkey-9')
})
