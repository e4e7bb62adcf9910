import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type Clock, type Millrace, systemClock } from 'millrace'
import { pino } from 'pino'
import { Tokens } from './access/tokens.js'
import { allCalls } from './api/calls.js'
import type { Context } from './api/context.js'
import { failureAnswer, unknownAddress } from './api/failure.js'
import { guardRoutes } from './api/gate.js'
import { mountHealth } from './api/health.js'
import { parseJson } from './api/json-body.js'
import { Loans } from './api/loans.js'
import { Memberships } from './api/memberships.js'
import { mount } from './api/mount.js'
import { languageOf } from './api/words.js'
import type { Config } from './config/schema.js'
import { ProcessMetrics } from './observe/process-metrics.js'
import { Sampler } from './observe/sampler.js'

export interface ServerOptions {
  /** Open, or opened by `app.ready()`; whoever made it closes it, after the server. */
  readonly mill: Millrace
  readonly config: Config
  readonly clock?: Clock
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** The HTTP server over a queue, not yet listening. Closing it hands back what it holds and leaves the queue open. */
export async function createServer({ mill, config, clock = systemClock }: ServerOptions): Promise<FastifyInstance> {
  await mill.open()
  const { limits } = config
  const metrics = new ProcessMetrics(version, mill.engine.name)
  const sampler = new Sampler(() => mill.census(), clock)
  const memberships = new Memberships(mill.engine, clock, { most: limits.memberships, idleMs: limits.membershipIdleMs, maxDeliveries: limits.attempts })
  const context: Context = { mill, config, clock, sampler, loans: new Loans(mill.engine, memberships, clock) }

  const app = bare(config)
  const connections = new Set<unknown>()
  app.server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  guardRoutes(app, new Tokens(config.tokens), metrics)
  readBodies(app, limits.jsonDepth)
  answerFailures(app)
  await document(app)
  mount(app, allCalls(context))
  mountHealth(app, context, metrics, () => connections.size)
  measure(app, metrics)
  if (config.log.level === 'debug' || config.log.level === 'trace') logAnswers(app)

  await sampler.start()
  app.addHook('preClose', async () => {
    sampler.stop()
    await memberships.close()
  })
  app.addHook('onClose', (_app, done) => {
    metrics.stop()
    done()
  })
  return app
}

function bare({ limits, log }: Config): FastifyInstance {
  const logger: FastifyBaseLogger = pino({ level: log.level, redact: ['req.headers.authorization', 'authorization', '*.token'] }, pino.destination(2))
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (shared) => shared, // one for each request costs more than its few lines are worth
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    http: { maxHeaderSize: limits.headerBytes },
    routerOptions: { maxParamLength: 1_000 },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // An address that cannot be decoded comes before every route and handler.
    frameworkErrors: (error, request, reply) => sendFailure(error, request, reply),
  })
  app.server.maxConnections = limits.connections
  app.server.headersTimeout = limits.requestMs
  return app
}

/** JSON and nothing else: a web page of another origin cannot send it without asking first. */
function readBodies(app: FastifyInstance, maxDepth: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : parseJson(String(body), maxDepth))
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

function answerFailures(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const status = sendFailure(error, request, reply)
    if (status >= 500) request.log.error({ err: error, reqId: request.id, method: request.method, url: request.url }, 'a call failed')
  })
  app.setNotFoundHandler((request, reply) => {
    sendFailure(unknownAddress(request.method, request.url), request, reply)
  })
}

function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): number {
  const { status, body } = failureAnswer(error, languageOf(request.headers['accept-language']))
  if (status === 401) void reply.header('www-authenticate', 'Bearer')
  if (status === 429 || status === 503) void reply.header('retry-after', '1')
  void reply.code(status).send(body)
  return status
}

/** The OpenAPI document comes from the schemas of the route table, so it has what the server has. */
async function document(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Millrace', version, description: 'A message queue over HTTP. 64-bit numbers are texts, save for the offsets of the first eight calls.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
  })
  app.get('/openapi.json', { schema: { hide: true }, config: { role: 'open' } }, () => app.swagger())
}

function measure(app: FastifyInstance, metrics: ProcessMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    metrics.requests.observe({ route: request.routeOptions.url ?? '_other', method: request.method, code: String(reply.statusCode) }, reply.elapsedTime / 1_000)
    done()
  })
}

function logAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({ reqId: request.id, method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime, caller: request.caller?.name }, 'answered')
    done()
  })
}
