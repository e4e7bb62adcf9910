import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TokenConfig, Config } from './config/schema.js'
import { type Fixture, fixture } from './fixture.harness.js'

const page = readFileSync(new URL('../../../docs/server.md', import.meta.url), 'utf8')

let server: Fixture
beforeAll(async () => {
  server = await fixture()
  await server.app.ready()
})
afterAll(() => server.close())

/** A JSON schema, by its own words. */
interface Described {
  readonly properties?: Readonly<Record<string, object>>
  readonly default?: unknown
}

/** Each setting with its default, as the page writes them. */
function settings(schema: object, path: readonly string[] = []): readonly (readonly [name: string, value: string])[] {
  const { properties, default: value } = schema as Described
  if (properties) return Object.entries(properties).flatMap(([name, inner]) => settings(inner, [...path, name]))
  return [[path.join('.'), value === undefined ? '' : `\`${JSON.stringify(value)}\``]]
}

test('docs/server.md has every setting with its default, and no other', () => {
  const written = [...page.matchAll(/^\| `([\w.[\]]+)` \|(?: (`.*?`))? \| \S.*\|$/gm)].map(([, name, value = '']) => [name, value])
  expect(written).toEqual([...settings(Config), ...settings(TokenConfig, ['tokens[]'])])
})

test('docs/server.md has every call with its role, and no other', () => {
  const written = [...page.matchAll(/^\| ([A-Z]+) \| `(\S+)` \| (\w+) \|/gm)].map(([, ...cells]) => cells.join(' '))
  const calls = Object.entries(server.app.swagger().paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, { readonly description?: string }>>).map(
      ([method, { description = '' }]) => `${method.toUpperCase()} ${path.replace('/api/v1/mq', '')} ${/Role: (\w+)/.exec(description)?.[1]}`,
    ),
  )
  expect(written.toSorted()).toEqual(calls.toSorted())
})
