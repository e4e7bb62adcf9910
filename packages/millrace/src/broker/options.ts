import type { Clock, Millis } from '../core/index.js'
import type { Engine } from '../engine/index.js'
import type { Partitioner } from '../routing/index.js'
import type { ConsumerDefaults } from './consume-options.js'
import type { Middleware } from './middleware.js'
import type { TopicSettings } from './topic-contract.js'

/** Messages that wait to be handed to the engine. */
export interface BufferOptions {
  /** Default `limits.sendBufferMessages`. */
  readonly maxMessages?: number
  /** Of encoded values. Default `limits.sendBufferBytes`. */
  readonly maxBytes?: number
  /** `wait` for room until the time is over, then FULL; `reject` with FULL at once; `drop-oldest`: the oldest is answered FULL. */
  readonly whenFull?: 'wait' | 'reject' | 'drop-oldest'
  /** With `wait`. Default `limits.sendWaitMs`. */
  readonly timeoutMs?: Millis
}

export interface MillraceOptions {
  readonly engine: Engine
  readonly clock?: Clock
  /** From 0 to below 1, for jitter. */
  readonly random?: () => number
  /** Makes the ids of messages and members; never the same one twice, by anyone. */
  readonly ids?: () => string
  /** Sent with each message. Default: made up for this instance. */
  readonly producerId?: string
  readonly buffer?: BufferOptions
  /** For every `consume` and `consumeBatch`; what is given there goes before. */
  readonly consumers?: ConsumerDefaults
  readonly middleware?: readonly Middleware[]
  readonly partitioner?: Partitioner
  /** Creates unknown topics on first use, with these settings. Default false: UNKNOWN_TOPIC. */
  readonly autoCreate?: boolean | TopicSettings
  /** Whether this instance ripens delays, retries and prepared messages. Default true. */
  readonly keeper?: boolean
  /** Hears of troubles that work goes on after. Default: a process warning. */
  readonly onError?: (error: unknown) => void
}
