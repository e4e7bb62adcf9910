import { keyBytes } from '../core/key-bytes.js'
import { murmur2 } from './murmur2.js'

/** What a partitioner may look at. */
export interface Routed {
  readonly topic: string
  readonly key: string | null
}

/** Chooses a partition, from 0 to `partitions` - 1. Messages of one key keep their order only while it answers the same for it. */
export interface Partitioner {
  partition(message: Routed, partitions: number): number
}

export interface KeyHashOptions {
  /** Messages without a key that go to one partition before the next has its turn. Default 1: round robin. */
  readonly run?: number
}

/** By murmur2 of the key's bytes, as Kafka's Java client does; messages without a key take turns. */
export function keyHash({ run = 1 }: KeyHashOptions = {}): Partitioner {
  const sent = new Map<string, number>()
  return {
    partition({ topic, key }, partitions) {
      if (partitions === 1) return 0
      if (key !== null) return (hashKey(key) & 0x7fffffff) % partitions
      const count = sent.get(topic) ?? 0
      sent.set(topic, count + 1)
      return Math.floor(count / run) % partitions
    },
  }
}

const scratch = new Uint8Array(256)

function hashKey(key: string): number {
  const length = key.length
  if (length > scratch.length) return murmur2(keyBytes(key))
  for (let at = 0; at < length; at += 1) {
    const code = key.charCodeAt(at)
    if (code > 0x7f) return murmur2(keyBytes(key))
    scratch[at] = code
  }
  return murmur2(scratch, length)
}
