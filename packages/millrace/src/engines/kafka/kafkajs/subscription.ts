import { ByteReader, ByteWriter } from './bytes.js'

/** How Kafka's own clients write what a member brings to a rebalance and what it is given: tools show it, and other clients can take part. */
export interface Subscription {
  readonly member: string
  readonly topics: readonly string[]
  readonly owned: readonly number[]
  /** In which it was given what it owns; -1 when it does not say. */
  readonly generation: number
}

export const protocol = 'cooperative-sticky'

export function encodeSubscription(topic: string, owned: Iterable<number>, generation: number): Buffer {
  const partitions = [...owned]
  const writer = new ByteWriter().int16(2).int32(1).string(topic).int32(-1)
  if (partitions.length === 0) writer.int32(0)
  else writeTopic(writer.int32(1), topic, partitions)
  return writer.int32(generation).bytes()
}

export function decodeSubscription(member: string, topic: string, bytes: Buffer): Subscription {
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  const topics = reader.array(() => reader.string())
  reader.bytes()
  const owned = version < 1 ? [] : readTopics(reader, topic)
  const generation = version < 2 ? -1 : reader.int32()
  return { member, topics, owned, generation }
}

/** What a member is given, by topic. */
export function encodeAssignment(share: ReadonlyMap<string, readonly number[]>): Buffer {
  const given = [...share].filter(([, partitions]) => partitions.length > 0)
  const writer = new ByteWriter().int16(1).int32(given.length)
  for (const [topic, partitions] of given) writeTopic(writer, topic, partitions)
  return writer.int32(-1).bytes()
}

export function decodeAssignment(topic: string, bytes: Buffer | null): readonly number[] {
  if (bytes === null || bytes.length < 6) return []
  const reader = new ByteReader(bytes, 2)
  return readTopics(reader, topic)
}

function writeTopic(writer: ByteWriter, topic: string, partitions: readonly number[]): void {
  writer.string(topic).int32(partitions.length)
  for (const partition of partitions) writer.int32(partition)
}

function readTopics(reader: ByteReader, topic: string): number[] {
  const topics = reader.array(() => [reader.string(), reader.array(() => reader.int32())] as const)
  return topics.flatMap(([name, partitions]) => (name === topic ? partitions : []))
}
