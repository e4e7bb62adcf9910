import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import { ByteReader, ByteWriter } from './bytes.js'
import type { Broker, WireCall } from './module.js'

/** Requests that are written and read here, not by kafkajs: it throws away which partition failed, and the order of headers. */
async function call<T>(broker: Broker, name: keyof typeof calls, body: Buffer, read: (reader: ByteReader) => T, requestTimeout?: Millis): Promise<T> {
  const [apiKey, apiVersion] = calls[name]
  const most = broker.versions?.[apiKey]?.maxVersion ?? 0
  if (most < apiVersion) throw new MillraceError('CONFIG', `the broker is too old: it knows ${name} up to version ${most}, ${apiVersion} is needed (Kafka 2.4)`)
  const wireCall: WireCall = {
    request: { apiKey, apiVersion, apiName: name, encode: () => Promise.resolve({ buf: body, buffer: body }) },
    response: { decode: (raw) => Promise.resolve(read(new ByteReader(raw))), parse: (decoded) => Promise.resolve(decoded) },
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
  }
  // What `parse` gives back is what `read` made.
  return (await broker.connectionPool.send(wireCall)) as T
}

const calls = { Produce: [0, 7], Fetch: [1, 11], IncrementalAlterConfigs: [44, 0] } as const

export interface BatchForPartition {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

export interface ProduceAnswer {
  readonly topic: string
  readonly partition: number
  readonly code: number
  /** Of the first record. */
  readonly base: Offset
}

export async function produce(broker: Broker, asked: { readonly transactionalId: string | null; readonly timeoutMs: Millis; readonly batches: readonly BatchForPartition[] }): Promise<ProduceAnswer[]> {
  const { batches } = asked
  const writer = new ByteWriter(batches.reduce((sum, { batch }) => sum + batch.length + 64, 64))
  writer.string(asked.transactionalId).int16(-1).int32(asked.timeoutMs)
  // One entry for each batch: the protocol takes a topic more than once.
  writer.int32(batches.length)
  for (const { topic, partition, batch } of batches) writer.string(topic).int32(1).int32(partition).int32(batch.length).raw(batch)
  return call(broker, 'Produce', writer.bytes(), (reader) => {
    const topics = reader.array(() => {
      const topic = reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        const code = reader.int16()
        const base = reader.int64()
        reader.at += 16
        return { topic, partition, code, base }
      })
    })
    return topics.flat()
  })
}

export interface FetchPlace {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
}

export interface FetchAnswer {
  readonly topic: string
  readonly partition: number
  readonly code: number
  /** What lies at or after it cannot be read yet. */
  readonly stable: Offset
  readonly aborted: readonly { readonly producerId: bigint; readonly first: Offset }[]
  readonly bytes: Buffer
}

export async function fetch(broker: Broker, asked: { readonly places: readonly FetchPlace[]; readonly waitMs: Millis; readonly maxBytes: number; readonly partitionBytes: number }): Promise<FetchAnswer[]> {
  const writer = new ByteWriter(asked.places.length * 64 + 64)
  writer.int32(-1).int32(asked.waitMs).int32(1).int32(asked.maxBytes).int8(1).int32(0).int32(-1)
  writer.int32(asked.places.length)
  for (const { topic, partition, from } of asked.places) writer.string(topic).int32(1).int32(partition).int32(-1).int64(from).int64(-1n).int32(asked.partitionBytes)
  writer.int32(0).string('')
  return call(broker, 'Fetch', writer.bytes(), readFetch)
}

function readFetch(reader: ByteReader): FetchAnswer[] {
  reader.at += 4
  const failed = reader.int16()
  if (failed !== 0) throw new MillraceError('ENGINE_FAILED', `the broker refused a fetch with the code ${failed}`)
  reader.at += 4
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => readPartition(reader, topic))
  })
  return topics.flat()
}

function readPartition(reader: ByteReader, topic: string): FetchAnswer {
  const partition = reader.int32()
  const code = reader.int16()
  reader.at += 8
  const stable = reader.int64()
  reader.at += 8
  const aborted = reader.array(() => ({ producerId: reader.int64(), first: reader.int64() }))
  reader.at += 4
  return { topic, partition, code, stable, aborted, bytes: reader.bytes() ?? Buffer.alloc(0) }
}

/** Changes these settings of a topic and no others; kafkajs's own call puts all others back to their defaults. */
export async function alterTopicConfig(broker: Broker, topic: string, config: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly why: string }> {
  const entries = Object.entries(config)
  const writer = new ByteWriter().int32(1).int8(2).string(topic).int32(entries.length)
  for (const [name, value] of entries) writer.string(name).int8(0).string(value)
  writer.int8(0)
  return call(broker, 'IncrementalAlterConfigs', writer.bytes(), (reader) => {
    reader.at += 8
    return { code: reader.int16(), why: reader.string() }
  })
}
