import { type DeadLetter, type DeadLetterFilter, MillraceError } from 'millrace'
import Type, { type Static } from 'typebox'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { nullable } from './envelope.js'
import { readTime } from './sending.js'
import { HeaderMap, Name, NextCursor, PageQuery, Time, headerMap, readValue, time } from './shapes.js'

/** In the words of the first version's DeadLetterMessage, with what else is known. */
const DeadLetterShape = Type.Object({
  id: Type.String(),
  originalTopicName: Type.String(),
  originalMessageId: Type.String(),
  consumerGroupId: Type.String(),
  failureReason: Type.String(),
  failureKind: Type.String(),
  failureStack: nullable(Type.String()),
  retryCount: Type.Integer(),
  key: nullable(Type.String()),
  messageContent: Type.Unknown(),
  messageEncoding: Type.Enum(['json', 'text', 'base64', 'none']),
  headers: HeaderMap,
  partition: Type.Integer(),
  offset: Type.String(),
  failedAt: Time,
  createdAt: Time,
})

const filterFields = {
  originalTopicName: Type.Optional(Name),
  consumerGroupId: Type.Optional(Name),
  failureKind: Type.Optional(Type.String()),
  key: Type.Optional(Type.String()),
  text: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'In the reason, kind, key, message id or value; case does not matter.' })),
  failedAfter: Type.Optional(Time),
  failedBefore: Type.Optional(Time),
} as const
const Filter = Type.Object(filterFields, { additionalProperties: false })
type Filter = Static<typeof Filter>

const Swept = Type.Object({ scanned: Type.Integer(), matched: Type.Integer(), gone: Type.Integer({ description: 'Decided by somebody else meanwhile.' }), dryRun: Type.Boolean() })

/** What died, looking through it, sending it again, and clearing it away. */
export function deadLetterCalls(context: Context): readonly Call[] {
  const { mill, config } = context
  const ids = Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 1_000 }), { minItems: 1, maxItems: config.limits.batch }))
  const dryRun = Type.Optional(Type.Boolean({ default: false, description: 'Counts and changes nothing.' }))
  const all = Type.Optional(Type.Boolean({ default: false, description: 'In place of ids and filter: every dead letter.' }))
  return [
    call({
      method: 'POST',
      path: '/dead-letters/retry',
      role: 'admin',
      says: 'retried',
      tag: 'dead letters',
      summary: 'Send dead letters to their groups again: by ids, by filter, or all',
      body: Type.Object({ ids, filter: Type.Optional(Filter), all, dryRun, ratePerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })) }, { additionalProperties: false }),
      data: Type.Object({ ...Swept.properties, retried: Type.Integer() }),
      async answer({ body, gone }) {
        const { ratePerSecond, dryRun: dry = false } = body
        const { done, ...swept } = await mill.deadLetters.redrive({ ...sweepOf(body), dryRun: dry, signal: gone(), ...(ratePerSecond !== undefined && { ratePerSec: ratePerSecond }) })
        return { ...swept, retried: done, dryRun: dry }
      },
    }),
    call({
      method: 'POST',
      path: '/dead-letters/purge',
      role: 'admin',
      says: 'deadPurged',
      tag: 'dead letters',
      summary: 'Clear dead letters away for good: by ids, by filter, or all',
      body: Type.Object({ ids, filter: Type.Optional(Filter), all, dryRun }, { additionalProperties: false }),
      data: Type.Object({ ...Swept.properties, purged: Type.Integer() }),
      async answer({ body, gone }) {
        const { dryRun: dry = false } = body
        const { done, ...swept } = await mill.deadLetters.purge({ ...sweepOf(body), dryRun: dry, signal: gone() })
        return { ...swept, purged: done, dryRun: dry }
      },
    }),
    call({
      method: 'GET',
      path: '/dead-letters',
      role: 'admin',
      says: 'deadListed',
      tag: 'dead letters',
      summary: 'List dead letters; with a filter a page may be short, or empty, and still not the last',
      query: Type.Object({ ...filterFields, ...PageQuery }, { additionalProperties: false }),
      data: Type.Object({ deadLetters: Type.Array(DeadLetterShape), nextCursor: NextCursor }),
      async answer({ query: { limit = 100, cursor, ...filter } }) {
        const { items, cursor: next } = await mill.deadLetters.search({ ...filterOf(filter), limit, ...(cursor !== undefined && { cursor }) })
        return { deadLetters: items.map(deadLetterShape), nextCursor: next ?? null }
      },
    }),
    call({
      method: 'GET',
      path: '/dead-letters/{id}',
      role: 'admin',
      says: 'deadShown',
      tag: 'dead letters',
      summary: 'Show a dead letter',
      params: Type.Object({ id: Type.String({ minLength: 1 }) }),
      data: DeadLetterShape,
      async answer({ params: { id } }) {
        const letter = await mill.deadLetters.get(id)
        if (letter) return deadLetterShape(letter)
        throw new MillraceError('UNKNOWN_HOLD', `there is no dead letter ${id}: it was sent again or cleared away before`, { field: 'id' })
      },
    }),
  ]
}

/** Which dead letters are meant. Throws INVALID unless exactly one way says it: nothing at all must not mean everything. */
function sweepOf({ ids, filter, all = false }: { readonly ids?: readonly string[]; readonly filter?: Filter; readonly all?: boolean }) {
  const given = [ids !== undefined, filter !== undefined && Object.keys(filter).length > 0, all].filter(Boolean).length
  if (given !== 1) throw new MillraceError('INVALID', 'give one of ids, filter (with a field in it) and all: true', { field: 'ids' })
  return { ...(ids && { ids }), ...(filter && { filter: filterOf(filter) }) }
}

function filterOf({ originalTopicName, consumerGroupId, failureKind, key, text, failedAfter, failedBefore }: Filter): DeadLetterFilter {
  return {
    ...(originalTopicName !== undefined && { topic: originalTopicName }),
    ...(consumerGroupId !== undefined && { group: consumerGroupId }),
    ...(failureKind !== undefined && { kind: failureKind }),
    ...(key !== undefined && { key }),
    ...(text !== undefined && { text }),
    ...(failedAfter !== undefined && { since: readTime('failedAfter', failedAfter) }),
    ...(failedBefore !== undefined && { until: readTime('failedBefore', failedBefore) }),
  }
}

function deadLetterShape(letter: DeadLetter): Static<typeof DeadLetterShape> {
  const { value, valueEncoding } = readValue(letter.bytes)
  return {
    id: letter.id,
    originalTopicName: letter.topic,
    originalMessageId: letter.messageId,
    consumerGroupId: letter.group,
    failureReason: letter.reason,
    failureKind: letter.kind,
    failureStack: letter.stack ?? null,
    retryCount: letter.attempts,
    key: letter.key,
    messageContent: value,
    messageEncoding: valueEncoding,
    headers: headerMap(letter.headers.raw),
    partition: letter.partition,
    offset: String(letter.offset),
    failedAt: time(letter.lastAt),
    createdAt: time(letter.heldAt),
  }
}
