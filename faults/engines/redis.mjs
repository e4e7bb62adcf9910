import { join } from 'node:path'
import { guard } from 'millrace/engine'
import { redis } from 'millrace/redis'
import { redisClient, redisClients } from '../../tools/redis-harness.mjs'
import { noRedis, redisVersions } from '../../tools/services/redis.mjs'
import { clockEnv } from '../servers/clock.mjs'
import { RedisServer } from '../servers/redis.mjs'

/** What a write survives when it is answered, by what the server does with its file meanwhile. */
const survivals = { everysec: ['memory', 'os'], always: ['memory', 'os', 'fsync'] }

export const adapter = {
  name: 'redis',

  choices: { client: redisClients, server: redisVersions, topology: ['standalone', 'sentinel'] },

  /** Who is alive is told by the server's wall clock. */
  leasesByServerClock: true,

  /** HTTP consumers can be lent messages. */
  lends: true,

  missing({ server }) {
    return noRedis(server)
  },

  /** A server for one run. `fsync`: when it syncs its file, `everysec` or `always`; `replicas`: how many copy it, and `confirm`: how many of them every write waits for; `clock`: a file that
   * moves its wall clock. */
  async serve({ folder, client, server: version, topology, isProxied, fsync = 'everysec', replicas, confirm = 0, config = {}, env, clock }) {
    const server = await RedisServer.start({ folder, version, topology, replicas, isProxied, env: clock === undefined ? env : clockEnv(folder, clock), config: { appendonly: 'yes', appendfsync: fsync, ...config } })
    server.settings = { client, topology, at: server.at, fsync, confirm }
    return server
  },

  async open({ settings }) {
    const { client, end } = await redisClient(settings.client, settings.topology, settings.at)
    const report = (error) => console.error(new Date().toISOString(), error.code, error.message)
    const engine = guard(redis({ client, replicas: settings.confirm, report }))
    await engine.open()
    return endingWith(engine, end)
  },

  /** The server can be told how much memory it has. */
  limitsMemory: true,

  /** A server's files, of which it only ever writes the end: where they lie in a run's folder. */
  appends: (folder) => join(folder, 'server', 'node-1', 'appendonlydir'),

  survives({ fsync, confirm }) {
    return [...survivals[fsync], ...(confirm > 0 ? ['replicated'] : [])]
  },

  /** Replicas are waited for where somebody waits for the answer. */
  survivesUnconfirmed({ fsync }) {
    return survivals[fsync]
  },
}

/** The client stays its maker's: who closes the engine here ends it, too. */
function endingWith(engine, end) {
  const close = engine.close.bind(engine)
  return Object.assign(engine, {
    async close() {
      await close()
      await end()
    },
  })
}
