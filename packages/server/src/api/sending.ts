import { type Codec, MillraceError, type Receipt, type SendItem, type SendOptions, type TopicRef, bytes, reservedHeaders, topic } from 'millrace'
import Type, { type Static } from 'typebox'
import { Durability, Name, Time } from './shapes.js'

/** What can be said of one message that is sent. */
export const outgoing = {
  key: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Messages of one key keep their order.' })),
  value: Type.Unknown({ description: 'Any JSON.' }),
  headers: Type.Optional(Type.Record(Type.String({ minLength: 1 }), Type.String())),
  messageType: Type.Optional(Type.Enum(['normal', 'delay', 'transaction'])),
  delaySeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 3_153_600_000, description: 'Seconds that nobody may read it, with messageType delay.' })),
  delayUntil: Type.Optional(Time),
  messageId: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Your own id; made up unless given.' })),
  partition: Type.Optional(Type.Integer({ minimum: 0 })),
  producerId: Type.Optional(Type.String({ maxLength: 200 })),
  valueEncoding: Type.Optional(Type.Enum(['json', 'base64'], { description: 'base64: value is a text that stands for bytes.' })),
  dedupId: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'A second message with it in the same partition is answered and not stored.' })),
  dedupWindowMs: Type.Optional(Type.Integer({ minimum: 1, description: 'For how long, 300000 unless given. Without a dedupId the messageId is compared.' })),
} as const

export const SendBody = Type.Object(
  { topicName: Name, ...outgoing, durability: Type.Optional(Durability), producerGroup: Type.Optional(Name) },
  { additionalProperties: false },
)
export type SendBody = Static<typeof SendBody>

const Outgoing = Type.Object(outgoing, { additionalProperties: false })
type Outgoing = Static<typeof Outgoing>

export const BatchBody = (most: number) =>
  Type.Object({ topicName: Name, messages: Type.Array(Outgoing, { minItems: 1, maxItems: most }), durability: Type.Optional(Durability) }, { additionalProperties: false })

/** The topic as the value is to be encoded for it. */
export function contractFor(name: string, messages: readonly Outgoing[]): TopicRef {
  if (!messages.some(isBytes)) return name
  return topic(name, { codec: messages.every(isBytes) ? bytes : mixed })
}

const isBytes = ({ valueEncoding }: Outgoing): boolean => valueEncoding === 'base64'

/** Bytes as they are, the rest as JSON. */
const mixed: Codec = { name: 'mixed', encode: (value) => (value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value))), decode: (value) => value }

/** What the library takes for a message of the API. Throws INVALID naming the field. */
export function toItem(message: Outgoing, producerId: string): SendItem<unknown> {
  return { value: valueOf(message), ...optionsOf(message, producerId), ...delayOf(message) }
}

export function valueOf({ value, valueEncoding }: Outgoing): unknown {
  if (valueEncoding !== 'base64') return value
  if (typeof value === 'string' && isBase64(value)) return Buffer.from(value, 'base64')
  throw new MillraceError('INVALID', 'value is not a text in base64, as valueEncoding says', { field: 'value' })
}

/** With or without padding; a length that no bytes have would lose some. */
function isBase64(text: string): boolean {
  const digits = text.replace(/={1,2}$/, '')
  return /^[\w+/-]*$/.test(digits) && digits.length % 4 !== 1 && (digits.length === text.length || text.length % 4 === 0)
}

export function optionsOf(message: Outgoing, producerId: string): Omit<SendOptions, 'durability' | 'signal'> {
  const { key, headers, messageId, partition } = message
  refuseBookmark(headers)
  return {
    producerId: message.producerId ?? producerId,
    ...(key !== undefined && { key }),
    ...(headers && { headers }),
    ...(messageId !== undefined && { id: messageId }),
    ...(partition !== undefined && { partition }),
    ...dedupOf(message),
  }
}

function dedupOf({ messageId, dedupId, dedupWindowMs }: Outgoing): Pick<SendOptions, 'dedup'> {
  if (dedupId === undefined && dedupWindowMs === undefined) return {}
  const id = dedupId ?? messageId
  if (id === undefined) throw new MillraceError('INVALID', 'dedupWindowMs goes with a dedupId or a messageId', { field: 'dedupId' })
  return { dedup: { id, windowMs: dedupWindowMs ?? 300_000 } }
}

/** What a message's handlers read after is for programs that can be trusted to tell: a forged one would send every read to the primary. */
function refuseBookmark(headers: Readonly<Record<string, string>> = {}): void {
  if (!Object.hasOwn(headers, reservedHeaders.bookmark)) return
  throw new MillraceError('INVALID', `header ${reservedHeaders.bookmark} is not taken from outside: leave it out`, { field: `headers.${reservedHeaders.bookmark}` })
}

function delayOf({ messageType, delaySeconds = 0, delayUntil }: Outgoing): { readonly delayMs: number } | { readonly at: Date } | Record<string, never> {
  const asked = delaySeconds > 0 || delayUntil !== undefined
  if (messageType === 'delay' && !asked) throw new MillraceError('INVALID', 'delaySeconds must be above 0 (or delayUntil given) with messageType delay', { field: 'delaySeconds' })
  if (!asked) return {}
  if (messageType === 'normal' || messageType === 'transaction') {
    throw new MillraceError('INVALID', `delaySeconds and delayUntil go with messageType delay, not ${messageType}`, { field: delaySeconds > 0 ? 'delaySeconds' : 'delayUntil' })
  }
  if (delayUntil === undefined) return { delayMs: Math.ceil(delaySeconds * 1_000) }
  if (delaySeconds > 0) throw new MillraceError('INVALID', 'give delaySeconds or delayUntil, not both', { field: 'delayUntil' })
  return { at: readTime('delayUntil', delayUntil) }
}

/** Throws INVALID naming the field. */
export function readTime(field: string, text: string): Date {
  const at = new Date(/^\d+$/.test(text) ? Number(text) : text)
  if (!Number.isNaN(at.getTime())) return at
  throw new MillraceError('INVALID', `${field} ${JSON.stringify(text)} is not a time: write it as 2024-01-15T10:30:00Z or in milliseconds since 1970`, { field })
}

/** A place as a JSON number. Throws UNSUPPORTED above 2^53, where numbers are not exact. */
export function exactOffset({ offset, id, topic: name, partition }: Receipt): number | null {
  if (offset === null) return null
  if (offset <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(offset)
  throw new MillraceError(
    'ENGINE_FAILED',
    `message ${id} is stored in ${name}, partition ${partition}, at offset ${offset}, which is above 2^53 and no exact JSON number: use /messages/batch, which writes offsets as texts`,
    { field: 'offset' },
  )
}
