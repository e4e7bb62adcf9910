import type { Millis } from '../../core/clock.js'
import { keyBytes, keyText } from '../../core/key-bytes.js'
import type { Draft, Header, Message, MessageKind } from '../../core/message.js'
import type { KafkaRecord, NewRecord } from './port.js'

const prefix = 'millrace-'
const ours = { id: `${prefix}id`, producer: `${prefix}producer`, kind: `${prefix}kind`, delayedUntil: `${prefix}delayed-until` } as const
const kinds: readonly MessageKind[] = ['normal', 'delay', 'transaction']

type Sendable = Pick<Draft, 'id' | 'partition' | 'key' | 'value' | 'headers' | 'timestamp' | 'producerId'> & { readonly kind?: MessageKind; readonly delayedUntil?: Millis }

/** A message as a record of the Kafka topic `topic`: our headers first, then the user's. */
export function recordOf(topic: string, message: Sendable): NewRecord {
  const { partition, key, value, timestamp } = message
  return {
    topic,
    partition,
    key: key === null ? null : keyBytes(key),
    value: value && asBuffer(value),
    headers: headersOf(message),
    timestamp,
  }
}

/**
 * A record as a message of the topic `topic`. One of another producer has the place for an id, and all of its headers are its own. A
 * header of ours is one only in front, where we write it: a user may have one of the same name.
 */
export function messageOf({ partition, offset, key, value, timestamp, headers }: KafkaRecord, topic: string): Message {
  const id = textOf(headers[0], ours.id)
  const producerId = id === undefined ? undefined : producerOf(headers[1])
  const place = id === undefined ? 0 : producerId === undefined ? 1 : 2
  const word = id === undefined ? undefined : textOf(headers[place], ours.kind)
  const kind = word === undefined ? undefined : kinds.find((each) => each === word)
  const until = kind === 'delay' ? textOf(headers[place + 1], ours.delayedUntil) : undefined
  const front = place + (word === undefined ? 0 : 1) + (until === undefined ? 0 : 1)
  const message: Message = {
    id: id ?? `${topic}-${partition}-${offset}`,
    topic,
    partition,
    offset,
    key: key && keyText(key),
    value,
    headers: front === 0 ? headers : headers.length === front ? noHeaders : headers.slice(front),
    timestamp,
    producerId: producerId ?? '',
    kind: kind ?? 'normal',
  }
  return until ? { ...message, delayedUntil: Number(until) } : message
}

const noHeaders: readonly Header[] = []

/** The header's value, if it has this name. */
function textOf(header: Header | undefined, name: string): string | undefined {
  return header?.[0] === name ? asBuffer(header[1]).toString() : undefined
}

/** Ours, then the user's. The kind is left out where nothing could be mistaken for it; with a delay its time follows, empty where it had none. */
function headersOf({ id, producerId, kind = 'normal', delayedUntil, headers }: Sendable): readonly Header[] {
  const all: Header[] = [[ours.id, Buffer.from(id)], producerHeader(producerId)]
  if (kind !== 'normal' || headers[0]?.[0].startsWith(prefix)) all.push([ours.kind, Buffer.from(kind)])
  if (kind === 'delay') all.push([ours.delayedUntil, Buffer.from(delayedUntil === undefined ? '' : String(delayedUntil))])
  for (const header of headers) all.push(header)
  return all
}

function producerOf(header: Header | undefined): string | undefined {
  if (header?.[0] !== ours.producer) return undefined
  if (lastSeen === undefined || !asBuffer(header[1]).equals(lastSeen.bytes)) lastSeen = { bytes: Buffer.from(header[1]), id: asBuffer(header[1]).toString() }
  return lastSeen.id
}

/** Of those that come one after another too: their messages share one text. */
let lastSeen: { readonly bytes: Buffer; readonly id: string } | undefined

let lastProducer: { readonly id: string; readonly header: Header } | undefined

/** Those sent one after another are mostly of one producer. */
function producerHeader(id: string): Header {
  if (lastProducer?.id !== id) lastProducer = { id, header: [ours.producer, Buffer.from(id)] }
  return lastProducer.header
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
