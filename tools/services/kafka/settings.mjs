/**
 * The server.properties of one node that is broker and controller at once. Small where the defaults are for a machine of its own, quick where they are for a wide network.
 * `ports` has `{ broker, controller }` of every node.
 */
export function settingsOf({ id, ports, data, settings }) {
  const nodes = ports.length
  const inSync = Math.min(nodes, 2)
  const { broker, controller } = ports[id - 1]
  const listeners = `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`
  const all = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.bootstrap.servers': ports.map((each) => `127.0.0.1:${each.controller}`).join(','),
    listeners,
    'advertised.listeners': listeners,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'default.replication.factor': nodes,
    'min.insync.replicas': inSync,

    'offsets.topic.num.partitions': nodes,
    'offsets.topic.replication.factor': nodes,
    'transaction.state.log.num.partitions': nodes,
    'transaction.state.log.replication.factor': nodes,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': nodes,
    'share.coordinator.state.topic.replication.factor': nodes,
    'share.coordinator.state.topic.min.isr': inSync,

    // A node that was killed comes back when its old session has ended: 12 s by the defaults.
    'broker.session.timeout.ms': 1_500,
    'broker.heartbeat.interval.ms': 300,
    'replica.lag.time.max.ms': 5_000,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1_000,

    // Tests may ask for short sessions; what a group does not ask for is as everywhere.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'group.consumer.min.session.timeout.ms': 500,
    'group.consumer.min.heartbeat.interval.ms': 100,

    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 2 ** 20,
    ...settings,
  }
  return Object.entries(all).map(([name, value]) => `${name}=${value}\n`).join('')
}
