import { basename, join } from 'node:path'
import { Redis } from 'ioredis'
import * as module from 'kafkajs'
import { Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'
import { kafka, kafkajs } from 'millrace/kafka'
import { redis } from 'millrace/redis'

/** `host:port` of some brokers, with commas between; or the URL of a Redis. */
const { KAFKA: brokers, REDIS: url } = process.env

/** The queue of this folder: in it, or on Kafka or Redis under its name. Several processes may have it open. */
export function openQueue(folder) {
  // So long after it was killed a process counts as dead, and its work goes to others. Kafka's brokers allow no less unless they are told.
  return new Millrace({ engine: engineOf(folder, `${basename(folder)}.`), consumers: { leaseMs: brokers ? 6_000 : 1_000 } })
}

function engineOf(folder, prefix) {
  if (brokers) return kafka({ client: kafkajs({ module, brokers: brokers.split(',') }), prefix })
  if (url) return redis({ client: clientOf(url), prefix })
  return embedded({ path: join(folder, 'queue'), lmdb: import.meta.resolve('lmdb') })
}

/** A client that ends with its process. */
function clientOf(place) {
  const client = new Redis(place)
  client.on('connect', () => client.stream.unref())
  return client
}
