import { createRequire } from 'node:module'
import { redis } from 'millrace/redis'
import { startRedis } from '../tools/services/redis.mjs'

// Those of the project: a rival may have brought another here.
const require = createRequire(new URL('../package.json', import.meta.url))
/** @type {{ Redis: typeof import('ioredis').Redis }} */
export const { Redis } = require('ioredis')
/** @type {{ Redis: any }} */
export const { Redis: Valkey } = require('iovalkey')

/**
 * A Redis for a benchmark, started for it; or the one at SERVICES_REDIS.
 * @returns {Promise<{ url: string, says: string, stop: () => Promise<void> }>}
 */
export async function server() {
  const given = process.env.SERVICES_REDIS
  if (given) return { url: given, says: `the server at SERVICES_REDIS${await shown(given)}`, stop: async () => undefined }
  const { url, title, stop } = await startRedis()
  return { url, says: `${title}${await shown(url)}`, stop }
}

/** @typedef {'ioredis' | 'iovalkey' | 'redis'} Library */

/**
 * The engine on a client of its own.
 * @param {Library} library @param {string} url @param {string} [prefix] several stores share a server
 */
export async function redisEngine(library, url, prefix = 'bench:') {
  const client = await clientOf(library, url)
  const engine = redis({ client, prefix, report: () => undefined })
  const close = engine.close.bind(engine)
  return Object.assign(engine, {
    close: async () => {
      await close()
      if (library === 'redis') await client.close()
      else client.disconnect()
    },
  })
}

/** As its users make it. @param {Library} library @param {string} url @returns {Promise<any>} */
export async function clientOf(library, url) {
  if (library === 'ioredis') return new Redis(url)
  if (library === 'iovalkey') return new Valkey(url)
  const client = require('redis').createClient({ url })
  client.on('error', () => undefined)
  return client.connect()
}

/** What the server does for durability. @param {string} url */
async function shown(url) {
  const client = new Redis(url)
  try {
    const persistence = await client.info('persistence')
    const version = /(?:valkey|redis)_version:(\S+)/.exec(await client.info('server'))?.[1]
    return ` ${version}, ${persistence.includes('aof_enabled:1') ? 'AOF on' : 'nothing on disk: durability memory, for all alike'}`
  } finally {
    client.disconnect()
  }
}

/** What the server has in memory, without what it keeps for its clients. @param {string} url */
export async function usedBytes(url) {
  const client = new Redis(url)
  try {
    const memory = await client.info('memory')
    const of = (/** @type {string} */ name) => Number(new RegExp(`${name}:(\\d+)`).exec(memory)?.[1] ?? 0)
    return of('used_memory') - of('mem_clients_normal')
  } finally {
    client.disconnect()
  }
}

/** Commands a second that the server is sent, scripts as one each. @param {string} url @param {number} ms */
export async function commandsPerSecond(url, ms) {
  const client = new Redis(url)
  const monitor = await client.monitor()
  let count = 0
  monitor.on('monitor', (/** @type {string} */ _time, /** @type {readonly string[]} */ _args, /** @type {string} */ source) => {
    if (source !== 'lua') count += 1
  })
  await new Promise((resolve) => setTimeout(resolve, ms))
  monitor.disconnect()
  client.disconnect()
  return count / (ms / 1_000)
}
