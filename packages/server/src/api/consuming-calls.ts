import { MillraceError } from 'millrace'
import Type, { type Static } from 'typebox'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { nullable } from './envelope.js'
import { StaleAnswers } from './failure.js'
import { placeOf } from './group-calls.js'
import type { Answered, Loan, NackAsk } from './loans.js'
import { BigNumber, MessageShape, Name, NextCursor, PageQuery, Time, messageShape, time } from './shapes.js'

const Pulled = Type.Object({
  token: Type.String({ description: 'Answers for this message: ack, nack or extend it.' }),
  attempt: Type.Integer(),
  leasedUntil: Time,
  failureReason: nullable(Type.String()),
  message: MessageShape,
})

const Answer = Type.Object({ token: Type.String(), result: Type.Enum(['done', 'stale'], { description: 'stale: the lease was over, nothing changed.' }) })
const Answers = { results: Type.Array(Answer) } as const

const TopicParams = Type.Object({ name: Name })
const PeekQuery = Type.Object(
  {
    partition: Type.Optional(Type.Integer({ minimum: 0 })),
    from: Type.Optional(Type.Enum(['start', 'end'])),
    offset: Type.Optional(BigNumber),
    time: Type.Optional(Type.String({ description: 'RFC 3339, or milliseconds since 1970.' })),
    ...PageQuery,
  },
  { additionalProperties: false },
)

/** Consuming over HTTP: pull, answer by token, and reading without consuming. */
export function consumingCalls(context: Context): readonly Call[] {
  return [pullCall(context), ...answerCalls(context), peekCall(context)]
}

function pullCall({ loans, config }: Context): Call {
  const { batch, waitMs, leaseMs, attempts } = config.limits
  return call({
    method: 'POST',
    path: '/pull',
    role: 'service',
    says: 'pulled',
    tag: 'consumers',
    summary: 'Take messages for a group; at most one of each key until it is answered',
    body: Type.Object(
      {
        topicName: Name,
        groupId: Name,
        max: Type.Optional(Type.Integer({ minimum: 1, maximum: batch, default: 1 })),
        waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: waitMs, default: 0, description: 'How long to wait for the first message.' })),
        leaseMs: Type.Optional(Type.Integer({ minimum: 1, maximum: leaseMs, default: Math.min(30_000, leaseMs), description: 'How long you have for your answer; then others get the message.' })),
        maxAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: attempts, default: attempts, description: 'Deliveries, after which a message becomes a dead letter.' })),
        from: Type.Optional(Type.Enum(['start', 'end'], { default: 'start', description: 'Where the group starts when it is new.' })),
      },
      { additionalProperties: false },
    ),
    data: Type.Object({ messages: Type.Array(Pulled) }),
    async answer({ body, gone }) {
      const { topicName: topic, groupId: group, max = 1, waitMs: wait = 0, leaseMs: leased = 30_000, maxAttempts = attempts, from = 'start' } = body
      const pulled = await loans.pull({ topic, group, max, waitMs: wait, leaseMs: leased, attempts: maxAttempts, from, signal: gone() })
      return { messages: pulled.map(pulledShape) }
    },
  })
}

function answerCalls({ loans, config }: Context): readonly Call[] {
  const { batch, leaseMs } = config.limits
  const tokens = Type.Array(Type.String({ minLength: 1, maxLength: 1_000 }), { minItems: 1, maxItems: batch })
  return [
    call({
      method: 'POST',
      path: '/ack',
      role: 'service',
      says: 'acked',
      tag: 'consumers',
      summary: 'Finish messages',
      body: Type.Object({ tokens }, { additionalProperties: false }),
      data: Type.Object(Answers),
      answer: async ({ body }) => ({ results: results(body.tokens, await loans.ack(body.tokens)) }),
    }),
    call({
      method: 'POST',
      path: '/nack',
      role: 'service',
      says: 'nacked',
      tag: 'consumers',
      summary: 'Hand messages back: at once, after delayMs, or to the dead letters',
      body: Type.Object(
        {
          tokens,
          delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000_000 })),
          reason: Type.Optional(Type.String({ maxLength: 1_000, description: 'Why; kept with the message.' })),
          deadLetter: Type.Optional(Type.Boolean({ default: false })),
          counted: Type.Optional(Type.Boolean({ default: true, description: 'False: hand it back as if it had not been delivered. Goes with no other field.' })),
        },
        { additionalProperties: false },
      ),
      data: Type.Object(Answers),
      answer: async ({ body: { tokens: given, ...how } }) => ({ results: results(given, await loans.nack(given, nackOf(how))) }),
    }),
    call({
      method: 'POST',
      path: '/extend',
      role: 'service',
      says: 'extended',
      tag: 'consumers',
      summary: 'Keep messages longer: leaseMs from now',
      body: Type.Object({ tokens, leaseMs: Type.Integer({ minimum: 1, maximum: leaseMs }) }, { additionalProperties: false }),
      data: Type.Object({ ...Answers, leasedUntil: Time }),
      async answer({ body }) {
        const { until, answered } = await loans.extend(body.tokens, body.leaseMs)
        return { leasedUntil: time(until), results: results(body.tokens, answered) }
      },
    }),
  ]
}

function nackOf({ delayMs, reason, deadLetter = false, counted = true }: { readonly delayMs?: number; readonly reason?: string; readonly deadLetter?: boolean; readonly counted?: boolean }): NackAsk {
  const isPlain = delayMs === undefined && reason === undefined && !deadLetter
  if (isPlain) return { how: 'now', counted }
  if (!counted) throw new MillraceError('INVALID', 'counted: false goes with no delayMs, reason or deadLetter: what was not delivered has not failed', { field: 'counted' })
  const why = reason ?? 'handed back without a reason'
  return deadLetter ? { how: 'dead', reason: why } : { how: 'later', delayMs: delayMs ?? 0, reason: why }
}

/** Throws INVALID for a partition that the topic does not have. */
async function checkPartition({ mill }: Context, topic: string, partition: number | undefined): Promise<void> {
  if (partition === undefined) return
  const { partitions } = await mill.topics.get(topic)
  if (partition < partitions) return
  throw new MillraceError('INVALID', `topic ${topic} has no partition ${partition}: it has ${partitions === 1 ? 'only 0' : `0 to ${partitions - 1}`}`, { field: 'partition' })
}

function peekCall(context: Context): Call {
  const { mill } = context
  return call({
    method: 'GET',
    path: '/topics/{name}/messages',
    role: 'admin',
    says: 'peeked',
    tag: 'messages',
    summary: 'Read messages without consuming them',
    params: TopicParams,
    query: PeekQuery,
    data: Type.Object({ messages: Type.Array(MessageShape), nextCursor: NextCursor }),
    async answer({ params: { name: topic }, query: { partition, from, offset, time: at, limit = 100, cursor } }) {
      await checkPartition(context, topic, partition)
      const { items, cursor: next } = await mill.engine.browse({
        topic,
        limit,
        from: from === undefined && offset === undefined && at === undefined ? 'start' : placeOf({ ...(from && { to: from }), ...(offset && { offset }), ...(at && { time: at }) }),
        ...(partition !== undefined && { partition }),
        ...(cursor !== undefined && { cursor }),
      })
      return { messages: items.map(messageShape), nextCursor: next ?? null }
    },
  })
}

function pulledShape({ token, message, attempt, until, failure }: Loan): Static<typeof Pulled> {
  return { token, attempt, leasedUntil: time(until), failureReason: failure?.reason ?? null, message: messageShape(message) }
}

/** One answer for each token, in their order. Throws when every one came too late. */
function results(tokens: readonly string[], answered: readonly Answered[]): Static<typeof Answer>[] {
  const all = tokens.map((token, index) => ({ token, result: answered[index] ?? 'stale' }))
  if (all.every(({ result }) => result === 'stale')) throw new StaleAnswers(all)
  return all
}
