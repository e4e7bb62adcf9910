import type { GroupCensus } from 'millrace'
import Type, { type Static } from 'typebox'
import { nullable } from './envelope.js'
import { Time, timeOrNull } from './shapes.js'

export const GroupShape = Type.Object({
  groupId: Type.String(),
  topicName: Type.String(),
  consumerCount: Type.Integer(),
  status: Type.Enum(['active', 'inactive']),
  paused: Type.Boolean(),
  lag: Type.Integer(),
  ready: Type.Integer(),
  leased: Type.Integer(),
  retrying: Type.Integer(),
  lent: Type.Integer(),
  parked: Type.Integer({ description: 'Behind a held message of their key.' }),
  dead: Type.Integer(),
  settled: Type.Integer(),
  purged: Type.Integer(),
  oldest: nullable(Time),
})

export function groupShape(topicName: string, group: GroupCensus): Static<typeof GroupShape> {
  const { group: groupId, members: consumerCount, paused, lag, ready, leased, retrying, lent, parked, dead, settled, purged, oldest } = group
  return { groupId, topicName, consumerCount, status: groupStatus(group), paused, lag, ready, leased, retrying, lent, parked, dead, settled, purged, oldest: timeOrNull(oldest) }
}

export function groupStatus({ members, paused }: GroupCensus): 'active' | 'inactive' {
  return members > 0 && !paused ? 'active' : 'inactive'
}
