import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { type Trace, runUnit } from 'millrace'
import type { TSchema } from 'typebox'
import type { Caller } from '../access/tokens.js'
import { type Checked, checker } from '../config/check.js'
import { allRead } from './all-read.js'
import type { Call } from './call.js'
import { ErrorData, envelope } from './envelope.js'
import { BadRequest } from './failure.js'
import { languageOf, sayings } from './words.js'

export const prefix = '/api/v1/mq'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call; a route without it is refused when it is made. */
    role?: Call['role']
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

const failure = envelope(ErrorData)

/** Makes Fastify's routes of the table. */
export function mount(app: FastifyInstance, calls: readonly Call[]): void {
  for (const call of calls) {
    app.route({
      method: call.method,
      url: prefix + call.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      schema: schemaOf(call),
      config: { role: call.role },
      validatorCompiler,
      handler: handlerOf(call),
    })
  }
}

function schemaOf(call: Call): FastifySchema {
  return {
    ...(call.body && { body: call.body }),
    ...(call.query && { querystring: call.query }),
    ...(call.params && { params: call.params }),
    response: { 200: envelope(call.data), '4xx': failure, '5xx': failure },
    tags: [call.tag],
    summary: call.summary,
    ...(call.role !== 'open' && { security: [{ token: [] }], description: `Role: ${call.role}.` }),
  }
}

/** Bodies are taken as they are; what comes as text in the address is converted. */
function validatorCompiler({ schema, httpPart }: { schema: unknown; httpPart?: string }): (value: unknown) => { value: unknown } | { error: Error } {
  const check = checker(schema as TSchema, httpPart === 'body' ? 'json' : 'texts') // schemas come from the table only
  return (given) => {
    const value = given ?? undefined // Fastify shows an absent body as null
    const checked: Checked<unknown> = check(value)
    return 'value' in checked ? checked : { error: new BadRequest(httpPart ?? 'request', checked.problems) }
  }
}

function handlerOf(call: Call): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const said = sayings[call.says]
  return async (request, reply) => {
    await allRead()
    const input = { body: request.body, query: request.query, params: request.params, caller: request.caller, gone: () => goneSignal(reply) }
    const trace = traceOf(request)
    const data = await (trace ? runUnit({ trace }, () => call.answer(input)) : call.answer(input))
    return { code: 200, message: said[languageOf(request.headers['accept-language'])], data }
  }
}

/** The caller's trace goes on in the messages that it sends. What is no trace context is passed over, as W3C asks. */
function traceOf({ headers }: FastifyRequest): Trace | undefined {
  const { traceparent, tracestate } = headers
  if (typeof traceparent !== 'string' || !/^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(traceparent)) return undefined
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) }
}

function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const { raw } = reply
  const abort = (): void => {
    if (!raw.writableEnded) controller.abort() // it closes after its answer as well
  }
  if (raw.destroyed) abort()
  else raw.once('close', abort)
  return controller.signal
}
