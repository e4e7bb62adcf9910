import type { TSchema } from 'typebox'
import { Config } from './schema.js'

export interface Setting {
  /** Where it belongs in the config. */
  readonly path: readonly string[]
  readonly value: string
  readonly variable: string
}

/** Short names beside the ones made from paths; a later one wins over an earlier one. */
const aliases: readonly (readonly [variable: string, path: string])[] = [
  ['PORT', 'listen.port'],
  ['MILLRACE_HOST', 'listen.host'],
  ['MILLRACE_PORT', 'listen.port'],
  ['MILLRACE_DATA', 'engine.path'],
]

/** Variables of ours that are no setting of the config. */
const others = new Set(['MILLRACE_CONFIG', 'MILLRACE_URL', 'MILLRACE_TOKEN', 'MILLRACE_ADMIN_TOKEN', 'MILLRACE_SERVICE_TOKEN'])

/** The settings that an environment makes, and our variables that are none. */
export function readEnvironment(env: NodeJS.ProcessEnv): { readonly settings: readonly Setting[]; readonly unknown: readonly string[] } {
  const known = [...aliases, ...leaves(Config, [])]
  const settings = known.flatMap(([variable, path]) => {
    const value = env[variable]
    return value === undefined || value === '' ? [] : [{ path: path.split('.'), value, variable }]
  })
  const names = new Set(known.map(([variable]) => variable))
  const unknown = Object.keys(env).filter((name) => name.startsWith('MILLRACE_') && !names.has(name) && !others.has(name))
  return { settings, unknown }
}

/** Tokens that come in the environment, where a file is not wanted. */
export function tokensOf(env: NodeJS.ProcessEnv): readonly object[] {
  return (['admin', 'service'] as const).flatMap((role) => {
    const token = env[`MILLRACE_${role.toUpperCase()}_TOKEN`]
    return token ? [{ name: role, role, token }] : []
  })
}

function leaves(schema: TSchema, path: readonly string[]): readonly (readonly [string, string])[] {
  const { properties, type } = schema as { properties?: Readonly<Record<string, TSchema>>; type?: string } // a JSON schema, by its own words
  if (properties) return Object.entries(properties).flatMap(([name, inner]) => leaves(inner, [...path, name]))
  return type === 'array' || type === 'object' ? [] : [[variableOf(path), path.join('.')]]
}

function variableOf(path: readonly string[]): string {
  return ['millrace', ...path].map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')
}
