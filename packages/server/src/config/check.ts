import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'

/** One thing that is wrong with a value: where, and by which rule of the schema. */
export interface Problem {
  /** Dotted path from the value's root; empty for the root itself. */
  readonly path: string
  readonly rule: string
  readonly params: Readonly<Record<string, unknown>>
  /** The schema's own description of the place, for what to do. */
  readonly hint?: string
}

export type Checked<T> = { readonly value: T } | { readonly problems: readonly [Problem, ...Problem[]] }

/**
 * Compiles a schema once into a check that fills defaults in. `texts` says that the value comes as texts (a query, the
 * environment), so that '12' is a number where a number belongs; elsewhere nothing is converted.
 */
export function checker<S extends TSchema>(schema: S, from: 'json' | 'texts' = 'json'): (value: unknown) => Checked<Static<S>> {
  const compiled = Compile(schema)
  const hasDefaults = JSON.stringify(schema).includes('"default":')
  return (given) => {
    const filled = hasDefaults ? Value.Default(schema, given) : given
    const value = from === 'texts' ? Value.Convert(schema, filled) : filled
    if (compiled.Check(value)) return { value }
    const [first, ...rest] = compiled.Errors(value).flatMap((error) => problems(schema, error))
    return { problems: [first ?? { path: '', rule: 'type', params: {} }, ...rest] }
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
}

function problems(schema: TSchema, error: SchemaError): readonly Problem[] {
  const at = error.instancePath.split('/').slice(1).map(unescapePointer)
  const params = error.params as Record<string, unknown> // each keyword has its own, all by name
  if (error.keyword === 'boolean') return []
  if (error.keyword === 'required') return names(params['requiredProperties']).map((name) => problem(schema, [...at, name], 'required', {}))
  if (error.keyword === 'additionalProperties') {
    return names(params['additionalProperties']).map((name) => problem(schema, [...at, name], 'unknown', { known: knownKeys(schemaAt(schema, at)) }))
  }
  return [problem(schema, at, error.keyword, params)]
}

function problem(schema: TSchema, at: readonly string[], rule: string, params: Record<string, unknown>): Problem {
  const hint = property(schemaAt(schema, at), 'description')
  return { path: at.join('.'), rule, params, ...(typeof hint === 'string' && { hint }) }
}

function schemaAt(schema: unknown, at: readonly string[]): unknown {
  return at.reduce((here, part) => property(property(here, 'properties'), part) ?? property(here, 'items'), schema)
}

function knownKeys(schema: unknown): readonly string[] {
  const properties = property(schema, 'properties')
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined
}

function names(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : []
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}
