import { noKafka, startKafka } from './kafka.mjs'
import { kafkaTool } from './kafka/tools.mjs'
import { lentNativeClient } from './native-client.mjs'

/**
 * The servers that can be started here, by name: `missing()` says why one cannot, `start({ nodes })` starts it and answers at least
 * `{ brokers, stop }`, `given` is the environment variable that names a running one to be used instead,
 * `tool(brokers, name, args, options)` runs one of its tools. `client()` says where the native client is.
 */
export const services = {
  kafka: { title: 'Kafka 4.3.1', missing: noKafka, start: startKafka, nodes: [1, 3], given: 'SERVICES_KAFKA', tool: kafkaTool, client: lentNativeClient },
}
