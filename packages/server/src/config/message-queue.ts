import { MillraceError } from 'millrace'
import Type from 'typebox'
import { checker } from './check.js'
import { problemText } from './problem-words.js'

/** The `message_queue` block as documents of the field write it. */
const MessageQueue = Type.Object(
  {
    provider: Type.Optional(Type.Enum(['embedded', 'memory', 'redis_streams'])),
    redis: Type.Optional(Type.Unknown()),
    retention_hours: Type.Optional(Type.Number({ minimum: 0, description: 'Hours that read messages are kept.' })),
    max_len: Type.Optional(Type.Integer({ minimum: 1, description: 'Bound on unread messages of a topic; new ones are refused at it.' })),
  },
  { additionalProperties: false },
)

const check = checker(MessageQueue)

/** What a `message_queue` block means in our own words. Throws CONFIG naming the key, UNSUPPORTED for an engine that is not there. */
export function readMessageQueue(block: unknown): { readonly engine?: object; readonly defaults?: object } {
  const checked = check(block)
  if ('problems' in checked) {
    const [problem] = checked.problems
    const path = ['message_queue', problem.path].filter(Boolean).join('.')
    throw new MillraceError('CONFIG', problemText({ ...problem, path }, 'en', path), { field: path })
  }
  const { provider, redis, retention_hours: hours, max_len: maxLength } = checked.value
  if (provider === 'redis_streams') throw unsupported('message_queue.provider', 'redis_streams')
  if (redis !== undefined) throw unsupported('message_queue.redis', 'a Redis connection')
  return {
    ...(provider && { engine: { provider } }),
    defaults: {
      ...(hours !== undefined && { retentionMs: Math.round(hours * 3_600_000) }),
      ...(maxLength !== undefined && { maxMessages: maxLength }),
    },
  }
}

function unsupported(field: string, what: string): MillraceError {
  return new MillraceError('UNSUPPORTED', `${field}: ${what} is not supported by this server yet: set message_queue.provider to embedded (on disk) or memory and remove message_queue.redis`, { field })
}
