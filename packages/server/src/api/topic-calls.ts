import { MillraceError, type Topic } from 'millrace'
import Type, { type Static } from 'typebox'
import { topicDefaults } from '../config/schema.js'
import { type TopicSettings, topicChange, topicDraft, topicSettings } from '../config/topic-settings.js'
import { type Call, call } from './call.js'
import type { Context } from './context.js'
import { GroupShape, groupShape } from './group-shapes.js'
import { Name, NextCursor, PageQuery, Time, TopicShape, time, topicShape } from './shapes.js'

const TopicParams = Type.Object({ name: Name })

const CreateBody = Type.Object({ name: Name, ...topicSettings }, { additionalProperties: false })
const ChangeBody = Type.Object({ ...topicSettings, status: Type.Optional(Type.Enum(['active', 'inactive'])) }, { additionalProperties: false })

const Created = Type.Object({ topicId: Type.String(), name: Type.String(), status: Type.Enum(['active', 'inactive']), createdAt: Time })
const Deleted = Type.Object({ topicId: Type.String(), name: Type.String(), status: Type.Enum(['deleted']) })

const Described = Type.Object({
  ...TopicShape.properties,
  published: Type.Integer(),
  messages: Type.Integer(),
  bytes: Type.Integer(),
  delayed: Type.Integer(),
  prepared: Type.Integer(),
  partitionList: Type.Array(Type.Object({ partition: Type.Integer(), start: Type.String(), end: Type.String(), messages: Type.Integer(), bytes: Type.Integer() })),
  groups: Type.Array(GroupShape),
})

/** Topics: the four calls of the first version, and what was added to them. */
export function topicCalls(context: Context): readonly Call[] {
  return [listCall(context), ...lifeCalls(context), describeCall(context), pauseCall(context, 'pause'), pauseCall(context, 'resume')]
}

function listCall({ mill }: Context): Call {
  return call({
    method: 'GET',
    path: '/topics',
    role: 'admin',
    says: 'topicsListed',
    tag: 'topics',
    summary: 'List topics',
    query: Type.Object({ ...PageQuery, status: Type.Optional(Type.Enum(['active', 'inactive'])), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 1_000 })) }, { additionalProperties: false }),
    data: Type.Object({ topics: Type.Array(TopicShape), nextCursor: NextCursor }),
    async answer({ query: { limit = 1_000, cursor = '', status } }) {
      const all = (await mill.topics.list()).filter((topic) => topic.name > cursor).map(topicShape).filter((topic) => status === undefined || topic.status === status)
      const page = all.sort((one, other) => (one.name < other.name ? -1 : 1)).slice(0, limit)
      return { topics: page, nextCursor: all.length > limit ? (page.at(-1)?.name ?? null) : null }
    },
  })
}

function lifeCalls(context: Context): readonly Call[] {
  const { mill, config } = context
  return [
    call({
      method: 'POST',
      path: '/topics',
      role: 'admin',
      says: 'topicCreated',
      tag: 'topics',
      summary: 'Create a topic',
      body: CreateBody,
      data: Created,
      async answer({ body: { name, ...settings }, caller }) {
        const topic = await mill.topics.create(topicDraft(name, settings, topicDefaults(config), caller?.name ?? ''))
        return { topicId: topic.id, name: topic.name, status: 'active' as const, createdAt: time(topic.createdAt) }
      },
    }),
    call({
      method: 'PUT',
      path: '/topics/{name}',
      role: 'admin',
      says: 'topicUpdated',
      tag: 'topics',
      summary: 'Change a topic; what is left out stays',
      params: TopicParams,
      body: ChangeBody,
      data: TopicShape,
      answer: ({ params, body }) => change(context, params.name, body),
    }),
    call({
      method: 'DELETE',
      path: '/topics/{name}',
      role: 'admin',
      says: 'topicDeleted',
      tag: 'topics',
      summary: 'Delete a topic with its messages and groups',
      params: TopicParams,
      data: Deleted,
      async answer({ params }) {
        const topic = await mill.topics.get(params.name)
        await mill.topics.remove(params.name)
        return { topicId: topic.id, name: topic.name, status: 'deleted' as const }
      },
    }),
  ]
}

function describeCall(context: Context): Call {
  return call({
    method: 'GET',
    path: '/topics/{name}',
    role: 'admin',
    says: 'topicShown',
    tag: 'topics',
    summary: 'Describe a topic',
    params: TopicParams,
    data: Described,
    answer: ({ params }) => describe(context, params.name),
  })
}

async function change({ mill }: Context, name: string, body: TopicSettings & { readonly status?: 'active' | 'inactive' }): Promise<Static<typeof TopicShape>> {
  const { status, ...settings } = body
  const was = await mill.topics.get(name)
  const changes = { ...topicChange(settings, was), ...(status !== undefined && { paused: status === 'inactive' }) }
  if (Object.keys(changes).length === 0) throw new MillraceError('INVALID', 'body changes nothing: give a setting, such as partitions or retentionMs', { field: 'body' })
  return topicShape(await mill.topics.alter(name, changes))
}

function pauseCall({ mill }: Context, verb: 'pause' | 'resume'): Call {
  return call({
    method: 'POST',
    path: `/topics/{name}/${verb}`,
    role: 'admin',
    says: verb === 'pause' ? 'topicPaused' : 'topicResumed',
    tag: 'topics',
    summary: verb === 'pause' ? 'Stop deliveries of a topic; sending goes on' : 'Go on with deliveries of a topic',
    params: TopicParams,
    data: TopicShape,
    answer: async ({ params }): Promise<Static<typeof TopicShape>> => topicShape(await mill.topics.pause(params.name, verb === 'pause')),
  })
}

async function describe({ mill, sampler }: Context, name: string): Promise<Static<typeof Described>> {
  const topic: Topic = await mill.topics.get(name)
  const counts = (await sampler.census()).topics.find((each) => each.topic === name)
  const { published = 0, messages = 0, bytes = 0, delayed = 0, prepared = 0, partitions = [], groups = [] } = counts ?? {}
  return {
    ...topicShape(topic),
    published,
    messages,
    bytes,
    delayed,
    prepared,
    partitionList: partitions.map((each) => ({ partition: each.partition, start: String(each.start), end: String(each.end), messages: each.messages, bytes: each.bytes })),
    groups: groups.map((group) => groupShape(name, group)),
  }
}
