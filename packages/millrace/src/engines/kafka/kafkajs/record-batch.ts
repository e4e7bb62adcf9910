import type { Millis } from '../../../core/clock.js'
import type { Header, Offset } from '../../../core/message.js'
import type { KafkaRecord, NewRecord } from '../port.js'
import { ByteReader, ByteWriter, varintSize } from './bytes.js'
import { crc32c } from './crc32c.js'

/** Who writes, and the number of the batch's first record among its writer's in this partition: what the broker knows a repetition by. */
export interface WriterMark {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
  readonly transactional: boolean
}

const magic = 2
const codecMask = 0b111
const logAppendTime = 0b1000
const transactionalMask = 0b10000
const controlMask = 0b100000
/** Bytes before the checksummed part, and before the records. */
const checkedFrom = 21
const headSize = 61

/** One batch, uncompressed, as it goes into the log. */
export function encodeBatch(records: readonly NewRecord[], mark: WriterMark, wall: Millis): Buffer {
  const times = records.map(({ timestamp }) => timestamp ?? wall)
  const base = times.reduce((least, each) => Math.min(least, each), times[0] ?? wall)
  const last = times.reduce((most, each) => Math.max(most, each), base)
  const writer = new ByteWriter(headSize + records.reduce((sum, record) => sum + roughSize(record), 0))
  writer.int64(0n).int32(0).int32(-1).int8(magic).int32(0)
  writer.int16(mark.transactional ? transactionalMask : 0).int32(records.length - 1).int64(BigInt(base)).int64(BigInt(last))
  writer.int64(mark.producerId).int16(mark.epoch).int32(mark.sequence).int32(records.length)
  for (const [index, record] of records.entries()) writeRecord(writer, record, index, (times[index] ?? base) - base)
  const bytes = writer.bytes()
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(crc32c(bytes, checkedFrom), checkedFrom - 4)
  return bytes
}

/** Bytes in the log, nearly. */
export function roughSize({ key, value, headers }: NewRecord): number {
  let size = 24 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, bytes] of headers) size += 8 + name.length + bytes.length
  return size
}

function writeRecord(writer: ByteWriter, { key, value, headers }: NewRecord, index: number, sinceBase: number): void {
  const names = headers.map(([name]) => Buffer.byteLength(name))
  let size = 1 + varintSize(sinceBase) + varintSize(index) + sizeOf(key) + sizeOf(value) + varintSize(headers.length)
  for (const [at, [, bytes]] of headers.entries()) size += varintSize(names[at] ?? 0) + (names[at] ?? 0) + sizeOf(bytes)
  writer.varint(size).int8(0).varint(sinceBase).varint(index)
  writeBytes(writer, key)
  writeBytes(writer, value)
  writer.varint(headers.length)
  for (const [at, [name, bytes]] of headers.entries()) {
    writer.varint(names[at] ?? 0).utf8(name, names[at] ?? 0)
    writeBytes(writer, bytes)
  }
}

function sizeOf(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array | null): void {
  if (bytes === null) writer.varint(-1)
  else writer.varint(bytes.length).raw(bytes)
}

/** A batch as it lies in the log; its records are still packed. */
export interface PackedBatch {
  readonly first: Offset
  readonly last: Offset
  readonly codec: number
  readonly producerId: bigint
  readonly transactional: boolean
  readonly control: boolean
  readonly count: number
  readonly baseTime: bigint
  /** Set when the broker's clock counts and not the writer's. */
  readonly appendTime: bigint | undefined
  readonly packed: Buffer
}

/** The whole batches of a fetch; its end may be cut off in the middle of one. Undefined for the formats before Kafka 0.11. */
export function splitBatches(bytes: Buffer): PackedBatch[] | undefined {
  const batches: PackedBatch[] = []
  const reader = new ByteReader(bytes)
  while (reader.left >= headSize) {
    const first = reader.int64()
    const length = reader.int32()
    if (reader.left < length) break
    const end = reader.at + length
    reader.at += 4
    if (reader.int8() !== magic) return undefined
    reader.at += 4
    batches.push(packedBatch(reader, first, end))
    reader.at = end
  }
  return batches
}

function packedBatch(reader: ByteReader, first: Offset, end: number): PackedBatch {
  const attributes = reader.int16()
  const last = first + BigInt(reader.int32())
  const baseTime = reader.int64()
  const maxTime = reader.int64()
  const producerId = reader.int64()
  reader.at += 6
  const count = reader.int32()
  return {
    first,
    last,
    codec: attributes & codecMask,
    producerId,
    transactional: (attributes & transactionalMask) !== 0,
    control: (attributes & controlMask) !== 0,
    count,
    baseTime,
    appendTime: (attributes & logAppendTime) === 0 ? undefined : maxTime,
    packed: reader.slice(end - reader.at),
  }
}

/** The records of a batch at `from` or after; `plain` is its packed part, decompressed. */
export function recordsOf(batch: PackedBatch, plain: Buffer, from: Offset, topic: string, partition: number): KafkaRecord[] {
  const reader = new ByteReader(plain)
  const records: KafkaRecord[] = []
  const base = Number(batch.baseTime)
  const appended = batch.appendTime === undefined ? undefined : Number(batch.appendTime)
  for (let index = 0; index < batch.count; index += 1) {
    const end = reader.varint() + reader.at
    reader.at += 1
    const timestamp = reader.varint() + base
    const offset = batch.first + BigInt(reader.varint())
    if (offset >= from) records.push({ topic, partition, offset, timestamp: appended ?? timestamp, key: reader.varintBytes(), value: reader.varintBytes(), headers: headersOf(reader) })
    reader.at = end
  }
  return records
}

const noHeaders: readonly Header[] = []
const noBytes = Buffer.alloc(0)

function headersOf(reader: ByteReader): readonly Header[] {
  const count = reader.varint()
  if (count === 0) return noHeaders
  return Array.from({ length: count }, () => {
    const name = reader.slice(reader.varint()).toString()
    return [name, reader.varintBytes() ?? noBytes] as const
  })
}

/** Of a control batch: whether it ends its writer's transaction by undoing it. */
export function isAbort(plain: Buffer): boolean {
  const reader = new ByteReader(plain)
  reader.varint()
  reader.at += 1
  reader.varint()
  reader.varint()
  const key = reader.varintBytes()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}
