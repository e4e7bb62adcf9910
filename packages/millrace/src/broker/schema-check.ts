import { MillraceError } from '../core/index.js'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js'

/** What the schema makes of a value. Throws SCHEMA naming the field; a promise only where the schema itself is asynchronous. */
export function checked<Output>(schema: StandardSchema<unknown, Output>, value: unknown, topic: string): Output | Promise<Output> {
  const result = schema['~standard'].validate(value)
  return result instanceof Promise ? result.then((late) => unwrapped(late, topic)) : unwrapped(result, topic)
}

function unwrapped<Output>(result: SchemaResult<Output>, topic: string): Output {
  if (!result.issues) return result.value
  const [first] = result.issues
  const field = first ? pathOf(first) : 'value'
  const more = result.issues.length > 1 ? ` (and ${result.issues.length - 1} more)` : ''
  throw new MillraceError('SCHEMA', `${field} of a message of topic ${topic}: ${first?.message ?? 'refused by its schema'}${more}`, { field, cause: result.issues })
}

function pathOf({ path }: SchemaIssue): string {
  const parts = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  return parts.length === 0 ? 'value' : parts.join('.')
}
