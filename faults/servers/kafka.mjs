import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../../tools/services/kafka.mjs'
import { freePorts } from '../../tools/services/ports.mjs'
import { Proxy } from '../network/proxy.mjs'
import { writesOfKafka } from '../network/kafka-writes.mjs'

/**
 * The server of a run, as rows see it: `nodes`, each with `name`, `kill()`, `start()`, `pause()`, `resume()`, and, where the row asked for it, a `proxy` through which all
 * clients come to it; `busiest()`, the node that has most to do; `stop()`. `settings` go to every process.
 */
export class KafkaServer {
  settings = {}
  #kafka
  #prefix

  /** Brokers tell clients where to come to: behind a proxy that is the proxy. They themselves talk past it. */
  static async start({ folder, nodes: count, isProxied, prefix }) {
    const proxies = isProxied ? Array.from({ length: count }, () => new Proxy({ writes: writesOfKafka })) : []
    await Promise.all(proxies.map((proxy) => proxy.listen()))
    const inside = isProxied ? await freePorts(count) : []
    const settings = ({ id, broker, controller }) => {
      if (!isProxied) return {}
      proxies[id - 1].to(broker)
      const [own, control] = [`INSIDE://127.0.0.1:${inside[id - 1]}`, `CONTROLLER://127.0.0.1:${controller}`]
      return {
        listeners: `PLAINTEXT://127.0.0.1:${broker},${own},${control}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxies[id - 1].port},${own},${control}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'inter.broker.listener.name': 'INSIDE',
      }
    }
    const kafka = await startKafka({ nodes: count, folder: join(folder, 'server'), settings })
    return new KafkaServer({ kafka, proxies, prefix })
  }

  constructor({ kafka, proxies, prefix }) {
    this.#kafka = kafka
    this.#prefix = prefix
    this.nodes = kafka.nodes.map((node, index) => ({
      name: `node-${node.id}`,
      kill: () => node.kill(),
      start: () => node.start(),
      pause: () => node.pause(),
      resume: () => node.resume(),
      proxy: proxies[index],
    }))
    this.brokers = proxies.length > 0 ? proxies.map(({ port }) => `127.0.0.1:${port}`) : kafka.brokers
  }

  /** The node that leads most partitions of this run. */
  async busiest() {
    if (this.nodes.length === 1) return this.nodes[0]
    const admin = new Kafka({ brokers: this.brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      const names = (await admin.listTopics()).filter((name) => name.startsWith(this.#prefix))
      const { topics } = await admin.fetchTopicMetadata({ topics: names })
      const leaders = topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader))
      const led = this.nodes.map((_, index) => leaders.filter((leader) => leader === index + 1).length)
      return this.nodes[led.indexOf(Math.max(...led))]
    } finally {
      await admin.disconnect()
    }
  }

  /** Nobody needs what it has in memory. */
  async stop() {
    await Promise.all(this.#kafka.nodes.map((node) => node.kill()))
    await Promise.all(this.nodes.map(({ proxy }) => proxy?.close()))
  }
}
