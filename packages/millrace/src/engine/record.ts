import { crc32 } from 'node:zlib'
import type { Millis } from '../core/clock.js'
import { MillraceError } from '../core/errors.js'
import { keyBytes, keyText } from '../core/key-bytes.js'
import type { Draft, Header, Message, MessageKind, Offset } from '../core/message.js'

/**
 * A message as bytes. Topic, partition and offset are the key's. Little-endian:
 * crc32 u32 of all that follows | version u8 | flags u8 | timestamp f64 | delayedUntil f64 | lengths of id, key, producerId
 * and count of headers u16 each | id | key | producerId | headers (name u16, value u32, name, value) | value to the end.
 */
const fixedBytes = 4 + 1 + 1 + 8 + 8 + 2 * 4
const version = 1
const flag = { noKey: 4, noValue: 8, delayed: 16 } as const
const kinds: readonly MessageKind[] = ['normal', 'delay', 'transaction']

/** Records written one after another, with where each ends. */
export interface Packed {
  readonly bytes: ArrayBuffer
  readonly ends: Uint32Array
}

/** Packs drafts into one buffer, so that a batch crosses to the store's thread without a copy. */
export function packDrafts(drafts: readonly Draft[]): Packed {
  const sizes = drafts.map(recordBytes)
  const bytes = new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 0))
  const buffer = Buffer.from(bytes)
  const ends = new Uint32Array(drafts.length)
  let end = 0
  drafts.forEach((draft, index) => {
    writeRecord(buffer.subarray(end, (end += sizes[index] ?? 0)), draft)
    ends[index] = end
  })
  return { bytes, ends }
}

/** Packs one message that took its place already, or that waits for it. */
export function packMessage(message: Packable): Buffer {
  const into = Buffer.alloc(recordBytes(message))
  writeFields(into, message, kinds.indexOf(message.kind), message.delayedUntil)
  return into
}

type Fields = Pick<Draft, 'id' | 'key' | 'value' | 'headers' | 'timestamp' | 'producerId'>
type Packable = Fields & Pick<Message, 'kind' | 'delayedUntil'>

function recordBytes({ id, producerId, key, value, headers }: Fields): number {
  let bytes = fixedBytes + Buffer.byteLength(id) + Buffer.byteLength(producerId)
  bytes += (key === null ? 0 : keyBytes(key).length) + (value?.byteLength ?? 0)
  for (const [name, content] of headers) bytes += 6 + Buffer.byteLength(name) + content.byteLength
  return bytes
}

function kindOf({ hold }: Draft): number {
  if (hold === undefined) return 0
  return hold.why === 'prepared' ? 2 : 1
}

function writeRecord(into: Buffer, draft: Draft): void {
  const { hold } = draft
  writeFields(into, draft, kindOf(draft), hold?.why === 'delay' && hold.until !== 'decided' ? hold.until : undefined)
}

function writeFields(into: Buffer, { id, key, producerId, headers, value, timestamp }: Fields, kind: number, delayed: Millis | undefined): void {
  into[4] = version
  into[5] = kind | (key === null ? flag.noKey : 0) | (value === null ? flag.noValue : 0) | (delayed === undefined ? 0 : flag.delayed)
  into.writeDoubleLE(timestamp, 6)
  into.writeDoubleLE(delayed ?? 0, 14)
  let at = fixedBytes
  const text = (part: string, lengthAt: number): void => {
    const length = into.write(part, at)
    into.writeUInt16LE(length, lengthAt)
    at += length
  }
  text(id, 22)
  const keyLength = key === null ? 0 : keyBytes(key).copy(into, at)
  into.writeUInt16LE(keyLength, 24)
  at += keyLength
  text(producerId, 26)
  into.writeUInt16LE(headers.length, 28)
  for (const [name, bytes] of headers) {
    const start = at
    at += 6
    text(name, start)
    into.writeUInt32LE(bytes.byteLength, start + 2)
    into.set(bytes, at)
    at += bytes.byteLength
  }
  if (value) into.set(value, at)
  into.writeUInt32LE(crc32(into.subarray(4)), 0)
}

export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
}

/** Reads a record back. Its value is a view of `record`. Throws STORE_DAMAGED when the bytes are not what was written. */
export function readRecord(record: Buffer, place: Place): Message {
  if (!isRecord(record) || record.readUInt32LE(0) !== crc32(record.subarray(4))) {
    throw new MillraceError('STORE_DAMAGED', `the message at ${place.topic}/${place.partition}/${place.offset} is not what was written: restore the store from a backup`)
  }
  const flags = record[5] ?? 0
  let at = fixedBytes
  const text = (length: number): string => record.toString('utf8', at, (at += length))
  const id = text(record.readUInt16LE(22))
  const key = keyText(record.subarray(at, (at += record.readUInt16LE(24))))
  const producerId = text(record.readUInt16LE(26))
  const headers: Header[] = []
  for (let left = record.readUInt16LE(28); left > 0; left -= 1) {
    const [nameLength, valueLength] = [record.readUInt16LE(at), record.readUInt32LE(at + 2)]
    at += 6
    headers.push([text(nameLength), record.subarray(at, (at += valueLength))])
  }
  return {
    id,
    topic: place.topic,
    partition: place.partition,
    offset: place.offset,
    key: flags & flag.noKey ? null : key,
    value: flags & flag.noValue ? null : record.subarray(at),
    headers,
    timestamp: record.readDoubleLE(6),
    producerId,
    kind: kinds[flags & 3] ?? 'normal',
    ...(flags & flag.delayed ? { delayedUntil: record.readDoubleLE(14) } : {}),
  }
}

/** Whether bytes are long enough to be a record: what is read of one without its checksum is within them. */
export function isRecord(bytes: Buffer): boolean {
  return bytes.length >= fixedBytes
}

export function recordId(record: Buffer): string {
  return record.toString('utf8', fixedBytes, fixedBytes + record.readUInt16LE(22))
}

/** The key of a record without reading the rest; undefined for none. */
export function recordKey(record: Buffer): Buffer | undefined {
  if ((record[5] ?? 0) & flag.noKey) return undefined
  const start = fixedBytes + record.readUInt16LE(22)
  return record.subarray(start, start + record.readUInt16LE(24))
}

export function recordTimestamp(record: Buffer): number {
  return record.readDoubleLE(6)
}

/** The message again with another value or other headers. */
export function editRecord(record: Buffer, place: Place, edit: { readonly value?: Uint8Array | null; readonly headers?: readonly Header[] }): Buffer {
  const message = readRecord(record, place)
  const edited = { ...message, ...edit }
  const into = Buffer.alloc(recordBytes(edited))
  writeRecord(into, edited)
  into[5] = ((into[5] ?? 0) & ~(3 | flag.delayed)) | ((record[5] ?? 0) & (3 | flag.delayed))
  into.writeDoubleLE(record.readDoubleLE(14), 14)
  into.writeUInt32LE(crc32(into.subarray(4)), 0)
  return into
}
