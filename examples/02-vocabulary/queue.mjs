import { basename, join } from 'node:path'
import * as module from 'kafkajs'
import { Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'
import { kafka, kafkajs } from 'millrace/kafka'

/** `host:port` of some brokers, with commas between. */
const brokers = process.env.KAFKA?.split(',')

/** The queue of this folder: in it, or on Kafka under its name. Several processes may have it open. */
export function openQueue(folder) {
  const engine = brokers
    ? kafka({ client: kafkajs({ module, brokers }), prefix: `${basename(folder)}.` })
    : embedded({ path: join(folder, 'queue'), lmdb: import.meta.resolve('lmdb') })
  // So long after it was killed a process counts as dead, and its work goes to others. Kafka's brokers allow no less unless they are told.
  return new Millrace({ engine, consumers: { leaseMs: brokers ? 6_000 : 1_000 } })
}
