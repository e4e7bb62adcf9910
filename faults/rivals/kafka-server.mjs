import { noKafka } from '../../tools/services/kafka.mjs'
import { KafkaServer } from '../servers/kafka.mjs'

/** One broker for each run. */
export const kafkaServer = {
  missing: noKafka,

  async serve({ folder, rival, ...choices }) {
    const server = await KafkaServer.start({ folder, nodes: 1, isProxied: false, prefix: '' })
    server.settings = { brokers: server.brokers, ...choices, ...(await rival.prepare?.(choices)) }
    return server
  },
}
