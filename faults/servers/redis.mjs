import { join } from 'node:path'
import { startRedis } from '../../tools/services/redis.mjs'
import { Proxy } from '../network/proxy.mjs'
import { writesOfRedis } from '../network/redis-writes.mjs'

/**
 * The server of a run, as rows see it: `nodes`, each with `name`, `kill()`, `start()`, `pause()`, `resume()`, `call(...)`, and, where the row asked for it, a `proxy` through which all
 * clients come to it; `busiest()`, the primary; `stop()`. `at` is where clients find it, and `settings` go to every process.
 */
export class RedisServer {
  settings = {}
  /** What somebody may do to a node that lives. Each answers false where there was nothing to break. */
  nuisances = {
    'scripts forgotten': async (node) => (await node.call('SCRIPT', 'FLUSH')) === 'OK',
    'connections killed': async (node) => (await node.call('CLIENT', 'KILL', 'TYPE', 'normal')) + (await node.call('CLIENT', 'KILL', 'TYPE', 'pubsub')) > 0,
    'writes held up': async (node) => (await node.call('CLIENT', 'PAUSE', 1_500, 'WRITE')) === 'OK',
  }
  #redis

  static async start({ folder, version, topology, replicas, isProxied, config, env }) {
    const redis = await startRedis({ version, topology, replicas, config, env, folder: join(folder, 'server') })
    const proxies = isProxied ? redis.nodes.map(() => new Proxy({ writes: writesOfRedis })) : []
    await Promise.all(proxies.map((proxy) => proxy.listen()))
    proxies.forEach((proxy, index) => proxy.to(redis.nodes[index].port))
    return new RedisServer({ redis, proxies })
  }

  constructor({ redis, proxies }) {
    this.#redis = redis
    this.nodes = redis.nodes.map((node, index) => ({
      name: `node-${node.id}`,
      kill: () => node.kill(),
      start: () => node.start(),
      pause: () => node.pause(),
      resume: () => node.resume(),
      call: (...args) => node.call(...args),
      proxy: proxies[index],
    }))
    const port = proxies[0]?.port ?? redis.nodes[0].port
    this.at = { url: `redis://127.0.0.1:${port}`, sentinels: redis.sentinels.map(({ address }) => address), primaryName: redis.primaryName }
  }

  /** The node that takes writes. */
  async busiest() {
    for (const node of this.nodes) {
      const info = await node.call('INFO', 'replication').catch(() => '')
      if (info.includes('role:master')) return node
    }
    return this.nodes[0]
  }

  /** Sentinel makes the replica the primary, though the old one lives. */
  async failOver() {
    await this.#redis.sentinels[0].call('SENTINEL', 'FAILOVER', this.#redis.primaryName)
  }

  /** Nobody needs what it has in memory. */
  async stop() {
    await Promise.all([...this.#redis.nodes, ...this.#redis.sentinels].map((node) => node.kill()))
    await Promise.all(this.nodes.map(({ proxy }) => proxy?.close()))
  }
}
