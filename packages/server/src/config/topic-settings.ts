import { type Cap, type Keep, type TopicChange, type TopicDraft, limits } from 'millrace'
import Type, { type Static } from 'typebox'

/** What can be said of a topic from outside: in the config file, and when it is created or altered over HTTP. */
export const topicSettings = {
  description: Type.Optional(Type.String({ maxLength: 1_000 })),
  partitions: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxPartitions, description: 'Partitions; may grow later, never shrink.' })),
  replicationFactor: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Kept for engines that replicate; this one stores it.' })),
  retentionMs: Type.Optional(Type.Integer({ minimum: -1, description: 'Milliseconds that read messages are kept; -1 keeps them for ever.' })),
  maxMessageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.maxMessageBytesCeiling, description: 'Bytes of value, key and headers of one message.' })),
  config: Type.Optional(Type.Record(Type.String({ maxLength: 200 }), Type.String({ maxLength: 1_000 }), { maxProperties: 100 })),
  maxMessages: Type.Optional(Type.Integer({ minimum: 0, description: 'Bound on messages that some group has not read; 0 is none.' })),
  whenFull: Type.Optional(Type.Enum(['refuse', 'trim'], { description: 'At the bound: refuse new messages, or trim the oldest unread ones.' })),
  durability: Type.Optional(Type.Enum(['memory', 'os', 'fsync'], { description: 'What a sent message survives: nothing, a killed process, a power loss.' })),
  groupIdleMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Milliseconds after which an unused group stops holding messages back; 0 is never.' })),
} as const

export const TopicSettings = Type.Object(topicSettings)
export type TopicSettings = Static<typeof TopicSettings>

/** Settings as a change of a topic; `was` gives the parts of keep and cap that are not mentioned. */
export function topicChange(settings: TopicSettings, was: { readonly keep?: Keep; readonly cap?: Cap } = {}): TopicChange {
  const { description, partitions, replicationFactor, retentionMs, maxMessageSize, config, maxMessages, whenFull, durability, groupIdleMs } = settings
  return {
    ...(description !== undefined && { description }),
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
    ...(retentionMs !== undefined && { keep: keep(was.keep, retentionMs) }),
    ...(maxMessageSize !== undefined && { maxMessageBytes: maxMessageSize }),
    ...(config !== undefined && { config }),
    ...((maxMessages !== undefined || whenFull !== undefined) && { cap: cap(was.cap, maxMessages, whenFull) }),
    ...(durability !== undefined && { durability }),
    ...(groupIdleMs !== undefined && groupIdleMs > 0 && { groupIdleMs }),
  }
}

/** A new topic of this name; `defaults` holds for what the settings leave open. */
export function topicDraft(name: string, settings: TopicSettings, defaults: TopicSettings, createdBy: string): TopicDraft {
  return { ...topicChange({ ...defaults, ...settings }), name, createdBy }
}

function keep(was: Keep | undefined, retentionMs: number): Keep {
  const { ageMs: _, ...others } = was ?? {}
  return retentionMs === -1 ? others : { ...others, ageMs: retentionMs }
}

function cap(was: Cap | undefined, maxMessages: number | undefined, whenFull: Cap['whenFull'] | undefined): Cap {
  const { count, ...others } = was ?? { whenFull: 'refuse' }
  const bound = maxMessages ?? count ?? 0
  return { ...others, ...(bound > 0 && { count: bound }), ...(whenFull && { whenFull }) }
}
