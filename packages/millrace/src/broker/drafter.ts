import { asMillraceError, type Draft, type Header, type Hold, MillraceError, type Millis, type Topic } from '../core/index.js'
import type { Partitioner } from '../routing/index.js'
import type { Codec } from './codec.js'
import { reservedHeaders, toHeaders } from './headers.js'
import type { Outgoing } from './middleware.js'
import { unitHeaders } from './propagation.js'
import type { Runtime } from './runtime.js'
import { checked } from './schema-check.js'
import type { MessageOptions } from './send.js'
import type { TopicContract } from './topic-contract.js'

/** Makes drafts: schema, codec, headers, middleware, partition. */
export class Drafter {
  readonly runtime: Runtime
  readonly partitioner: Partitioner
  readonly producerId: () => string

  constructor(runtime: Runtime, partitioner: Partitioner, producerId: () => string) {
    this.runtime = runtime
    this.partitioner = partitioner
    this.producerId = producerId
  }

  /** For the messages of one call. */
  to<Input>(contract: TopicContract<Input, unknown>, topic: Topic): Drafting<Input> {
    return new Drafting(this, contract, topic)
  }
}

/** The messages of one call to one topic: they share its time and its unit of work. */
export class Drafting<Input> {
  readonly #drafter: Drafter
  readonly #contract: TopicContract<Input, unknown>
  readonly #topic: Topic
  readonly #now: Millis
  readonly #unit = unitHeaders()

  constructor(drafter: Drafter, contract: TopicContract<Input, unknown>, topic: Topic) {
    this.#drafter = drafter
    this.#contract = contract
    this.#topic = topic
    this.#now = drafter.runtime.clock.wall()
  }

  /** A promise only where a schema or a middleware is asynchronous. Throws SCHEMA, CODEC, INVALID. */
  draft(value: Input, options: MessageOptions, hold?: Hold): Draft | Promise<Draft> {
    const { schema, name } = this.#contract
    const check = schema && checked(schema, value, name)
    if (check instanceof Promise) return check.then(() => this.#encode(value, options, hold))
    return this.#encode(value, options, hold)
  }

  #encode(value: Input, options: MessageOptions, hold?: Hold): Draft | Promise<Draft> {
    const { name, codec, key } = this.#contract
    const draft: Making = {
      id: options.id ?? this.#drafter.runtime.ids(),
      topic: name,
      partition: unplaced,
      key: options.key === undefined ? key(value) : options.key,
      value: encoded(codec, value),
      headers: headersOf(options, codec.contentType, this.#unit),
      timestamp: options.timestamp ?? this.#now,
      producerId: options.producerId ?? this.#drafter.producerId(),
    }
    if (this.#drafter.runtime.middleware.length === 0) return this.#place(draft, options, hold)
    return this.#transform(draft).then((transformed) => this.#place(transformed, options, hold))
  }

  async #transform(draft: Draft): Promise<Making> {
    let outgoing: Outgoing = { id: draft.id, topic: draft.topic, key: draft.key, value: draft.value, headers: draft.headers }
    for (const each of this.#drafter.runtime.middleware) if (each.outgoing) outgoing = await each.outgoing(outgoing)
    const { id, key, value, headers } = outgoing
    return { ...draft, id, key, value, headers }
  }

  #place(draft: Making, options: MessageOptions, hold = delayOf(options, this.#now)): Draft {
    draft.partition = options.partition ?? this.#drafter.partitioner.partition(draft, this.#topic.partitions)
    if (hold) draft.hold = hold
    if (options.dedup) draft.dedup = dedupOf(options.dedup, options.id)
    return draft
  }
}

/** One object from the first to the last: there are as many as there are messages. */
type Making = { -readonly [Field in keyof Draft]: Draft[Field] }

const unplaced = -1

/** The value's bytes. Throws CODEC. */
export function encoded<Input>(codec: Codec<Input>, value: Input): Uint8Array | null {
  let bytes: Uint8Array | null
  try {
    bytes = codec.encode(value)
  } catch (error) {
    throw asMillraceError(error, 'CODEC', `value is not ${codec.name}`)
  }
  if (bytes === null || bytes instanceof Uint8Array) return bytes
  throw new MillraceError('CODEC', `codec ${codec.name} made ${typeof bytes} of the value: it needs bytes or null`, { field: 'value' })
}

function headersOf(options: MessageOptions, typeName: string | undefined, unit: readonly Header[]): readonly Header[] {
  const given = toHeaders(options.headers)
  const type = contentType(typeName)
  if (unit.length === 0 && given.length === 0) return type
  const added = [...type, ...unit].filter(([name]) => !given.some(([each]) => each === name))
  return [...given, ...added]
}

const noHeaders: readonly Header[] = []
const contentTypes = new Map<string, readonly Header[]>()

function contentType(type: string | undefined): readonly Header[] {
  if (type === undefined) return noHeaders
  const made = contentTypes.get(type) ?? [[reservedHeaders.contentType, Buffer.from(type)]]
  contentTypes.set(type, made)
  return made
}

/** An id that is made up is a new one each time, and would never find a second message. */
function dedupOf({ id, windowMs }: NonNullable<MessageOptions['dedup']>, messageId: string | undefined): NonNullable<Draft['dedup']> {
  const known = id ?? messageId
  if (known === undefined) throw new MillraceError('INVALID', 'dedup.id is missing: give the message an id, or dedup one of its own', { field: 'dedup.id' })
  return { id: known, windowMs }
}

function delayOf({ delayMs, at }: MessageOptions, now: Millis): Hold | undefined {
  if (delayMs === undefined && at === undefined) return undefined
  if (delayMs !== undefined && at !== undefined) throw new MillraceError('INVALID', 'delayMs and at are both given: choose one', { field: 'delayMs' })
  const until = at === undefined ? now + (delayMs ?? 0) : millisOf(at)
  if (!Number.isFinite(until)) throw new MillraceError('INVALID', 'delayMs or at is not a time', { field: delayMs === undefined ? 'at' : 'delayMs' })
  return { why: 'delay', until, then: 'release', attempt: 0 }
}

export function millisOf(at: Date | Millis): Millis {
  return typeof at === 'number' ? at : at.getTime()
}
