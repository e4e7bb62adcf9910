import type { Millis } from '../../core/clock.js'
import { keyBytes, keyText } from '../../core/key-bytes.js'
import { limits } from '../../core/limits.js'
import type { Draft, Header, Message, MessageKind, Offset } from '../../core/message.js'
import { perMs, streamId } from './offset.js'
import type { Reply } from './port.js'

/**
 * An entry of a log has the fields `value`, `key` and `meta`, always in this order, so that a plain consumer reads the value as it was sent.
 * `meta`, little-endian: mark u8 | flags u8 | timestamp f64 | lengths of id and producerId u16 each | id | producerId |
 * delayedUntil f64 where flagged | headers where flagged: count u16, then of each the lengths of name u16 and value u32, name, value.
 */
const mark = 0xa1
const flag = { noKey: 1, noValue: 2, delayed: 4, headers: 32 } as const
const kinds: readonly MessageKind[] = ['normal', 'delay', 'transaction']
const kindShift = 3
const fixedBytes = 1 + 1 + 8 + 2 + 2

/** What an entry is made of. */
export type Unplaced = Pick<Draft, 'id' | 'key' | 'value' | 'headers' | 'timestamp' | 'producerId'> & { readonly kind?: MessageKind; readonly delayedUntil?: Millis }

/** A place of the log, or none yet. */
export interface EntryPlace<At extends Offset | null> {
  readonly topic: string
  readonly partition: number
  readonly offset: At
}

export type Placed<At extends Offset | null> = Omit<Message, 'offset'> & { readonly offset: At }

/** The three fields of an entry, as bytes. */
export interface EntryFields {
  readonly value: Buffer
  readonly key: Buffer
  readonly meta: Buffer
}

const nothing = Buffer.alloc(0)

export function fieldsOf(message: Unplaced): EntryFields {
  const { key, value } = message
  return { value: value === null ? nothing : asBuffer(value), key: key === null ? nothing : keyBytes(key), meta: metaOf(message) }
}

/** A message of an entry of ours. Throws when `meta` is not one of ours: ask `isMeta` first where that may be. */
export function messageOf<At extends Offset | null>(place: EntryPlace<At>, { value, key, meta }: EntryFields): Placed<At> {
  const flags = meta[1] ?? 0
  const idEnd = fixedBytes + meta.readUInt16LE(10)
  const producerEnd = idEnd + meta.readUInt16LE(12)
  const isDelayed = (flags & flag.delayed) !== 0
  const message = {
    id: meta.toString('utf8', fixedBytes, idEnd),
    topic: place.topic,
    partition: place.partition,
    offset: place.offset,
    key: flags & flag.noKey ? null : keyText(key),
    value: flags & flag.noValue ? null : value,
    headers: flags & flag.headers ? readHeaders(meta, producerEnd + (isDelayed ? 8 : 0)) : noHeaders,
    timestamp: meta.readDoubleLE(2),
    producerId: meta.toString('utf8', idEnd, producerEnd),
    kind: kinds[(flags >> kindShift) & 3] ?? 'normal',
  }
  return isDelayed ? { ...message, delayedUntil: meta.readDoubleLE(producerEnd) } : message
}

/** Whether bytes are the `meta` of an entry of ours. */
export function isMeta(meta: Buffer): boolean {
  return meta.length >= fixedBytes && meta[0] === mark && fixedBytes + meta.readUInt16LE(10) + meta.readUInt16LE(12) <= meta.length
}

/**
 * A message of an entry as a stream gives it, of us or of others. Of others: the field `value`, or the only one, is the value, `key` the key,
 * `id` the id, each other one a header, and the time is that of the entry.
 */
export function entryMessage(place: EntryPlace<Offset>, fields: readonly Reply[]): Message {
  const [, value, , key, , meta] = fields
  if (fields.length === 6 && Buffer.isBuffer(meta) && Buffer.isBuffer(value) && Buffer.isBuffer(key) && isMeta(meta)) return messageOf(place, { value, key, meta })
  return foreignMessage(place, pairsOf(fields))
}

function foreignMessage(place: EntryPlace<Offset>, pairs: readonly (readonly [name: string, value: Buffer])[]): Message {
  const take = (name: string): Buffer | undefined => pairs.find(([each]) => each === name)?.[1]
  const only = pairs.length === 1 ? pairs[0]?.[1] : undefined
  const id = take('id')?.toString()
  const key = only ? undefined : take('key')
  const at = streamId(place.offset)
  return {
    id: id && id.length <= limits.maxIdChars ? id : `${place.topic}-${place.partition}-${at}`,
    topic: place.topic,
    partition: place.partition,
    offset: place.offset,
    key: key === undefined ? null : keyText(key),
    value: only ?? take('value') ?? null,
    headers: only ? noHeaders : pairs.filter(([name]) => !known.has(name)),
    timestamp: Math.floor(Number(place.offset) / perMs),
    producerId: '',
    kind: 'normal',
  }
}

const known = new Set(['value', 'key', 'id'])

function pairsOf(fields: readonly Reply[]): readonly (readonly [name: string, value: Buffer])[] {
  const pairs: (readonly [string, Buffer])[] = []
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [name, value] = [fields[index], fields[index + 1]]
    if (Buffer.isBuffer(name) && Buffer.isBuffer(value)) pairs.push([name.toString(), value])
  }
  return pairs
}

const noHeaders: readonly Header[] = []

function readHeaders(meta: Buffer, start: number): readonly Header[] {
  const headers: Header[] = []
  let at = start + 2
  for (let left = meta.readUInt16LE(start); left > 0; left -= 1) {
    const nameEnd = at + 6 + meta.readUInt16LE(at)
    const valueEnd = nameEnd + meta.readUInt32LE(at + 2)
    headers.push([meta.toString('utf8', at + 6, nameEnd), meta.subarray(nameEnd, valueEnd)])
    at = valueEnd
  }
  return headers
}

export function metaOf(message: Unplaced): Buffer {
  const into = Buffer.allocUnsafe(metaBytes(message))
  writeMeta(into, 0, message)
  return into
}

/** How long `writeMeta` writes. */
function metaBytes({ id, producerId, headers, delayedUntil }: Unplaced): number {
  let bytes = fixedBytes + Buffer.byteLength(id) + Buffer.byteLength(producerId) + (delayedUntil === undefined ? 0 : 8) + (headers.length === 0 ? 0 : 2)
  for (const [name, value] of headers) bytes += 6 + Buffer.byteLength(name) + value.byteLength
  return bytes
}

function writeMeta(into: Buffer, start: number, { id, key, value, producerId, headers, timestamp, kind = 'normal', delayedUntil }: Unplaced): number {
  into[start] = mark
  into[start + 1] =
    (key === null ? flag.noKey : 0) | (value === null ? flag.noValue : 0) | (delayedUntil === undefined ? 0 : flag.delayed) | (kinds.indexOf(kind) << kindShift) | (headers.length === 0 ? 0 : flag.headers)
  into.writeDoubleLE(timestamp, start + 2)
  let at = start + fixedBytes
  const idLength = into.write(id, at)
  into.writeUInt16LE(idLength, start + 10)
  at += idLength
  const producerLength = into.write(producerId, at)
  into.writeUInt16LE(producerLength, start + 12)
  at += producerLength
  if (delayedUntil !== undefined) at = into.writeDoubleLE(delayedUntil, at)
  return headers.length === 0 ? at : writeHeaders(into, at, headers)
}

function writeHeaders(into: Buffer, start: number, headers: readonly Header[]): number {
  let at = into.writeUInt16LE(headers.length, start)
  for (const [name, value] of headers) {
    const length = into.write(name, at + 6)
    into.writeUInt16LE(length, at)
    into.writeUInt32LE(value.byteLength, at + 2)
    into.set(value, at + 6 + length)
    at += 6 + length + value.byteLength
  }
  return at
}

/** The most that a draft takes in a packed batch, so that a batch is as long as its drafts at most. */
export function packedBytes(message: Unplaced): number {
  return 3 * 4 + (message.value?.byteLength ?? 0) + (message.key === null ? 0 : Buffer.byteLength(message.key)) + metaBytes(message)
}

/** Writes an entry as scripts read it: lengths of value, key and meta as u32, each before its bytes. Gives where it ends. */
export function pack(into: Buffer, start: number, message: Unplaced): number {
  const { value, key } = message
  const valueBytes = value?.byteLength ?? 0
  let at = into.writeUInt32LE(valueBytes, start)
  if (value) into.set(value, at)
  at += valueBytes
  const keyAt = at
  at += 4
  if (key !== null) at += keyBytes(key).copy(into, at)
  into.writeUInt32LE(at - keyAt - 4, keyAt)
  const metaAt = at
  at = writeMeta(into, at + 4, message)
  into.writeUInt32LE(at - metaAt - 4, metaAt)
  return at
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
