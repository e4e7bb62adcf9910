import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { guard } from 'millrace/engine'
import { confluent, kafka, kafkajs } from 'millrace/kafka'
import { noKafka } from '../../tools/services/kafka.mjs'
import { nativeClient, noNativeClient } from '../../tools/services/native-client.mjs'
import { KafkaServer } from '../servers/kafka.mjs'

/** By name: why it cannot run here, what its processes have to know of it, and how they make one. */
const clients = {
  confluent: {
    missing: noNativeClient,
    prepare: async () => ({ native: await nativeClient() }),
    make: async ({ brokers, native }) => confluent({ module: createRequire(import.meta.url)(native), brokers, admin: { module: await import('kafkajs') } }),
  },
  kafkajs: {
    missing: () => undefined,
    prepare: () => ({}),
    make: async ({ brokers }) => kafkajs({ module: await import('kafkajs'), brokers }),
  },
}

export const adapter = {
  name: 'kafka',

  /** How long a group that nobody disturbs takes to share out its partitions. */
  formMs: 2_000,

  /** And, after a lease, until those that are left have its partitions: a session that runs out is seen late, and then the group is balanced anew, in two rounds. */
  takeOverMs: 6_000,

  /** `client`: one of `clients`; `nodes`: 1 or 3. */
  choices: { client: Object.keys(clients), nodes: ['1', '3'] },

  missing({ client }) {
    return noKafka() ?? clients[client].missing()
  },

  /** A cluster for one run, whose folder names it. */
  async serve({ folder, client, nodes, isProxied }) {
    const prefix = `${basename(folder)}.`
    const own = await clients[client].prepare()
    const server = await KafkaServer.start({ folder, nodes: Number(nodes), isProxied, prefix })
    server.settings = { client, brokers: server.brokers, nodes: Number(nodes), prefix, ...own }
    return server
  },

  async open({ settings }) {
    const report = (error) => console.error(new Date().toISOString(), error.code, error.message)
    const client = await clients[settings.client].make(settings)
    const engine = guard(kafka({ client, prefix: settings.prefix, replicationFactor: settings.nodes, report }))
    await engine.open()
    return engine
  },

  survives({ nodes }) {
    return nodes > 1 ? ['memory', 'os', 'replicated'] : ['memory', 'os']
  },

  /** Of each topic of a run, on top of the scene's. */
  topic({ nodes }) {
    return { replicationFactor: nodes }
  },
}
