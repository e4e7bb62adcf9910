import type { FastifyInstance } from 'fastify'
import { type Clock, Millrace, memory } from 'millrace'
import { checker } from './config/check.js'
import { Config } from './config/schema.js'
import { createServer } from './server.js'

export const adminToken = 'admin-token-for-tests'
export const serviceToken = 'service-token-for-tests'

export const withTokens = {
  tokens: [
    { name: 'ops', role: 'admin', token: adminToken },
    { name: 'app', role: 'service', token: serviceToken },
  ],
}

/** Every field that some call answers with; a test reads those of its own. */
export interface Data {
  readonly messages: readonly Pulled[]
  readonly topics: readonly { readonly name: string }[]
  readonly held: readonly { readonly why: string }[]
  readonly groups: readonly object[]
  readonly consumers: readonly object[]
  readonly deadLetters: readonly { readonly id: string }[]
  readonly results: readonly object[]
  readonly topicId: string
  readonly nextCursor: string | null
  readonly offset: number | null
  readonly error: string
  readonly field: string | null
  readonly detail: string
}

export interface Pulled {
  readonly token: string
  readonly attempt: number
  readonly message: { readonly value: unknown }
}

export interface Answer {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly data: Data
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Fixture {
  readonly app: FastifyInstance
  readonly mill: Millrace
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>
  close(): Promise<void>
}

const check = checker(Config)

export function configOf(settings: object = {}): Config {
  const checked = check({ engine: { provider: 'memory' }, log: { level: 'silent' }, ...settings })
  if ('problems' in checked) throw new Error(JSON.stringify(checked.problems))
  return checked.value
}

/** A server on the memory engine, called without a network. */
export async function fixture(settings: object = {}, options: { readonly mill?: Millrace; readonly clock?: Clock } = {}): Promise<Fixture> {
  const { clock } = options
  const mill = options.mill ?? new Millrace({ engine: memory(clock ? { clock } : {}), ...(clock && { clock }) })
  const app = await createServer({ mill, config: configOf(settings), ...(clock && { clock }) })
  return {
    app,
    mill,
    async call(method, path, body, headers = {}) {
      const response = await app.inject({ method, url: path.startsWith('/api') ? path : `/api/v1/mq${path}`, headers, ...(body && { payload: body }) })
      return { status: response.statusCode, headers: response.headers, ...response.json<Omit<Answer, 'status' | 'headers'>>() } // every answer of the API is an envelope
    },
    async close() {
      await app.close()
      if (!options.mill) await mill.close()
    },
  }
}
