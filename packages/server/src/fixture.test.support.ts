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

export interface Answer {
  readonly status: number
  readonly code: number
  readonly message: string
  // What a test expects of it is what it states.
  readonly data: any
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
      return { status: response.statusCode, headers: response.headers, ...(response.json() as Omit<Answer, 'status' | 'headers'>) } // every answer of the API is an envelope
    },
    async close() {
      await app.close()
      if (!options.mill) await mill.close()
    },
  }
}
