import Type, { type Static } from 'typebox'
import { type TopicSettings, topicSettings } from './topic-settings.js'

const strict = { additionalProperties: false, default: {} } as const
const count = (value: number, most: number, description: string) => Type.Integer({ minimum: 1, maximum: most, default: value, description })

const Listen = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on; beyond loopback only with tokens.' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 7420, description: 'Port from 1 to 65535, or 0 for any free one.' }),
  },
  strict,
)

const EngineConfig = Type.Object(
  {
    provider: Type.Enum(['embedded', 'memory'], { default: 'embedded', description: 'embedded keeps messages on disk, memory forgets them when the server stops.' }),
    path: Type.String({ default: './data', minLength: 1, description: 'Folder of the embedded store, relative to where the server is started.' }),
    durability: Type.Optional(Type.Enum(['memory', 'os', 'fsync'], { description: 'What a sent message survives, for topics that do not say: os a killed process, fsync a power loss (default).' })),
  },
  strict,
)

export const TokenConfig = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'Who holds the token, for the log.' }),
    role: Type.Enum(['admin', 'service'], { description: 'service sends and consumes; admin may do everything.' }),
    token: Type.Optional(Type.String({ minLength: 16, maxLength: 512, description: 'The token itself, at least 16 characters; or give sha256 in its place.' })),
    sha256: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{64}$', description: 'SHA-256 of the token, 64 hexadecimal digits.' })),
  },
  { additionalProperties: false },
)

const Limits = Type.Object(
  {
    bodyBytes: count(1_048_576, 67_108_864, 'Bytes of a request body.'),
    jsonDepth: count(64, 1_000, 'How deep arrays and objects of a request body may nest.'),
    headerBytes: count(16_384, 1_048_576, 'Bytes of all headers of a request.'),
    connections: count(10_000, 1_000_000, 'Open connections.'),
    requestMs: count(30_000, 3_600_000, 'Milliseconds a client may take to send a request.'),
    batch: count(1_000, 10_000, 'Messages, tokens or ids in one call.'),
    waitMs: count(20_000, 600_000, 'Longest wait of a pull.'),
    leaseMs: count(43_200_000, 2_592_000_000, 'Longest loan of a pulled message.'),
    attempts: count(16, 1_000, 'Deliveries of a pulled message, after which it becomes a dead letter.'),
    memberships: count(1_000, 100_000, 'Groups that are pulled from at one time.'),
    membershipIdleMs: count(30_000, 86_400_000, 'Milliseconds without a pull, after which the server leaves a group.'),
    metricTopics: count(1_000, 100_000, 'Topics with series of their own in /metrics; the others share `_other`.'),
  },
  strict,
)

/** The whole config. Every setting of one value has an environment variable: MILLRACE_ and its path, as in MILLRACE_LISTEN_PORT. */
export const Config = Type.Object(
  {
    listen: Listen,
    engine: EngineConfig,
    tokens: Type.Array(TokenConfig, { default: [], maxItems: 1_000 }),
    autoCreateTopics: Type.Boolean({ default: false, description: 'Whether sending to an unknown topic creates it, with the defaults.' }),
    defaults: Type.Object(topicSettings, { ...strict, description: 'What holds for topics that do not say.' }),
    topics: Type.Array(Type.Object({ name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$', description: '1 to 200 of A-Z a-z 0-9 . _ -, starting with a letter or digit.' }), ...topicSettings }, { additionalProperties: false }), {
      default: [],
      maxItems: 10_000,
      description: 'Topics that are created at start where there are none.',
    }),
    limits: Limits,
    log: Type.Object({ level: Type.Enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], { default: 'warn', description: 'What is logged, on standard error.' }) }, strict),
  },
  { additionalProperties: false, default: {} },
)
export type Config = Static<typeof Config>
export type TokenConfig = Static<typeof TokenConfig>

/** What holds for topics that do not say. */
export function topicDefaults({ engine, defaults }: Pick<Config, 'engine' | 'defaults'>): TopicSettings {
  return { ...(engine.durability && { durability: engine.durability }), ...defaults }
}
