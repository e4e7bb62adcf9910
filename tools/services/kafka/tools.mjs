import { run } from '../command.mjs'
import { kafkaJvm } from './jvm.mjs'

const tools = 'org.apache.kafka.tools'

/** Kafka's command-line tools, by the names of their scripts. With `load` it is run as for a benchmark. */
const known = {
  'kafka-configs': { main: 'kafka.admin.ConfigCommand' },
  'kafka-console-consumer': { main: `${tools}.consumer.ConsoleConsumer` },
  'kafka-console-producer': { main: `${tools}.ConsoleProducer` },
  'kafka-consumer-groups': { main: `${tools}.consumer.group.ConsumerGroupCommand` },
  'kafka-consumer-perf-test': { main: `${tools}.ConsumerPerformance`, load: true },
  'kafka-delete-records': { main: `${tools}.DeleteRecordsCommand` },
  'kafka-get-offsets': { main: `${tools}.GetOffsetShell` },
  'kafka-groups': { main: `${tools}.GroupsCommand` },
  'kafka-leader-election': { main: `${tools}.LeaderElectionCommand` },
  'kafka-metadata-quorum': { main: `${tools}.MetadataQuorumCommand` },
  'kafka-producer-perf-test': { main: `${tools}.ProducerPerformance`, load: true },
  'kafka-reassign-partitions': { main: `${tools}.reassign.ReassignPartitionsCommand` },
  'kafka-topics': { main: `${tools}.TopicCommand` },
  'kafka-transactions': { main: `${tools}.TransactionsCommand` },
  'kafka-verifiable-consumer': { main: `${tools}.VerifiableConsumer` },
  'kafka-verifiable-producer': { main: `${tools}.VerifiableProducer` },
}

/** Runs a tool against the brokers: `kafkaTool(brokers, 'kafka-topics', ['--list'])` answers `{ stdout, stderr }`; options as `run` of command.mjs has them. */
export async function kafkaTool(brokers, name, args = [], options = {}) {
  if (!Object.hasOwn(known, name)) throw new Error(`no tool ${name}: ${Object.keys(known).join(', ')}`)
  const { main, load } = known[name]
  const { command, tool } = await kafkaJvm()
  return run(command, [...tool(main, { load }), '--bootstrap-server', brokers.join(','), ...args], options)
}
