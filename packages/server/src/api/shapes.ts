import { type Header, type Millis, type Topic, isMillraceError } from 'millrace'
import type { Held } from 'millrace/engine'
import Type, { type Static } from 'typebox'
import { nullable } from './envelope.js'
import { inexactNumber } from './exact-json.js'
import { fieldOf, wordsOf } from './failure.js'

/** An instant as the API writes it. */
export const Time = Type.String({ description: 'RFC 3339, UTC.' })
export const time = (at: Millis): string => (at === written.at ? written.text : write(at))
export const timeOrNull = (at: Millis | undefined | null): string | null => (at === undefined || at === null ? null : time(at))

/** The instant that was written last: under load many answers have the same one. */
let written = { at: Number.NaN, text: '' }

function write(at: Millis): string {
  written = { at, text: new Date(at).toISOString() }
  return written.text
}

export const Name = Type.String({ minLength: 1, maxLength: 200 })
/** A 64-bit number outside of the eight calls of the first version. */
export const BigNumber = Type.String({ pattern: '^-?\\d{1,20}$', description: 'A 64-bit number as a text.' })

export const Durability = Type.Enum(['memory', 'os', 'fsync', 'replicated'])

/** Topic names in the eight calls: the fields of their own document. */
export const TopicShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.String(),
  partitions: Type.Integer(),
  replicationFactor: Type.Integer(),
  retentionMs: Type.Integer({ description: '-1: kept for ever.' }),
  maxMessageSize: Type.Integer(),
  config: Type.Record(Type.String(), Type.String()),
  status: Type.Enum(['active', 'inactive', 'deleted']),
  createdBy: Type.String(),
  createdAt: Time,
  updatedAt: Time,
})

export function topicShape(topic: Topic): Static<typeof TopicShape> {
  return {
    id: topic.id,
    name: topic.name,
    description: topic.description,
    partitions: topic.partitions,
    replicationFactor: topic.replicationFactor,
    retentionMs: topic.keep.ageMs ?? -1,
    maxMessageSize: topic.maxMessageBytes,
    config: { ...topic.config },
    status: topic.paused ? 'inactive' : 'active',
    createdBy: topic.createdBy,
    createdAt: time(topic.createdAt),
    updatedAt: time(topic.updatedAt),
  }
}

export const HeaderMap = Type.Record(Type.String(), Type.Unknown(), { description: 'A text for each name, a list of texts where a name repeats.' })

export const MessageShape = Type.Object({
  id: Type.String(),
  topicName: Type.String(),
  partition: Type.Integer(),
  offset: nullable(Type.String({ description: 'A 64-bit number as a text; null until the message takes its place.' })),
  key: nullable(Type.String()),
  value: Type.Unknown(),
  valueEncoding: Type.Enum(['json', 'text', 'base64', 'none'], { description: 'How `value` is written; none is a tombstone.' }),
  headers: HeaderMap,
  timestamp: Time,
  producerId: Type.String(),
  messageType: Type.Enum(['normal', 'delay', 'transaction']),
  delayUntil: nullable(Time),
})

type AnyMessage = Held['message']

export function messageShape(message: AnyMessage): Static<typeof MessageShape> {
  return {
    id: message.id,
    topicName: message.topic,
    partition: message.partition,
    offset: message.offset === null ? null : String(message.offset),
    key: message.key,
    ...readValue(message.value),
    headers: headerMap(message.headers),
    timestamp: time(message.timestamp),
    producerId: message.producerId,
    messageType: message.kind,
    delayUntil: timeOrNull(message.delayedUntil),
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A value as it can be written in JSON: what is JSON as itself, other text as a text, other bytes in base64. */
export function readValue(value: Uint8Array | null): { readonly value: unknown; readonly valueEncoding: 'json' | 'text' | 'base64' | 'none' } {
  if (value === null) return { value: null, valueEncoding: 'none' }
  let text: string
  try {
    text = decoder.decode(value)
  } catch {
    return { value: Buffer.from(value).toString('base64'), valueEncoding: 'base64' }
  }
  // Parsed and written again, a number above 2^53 would be another one.
  if (inexactNumber(text) !== undefined) return { value: text, valueEncoding: 'text' }
  try {
    return { value: JSON.parse(text) as unknown, valueEncoding: 'json' }
  } catch {
    return { value: text, valueEncoding: 'text' }
  }
}

export function headerMap(headers: readonly Header[]): Record<string, string | string[]> {
  const map: Record<string, string | string[]> = {}
  for (const [name, bytes] of headers) {
    const text = Buffer.from(bytes).toString()
    const before = Object.hasOwn(map, name) ? map[name] : undefined
    map[name] = before === undefined ? text : [...(Array.isArray(before) ? before : [before]), text]
  }
  return map
}

export const HeldShape = Type.Object({
  id: Type.String(),
  why: Type.Enum(['delay', 'retry', 'prepared', 'dead', 'lent']),
  until: nullable(Time),
  groupId: nullable(Type.String()),
  attempt: Type.Integer(),
  failureReason: nullable(Type.String()),
  heldAt: Time,
  message: MessageShape,
})

export function heldShape(held: Held): Static<typeof HeldShape> {
  const { hold, message } = held
  return {
    id: held.id,
    why: hold.why,
    until: hold.until === 'decided' ? null : time(hold.until),
    groupId: hold.group ?? null,
    attempt: hold.attempt,
    failureReason: hold.failure?.reason ?? null,
    heldAt: time(held.heldAt),
    message: messageShape(message),
  }
}

/** What is told of an error inside an answer that went well as a whole. */
export const ItemError = Type.Object({ error: Type.String(), field: nullable(Type.String()), detail: Type.String(), retryable: Type.Boolean() })

export function itemError(error: unknown): Static<typeof ItemError> {
  if (isMillraceError(error)) return { error: error.code, field: fieldOf(error) ?? null, detail: wordsOf(error), retryable: error.retryable }
  return { error: 'ENGINE_FAILED', field: null, detail: 'the server failed: its log has the reason', retryable: true }
}

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 2_000, description: '`nextCursor` of the page before.' })),
} as const

export const NextCursor = nullable(Type.String({ description: 'Null on the last page.' }))
