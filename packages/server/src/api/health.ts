import type { FastifyInstance } from 'fastify'
import { asMillraceError } from 'millrace'
import { censusMetrics } from '../observe/census-metrics.js'
import { contentType, exposition } from '../observe/exposition.js'
import type { ProcessMetrics } from '../observe/process-metrics.js'
import type { Context } from './context.js'
import { failureAnswer } from './failure.js'
import { languageOf, sayings } from './words.js'

/** Outside of the API: is it alive, can it work, and its metrics. */
export function mountHealth(app: FastifyInstance, context: Context, metrics: ProcessMetrics, connections: () => number): void {
  const hidden = { schema: { hide: true } }
  app.get('/healthz', { ...hidden, config: { role: 'open' } }, (request) => ({ code: 200, message: sayings.healthy[languageOf(request.headers['accept-language'])], data: { status: 'ok' } }))

  app.get('/readyz', { ...hidden, config: { role: 'open' } }, async (request, reply) => {
    const language = languageOf(request.headers['accept-language'])
    try {
      await context.mill.topics.list()
      return { code: 200, message: sayings.ready[language], data: { status: 'ready', engine: context.mill.engine.name } }
    } catch (error) {
      const { body } = failureAnswer(asMillraceError(error, 'NOT_OPEN', 'the engine does not answer'), language)
      return reply.code(503).send({ ...body, code: 503 })
    }
  })

  app.get('/metrics', { ...hidden, config: { role: 'service' } }, async (_request, reply) => {
    // A scrape of an engine that is down must still tell so.
    const census = await context.sampler.census().catch(() => undefined)
    const { memberships, stale } = context.loans
    const own = metrics.families({ connections: connections(), memberships, stale, engineUp: census !== undefined })
    const counted = census ? censusMetrics(census, context.config.limits.metricTopics) : []
    return reply.type(contentType).send(exposition([...own, ...counted]))
  })
}
