import { checkName, type TopicConfig, type TopicDraft } from '../core/index.js'
import { type Codec, json } from './codec.js'
import type { SchemaInput, SchemaOutput, StandardSchema } from './standard-schema.js'

/**
 * What producers and consumers of a topic agree on. `Input` is what `send` takes and what travels; `Output` is what the
 * schema makes of it on arrival, and what a handler gets.
 */
export interface TopicContract<Input = unknown, Output = Input> {
  readonly name: string
  /** What `topics.ensure` creates. */
  readonly draft: TopicDraft
  readonly schema: StandardSchema<Input, Output> | undefined
  readonly codec: Codec<Input>
  key(value: Input): string | null
}

/** A contract, or a name: JSON of any shape without a key. */
export type TopicRef<Input = unknown, Output = Input> = string | TopicContract<Input, Output>

/** The settings of a topic that `topics.ensure` creates: partitions, keep, cap, durability and the like. */
export type TopicSettings = Partial<Omit<TopicConfig, 'name'>>

export interface ContractOptions<T> extends TopicSettings {
  /** Messages of one key keep their order. Null, undefined or absent: no key. */
  readonly key?: (value: T) => string | number | null | undefined
  /** JSON unless told otherwise. */
  readonly codec?: Codec<T>
}

/** A topic whose values are checked on both sides; the schema's types flow to `send` and `consume`. */
export function topic<Schema extends StandardSchema>(
  name: string,
  options: ContractOptions<SchemaInput<Schema>> & { readonly schema: Schema },
): TopicContract<SchemaInput<Schema>, SchemaOutput<Schema>>
/** A topic whose values are taken as they come. */
export function topic<T = unknown>(name: string, options?: ContractOptions<T> & { readonly schema?: never }): TopicContract<T>
export function topic(name: string, options: ContractOptions<unknown> & { readonly schema?: StandardSchema } = {}): TopicContract {
  checkName('topic', name)
  const { schema, key, codec = json, ...settings } = options
  return {
    name,
    draft: { ...settings, name },
    schema,
    codec,
    key(value) {
      const found = key?.(value)
      return found === undefined || found === null ? null : String(found)
    },
  }
}

/** The contract itself, or the untyped one for a name. */
export function contractOf<Input, Output>(ref: TopicRef<Input, Output>): TopicContract<Input, Output> {
  if (typeof ref !== 'string') return ref
  // A name carries no types: whoever passes one has Input and Output unknown.
  return topic<unknown>(ref) as TopicContract<Input, Output>
}

/** The topic's name. */
export function nameOf(ref: string | { readonly name: string }): string {
  return typeof ref === 'string' ? ref : ref.name
}
