import { type HoldId, MillraceError } from 'millrace'
import type { Decision } from 'millrace/engine'
import Type from 'typebox'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { HeldShape, Name, NextCursor, PageQuery, heldShape } from './shapes.js'

const Results = Type.Object({ done: Type.Integer(), gone: Type.Integer(), results: Type.Array(Type.Object({ id: Type.String(), result: Type.Enum(['done', 'gone', 'accepted']) })) })

/** Messages that nobody may read yet: delayed, retried, prepared, lent. */
export function heldCalls(context: Context): readonly Call[] {
  const { mill } = context
  return [
    call({
      method: 'GET',
      path: '/held',
      role: 'admin',
      says: 'heldListed',
      tag: 'held',
      summary: 'List held messages',
      query: Type.Object(
        { topicName: Type.Optional(Name), groupId: Type.Optional(Name), why: Type.Optional(Type.Enum(['delay', 'retry', 'prepared', 'dead', 'lent'])), ...PageQuery },
        { additionalProperties: false },
      ),
      data: Type.Object({ held: Type.Array(HeldShape), nextCursor: NextCursor }),
      async answer({ query: { topicName, groupId, why, limit = 100, cursor } }) {
        const { items, cursor: next } = await mill.engine.holds({
          limit,
          ...(topicName !== undefined && { topic: topicName }),
          ...(groupId !== undefined && { group: groupId }),
          ...(why !== undefined && { why }),
          ...(cursor !== undefined && { cursor }),
        })
        return { held: items.map(heldShape), nextCursor: next ?? null }
      },
    }),
    decideCall(context, 'cancel'),
    decideCall(context, 'release'),
  ]
}

function decideCall({ mill, config }: Context, verb: 'cancel' | 'release'): Call {
  return call({
    method: 'POST',
    path: `/held/${verb}`,
    role: 'admin',
    says: verb === 'cancel' ? 'heldCancelled' : 'heldReleased',
    tag: 'held',
    summary: verb === 'cancel' ? 'Drop held messages for good' : 'Let held messages be read now',
    body: Type.Object({ ids: Type.Array(Type.String({ minLength: 1, maxLength: 1_000 }), { minItems: 1, maxItems: config.limits.batch }) }, { additionalProperties: false }),
    data: Results,
    async answer({ body: { ids } }) {
      const decided = await mill.engine.decide(ids.map((hold): Decision => ({ hold, to: verb === 'cancel' ? 'drop' : 'release' })))
      const results = ids.map((id, index) => ({ id, result: decided[index] ?? ('gone' as const) }))
      const gone = results.filter(({ result }) => result === 'gone').length
      if (gone === ids.length) throw unknownHold(ids[0] ?? '')
      return { done: results.length - gone, gone, results }
    },
  })
}

function unknownHold(id: HoldId): MillraceError {
  return new MillraceError('UNKNOWN_HOLD', `nothing is held as ${id}: it was decided or released before, or it is lent (answer it with its token)`, { field: 'ids' })
}
