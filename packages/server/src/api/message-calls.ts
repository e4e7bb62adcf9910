import { MillraceError, type Published, messageHold } from 'millrace'
import Type, { type Static } from 'typebox'
import type { Caller } from '../access/tokens.js'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { nullable } from './envelope.js'
import { BatchBody, type SendBody, SendBody as SendBodySchema, contractFor, exactOffset, optionsOf, toItem, valueOf } from './sending.js'
import { ItemError, Name, Time, itemError, time } from './shapes.js'

const SendData = Type.Object({
  messageId: Type.String(),
  topicName: Type.String(),
  partition: Type.Integer(),
  offset: nullable(Type.Integer({ description: 'Null while a delayed or prepared message waits.' })),
  timestamp: Time,
})

const BatchItem = Type.Object({
  messageId: Type.Optional(Type.String()),
  partition: Type.Optional(Type.Integer()),
  offset: Type.Optional(nullable(Type.String())),
  timestamp: Type.Optional(Time),
  duplicate: Type.Optional(Type.Boolean()),
  failure: Type.Optional(ItemError),
  stored: Type.Optional(Type.Enum(['no', 'unknown', 'weaker'], { description: 'What became of a message that failed: never visible, perhaps, or readable below the asked durability.' })),
})

const TransactionBody = Type.Object({ topicName: Name, messageId: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false })
const Decided = Type.Object({ topicName: Type.String(), messageId: Type.String(), status: Type.Enum(['committed', 'rolledBack']) })

/** Sending: one, many, and what becomes of prepared ones. */
export function messageCalls(context: Context): readonly Call[] {
  return [
    call({
      method: 'POST',
      path: '/messages',
      role: 'service',
      says: 'sent',
      tag: 'messages',
      summary: 'Send a message',
      body: SendBodySchema,
      data: SendData,
      answer: ({ body, caller }) => send(context, body, caller),
    }),
    call({
      method: 'POST',
      path: '/messages/batch',
      role: 'service',
      says: 'batchSent',
      tag: 'messages',
      summary: 'Send many messages, with an answer for each',
      body: BatchBody(context.config.limits.batch),
      data: Type.Object({ sent: Type.Integer(), failed: Type.Integer(), results: Type.Array(BatchItem) }),
      async answer({ body, caller }) {
        const { topicName, messages, durability } = body
        const items = messages.map((message, index) => atIndex(index, () => toItem(refuseTransaction(message), producerOf(caller))))
        const published = await context.mill.sendMany(contractFor(topicName, messages), items, durability === undefined ? {} : { durability })
        const results = published.map(batchItem)
        const failed = results.filter((result) => result.failure).length
        return { sent: results.length - failed, failed, results }
      },
    }),
    transactionCall(context, 'commit'),
    transactionCall(context, 'rollback'),
  ]
}

async function send({ mill }: Context, body: SendBody, caller: Caller | undefined): Promise<Static<typeof SendData>> {
  const { topicName, messageType, durability, producerGroup } = body
  const item = toItem(body, producerOf(caller))
  const level = durability === undefined ? undefined : { durability }
  const contract = contractFor(topicName, [body])
  const receipt =
    messageType === 'transaction'
      ? (await mill.prepare(contract, valueOf(body), { ...optionsOf(body, producerOf(caller)), ...level, producerGroup: producerGroup ?? 'http' })).receipt
      : await mill.send(contract, item.value, level ? { ...item, ...level } : item)
  return { messageId: receipt.id, topicName: receipt.topic, partition: receipt.partition, offset: exactOffset(receipt), timestamp: time(receipt.timestamp) }
}

function transactionCall({ mill }: Context, verb: 'commit' | 'rollback'): Call {
  return call({
    method: 'POST',
    path: `/transactions/${verb}`,
    role: 'service',
    says: verb === 'commit' ? 'committed' : 'rolledBack',
    tag: 'messages',
    summary: verb === 'commit' ? 'Let a prepared message be read' : 'Drop a prepared message',
    body: TransactionBody,
    data: Decided,
    async answer({ body: { topicName, messageId } }) {
      const hold = messageHold(topicName, messageId)
      const { items } = await mill.engine.holds({ id: hold, limit: 1 })
      if (items[0]?.hold.why !== 'prepared') throw unknownTransaction(topicName, messageId)
      const [decided] = await mill.engine.decide([{ hold, to: verb === 'commit' ? 'release' : 'drop' }])
      if (decided === 'gone') throw unknownTransaction(topicName, messageId)
      return { topicName, messageId, status: verb === 'commit' ? ('committed' as const) : ('rolledBack' as const) }
    },
  })
}

function unknownTransaction(topic: string, id: string): MillraceError {
  return new MillraceError('UNKNOWN_HOLD', `there is no prepared message ${id} in ${topic}: it was decided before, or never prepared`, { field: 'messageId' })
}

function producerOf(caller: Caller | undefined): string {
  return caller?.name ?? 'http'
}

function refuseTransaction<M extends { readonly messageType?: string }>(message: M): M {
  if (message.messageType !== 'transaction') return message
  throw new MillraceError('INVALID', 'messageType transaction goes one by one: send it to /messages', { field: 'messageType' })
}

/** Names the place in the batch of what is wrong with one of its messages. */
function atIndex<T>(index: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { detail, field } = itemError(error)
    throw new MillraceError('INVALID', `messages.${index}: ${detail}`, { field: `messages.${index}.${field}`, cause: error })
  }
}

function batchItem(published: Published): Static<typeof BatchItem> {
  if ('error' in published) return { failure: itemError(published.error), stored: published.stored }
  const { id, partition, offset, timestamp, duplicate } = published.ok
  return { messageId: id, partition, offset: offset === null ? null : String(offset), timestamp: time(timestamp), duplicate }
}
