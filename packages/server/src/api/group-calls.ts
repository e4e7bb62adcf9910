import { MillraceError, type Place } from 'millrace'
import Type, { type Static } from 'typebox'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { nullable } from './envelope.js'
import { GroupShape, groupShape } from './group-shapes.js'
import { readTime } from './sending.js'
import { BigNumber, Name } from './shapes.js'

const GroupParams = Type.Object({ name: Name, group: Name })
const Done = Type.Object({ topicName: Type.String(), groupId: Type.String() })

const Position = Type.Object({
  partition: Type.Integer(),
  watermark: BigNumber,
  end: BigNumber,
  lag: Type.Integer(),
  owner: nullable(Type.String()),
  epoch: Type.Integer(),
})

const SeekBody = Type.Object(
  {
    to: Type.Optional(Type.Enum(['start', 'end'])),
    offset: Type.Optional(BigNumber),
    time: Type.Optional(Type.String({ description: 'RFC 3339, or milliseconds since 1970.' })),
    partition: Type.Optional(Type.Integer({ minimum: 0, description: 'Absent: all.' })),
  },
  { additionalProperties: false },
)

/** Consumer groups: where they stand, and moving, pausing and removing them. */
export function groupCalls(context: Context): readonly Call[] {
  const { mill, sampler } = context
  return [
    call({
      method: 'GET',
      path: '/groups',
      role: 'admin',
      says: 'groupsListed',
      tag: 'groups',
      summary: 'List groups of all topics, or of one',
      query: Type.Object({ topicName: Type.Optional(Name) }, { additionalProperties: false }),
      data: Type.Object({ groups: Type.Array(GroupShape) }),
      async answer({ query: { topicName } }) {
        if (topicName !== undefined) await mill.topics.get(topicName)
        const { topics } = await sampler.census()
        const wanted = topics.filter((each) => topicName === undefined || each.topic === topicName)
        return { groups: wanted.flatMap((each) => each.groups.map((group) => groupShape(each.topic, group))) }
      },
    }),
    call({
      method: 'POST',
      path: '/topics/{name}/groups/{group}',
      role: 'admin',
      says: 'groupCreated',
      tag: 'groups',
      summary: 'Create a group before anyone consumes, so that messages are kept for it',
      params: GroupParams,
      body: Type.Object({ from: Type.Optional(Type.Enum(['start', 'end'], { default: 'start' })) }, { additionalProperties: false, default: {} }),
      data: Type.Object({ ...Done.properties, created: Type.Boolean({ description: 'False when it was there.' }) }),
      async answer({ params: { name, group }, body: { from = 'start' } }) {
        return { topicName: name, groupId: group, created: await mill.groups.create(name, group, from) }
      },
    }),
    call({
      method: 'DELETE',
      path: '/topics/{name}/groups/{group}',
      role: 'admin',
      says: 'groupDeleted',
      tag: 'groups',
      summary: 'Delete a group with its retries and dead letters',
      params: GroupParams,
      data: Done,
      async answer({ params: { name, group } }) {
        await mill.groups.remove(name, group)
        return { topicName: name, groupId: group }
      },
    }),
    ...placeCalls(context),
    pauseCall(context, 'pause'),
    pauseCall(context, 'resume'),
  ]
}

function placeCalls({ mill }: Context): readonly Call[] {
  return [
    call({
      method: 'GET',
      path: '/topics/{name}/groups/{group}/positions',
      role: 'admin',
      says: 'positionsListed',
      tag: 'groups',
      summary: 'Where a group stands in each partition',
      params: GroupParams,
      data: Type.Object({ positions: Type.Array(Position) }),
      async answer({ params: { name, group } }): Promise<{ positions: Static<typeof Position>[] }> {
        const positions = await mill.groups.positions(name, group)
        return { positions: positions.map((each) => ({ ...each, watermark: String(each.watermark), end: String(each.end) })) }
      },
    }),
    call({
      method: 'POST',
      path: '/topics/{name}/groups/{group}/seek',
      role: 'admin',
      says: 'sought',
      tag: 'groups',
      summary: 'Move a group: to the start, the end, an offset or a time',
      params: GroupParams,
      body: SeekBody,
      data: Done,
      async answer({ params: { name, group }, body }) {
        await mill.groups.seek(name, group, placeOf(body), body.partition)
        return { topicName: name, groupId: group }
      },
    }),
  ]
}

function pauseCall({ mill }: Context, verb: 'pause' | 'resume'): Call {
  return call({
    method: 'POST',
    path: `/topics/{name}/groups/{group}/${verb}`,
    role: 'admin',
    says: verb === 'pause' ? 'groupPaused' : 'groupResumed',
    tag: 'groups',
    summary: verb === 'pause' ? 'Stop deliveries to a group' : 'Go on with deliveries to a group',
    params: GroupParams,
    data: Done,
    async answer({ params: { name, group } }) {
      await mill.groups.pause(name, group, verb === 'pause')
      return { topicName: name, groupId: group }
    },
  })
}

/** Exactly one of the ways to say where. Throws INVALID otherwise. */
export function placeOf({ to, offset, time }: { readonly to?: 'start' | 'end'; readonly offset?: string; readonly time?: string }): Place {
  const places: Place[] = []
  if (to !== undefined) places.push(to)
  if (offset !== undefined) places.push({ offset: BigInt(offset) })
  if (time !== undefined) places.push({ time: readTime('time', time).getTime() })
  const [place] = places
  if (place === undefined || places.length > 1) throw new MillraceError('INVALID', 'give one of to (start or end), offset and time', { field: 'to' })
  return place
}
