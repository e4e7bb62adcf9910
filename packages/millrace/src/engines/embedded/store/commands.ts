import { MillraceError } from '../../../core/errors.js'
import type { PublishAnswer, PublishBatch, SettleBatch, Verbs, WireError } from '../protocol.js'
import * as browse from './browse.js'
import { census } from './census.js'
import { decide } from './decide.js'
import * as groups from './groups.js'
import * as holds from './holds.js'
import type { Member } from './member.js'
import { publish } from './publish.js'
import { settle } from './settle.js'
import * as topics from './topics.js'
import type { Txn } from './txn.js'

type Handlers<V extends keyof Verbs> = { readonly [K in V]: (txn: Txn, ...args: Parameters<Verbs[K]>) => ReturnType<Verbs[K]> }

/** Verbs that only look. */
export const reads: Handlers<'holds' | 'browse' | 'census' | 'listTopics' | 'positions'> = {
  holds: browse.listHolds,
  browse: browse.browse,
  census,
  listTopics: (txn) => txn.topics().map(({ topic }) => topic),
  positions: (txn, topic, group) => {
    const row = groups.topicRow(txn, topic)
    return groups.positions(txn, row, groups.groupRow(txn, row, group))
  },
}

/** Verbs that change the store and nothing else. */
export const writes: Handlers<'decide' | 'createTopic' | 'alterTopic' | 'removeTopic' | 'createGroup' | 'seek' | 'pauseGroup' | 'removeGroup'> = {
  decide: (txn, decisions) => decisions.map((decision) => decide(txn, decision)),
  createTopic: topics.create,
  alterTopic: topics.alter,
  removeTopic: topics.remove,
  createGroup: (txn, topic, group, from) => groups.create(txn, groups.topicRow(txn, topic), group, from).isNew,
  seek: (txn, topic, group, to, partition) => {
    const row = groups.topicRow(txn, topic)
    groups.seek(txn, row, groups.groupRow(txn, row, group), to, partition)
  },
  pauseGroup: (txn, topic, group, paused) => {
    const row = groups.topicRow(txn, topic)
    txn.putGroup(row.number, { ...groups.groupRow(txn, row, group), paused })
    txn.stir('paused', topic, group)
    txn.stir('ready', topic, group)
  },
  removeGroup: (txn, topic, group) => {
    const row = groups.topicRow(txn, topic)
    groups.remove(txn, row, groups.groupRow(txn, row, group))
  },
}

/** Stores a packed batch: one answer for each draft. */
export function publishBatch(txn: Txn, batch: PublishBatch, maxBytes: number): PublishAnswer {
  const bytes = Buffer.from(batch.bytes)
  const answer = { offsets: new Float64Array(batch.ends.length), duplicates: [] as number[], errors: new Map<number, WireError>() }
  for (let index = 0, start = 0; index < batch.ends.length; index += 1) {
    const end = batch.ends[index] ?? start
    const draft = { partition: batch.partition[index] ?? 0, bytes: batch.size[index] ?? 0, record: bytes.subarray(start, end), ...batch.special.get(index) }
    start = end
    try {
      const row = groups.topicRow(txn, batch.topics[batch.topic[index] ?? 0] ?? '')
      const { offset, duplicate } = publish(txn, row, draft, maxBytes)
      answer.offsets[index] = offset ?? -1
      if (duplicate) answer.duplicates.push(index)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      answer.offsets[index] = Number.NaN
      answer.errors.set(index, wireError(error))
    }
  }
  if (answer.errors.size < batch.ends.length) for (const name of batch.topics) txn.stir('ready', name)
  return answer
}

/** Settles a packed batch of a member; a broadcast member's verdicts leave no trace but its dead letters. */
export function settleBatch(txn: Txn, member: Member, batch: SettleBatch): ReturnType<Verbs['settle']> {
  const of = member.of(txn)
  if (!of) return Array.from(batch.partition, () => 'lapsed')
  const verdicts = Array.from(batch.partition, (partition, index) => {
    const special = batch.special.get(index)
    return { partition, offset: batch.offset[index] ?? 0, epoch: batch.epoch[index] ?? 0, is: 'done' as const, ...special }
  })
  if (!member.broadcast) return settle(txn, { id: member.id, park: member.request.park, ...of }, verdicts)
  for (const { hold, partition, offset } of verdicts) {
    const record = hold && txn.record(of.topic.number, partition, offset)
    if (!hold || !record) continue
    const cursor = txn.cursor(of.topic.number, of.group.number, partition)
    holds.holdForGroup(txn, cursor, { topic: of.topic.topic.name, offset, hold: { ...hold, group: of.group.name }, head: false, record })
  }
  return verdicts.map(() => 'settled')
}

export function wireError({ code, message, field }: MillraceError): WireError {
  return { code, message, ...(field === undefined ? {} : { field }) }
}
