import type { FastifyInstance, FastifyRequest } from 'fastify'
import { MillraceError } from 'millrace'
import { isLocalHostHeader } from '../access/loopback.js'
import { type Tokens, allows } from '../access/tokens.js'
import type { ProcessMetrics } from '../observe/process-metrics.js'
import { forbidden, unauthenticated } from './failure.js'

/**
 * Lets in who may come in. A route that does not say who may call it is refused when it is made, so that nothing is
 * reachable by oversight. Without tokens the server is for this machine alone.
 */
export function guardRoutes(app: FastifyInstance, tokens: Tokens, metrics: ProcessMetrics): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.role === undefined) throw new MillraceError('FORBIDDEN', `route ${String(route.method)} ${route.url} does not say who may call it: give it config.role`)
  })
  app.decorateRequest('caller', undefined)
  const refuseForeignHost = localHostsOnly()
  app.addHook('onRequest', (request, _reply, done) => done(tokens.size === 0 ? refuseForeignHost(request) : admit(request, tokens, metrics)))
}

function admit(request: FastifyRequest, tokens: Tokens, metrics: ProcessMetrics): MillraceError | undefined {
  const role = request.is404 ? 'service' : request.routeOptions.config.role
  if (role === 'open') return undefined
  const caller = tokens.caller(request.headers.authorization)
  if (!caller) {
    metrics.refused('unauthenticated')
    return unauthenticated()
  }
  request.caller = caller
  if (role !== undefined && allows(caller, role)) return undefined
  metrics.refused('forbidden')
  return forbidden()
}

function localHostsOnly(): (request: FastifyRequest) => MillraceError | undefined {
  let letIn: string | undefined // nearly every request names the same host as the one before
  return ({ headers: { host } }) => {
    if (host !== undefined && host === letIn) return undefined
    if (!isLocalHostHeader(host)) {
      return new MillraceError('FORBIDDEN', `without tokens this server answers only to localhost, not to ${String(host)}: add tokens to its config`, { field: 'host' })
    }
    letIn = host
    return undefined
  }
}
