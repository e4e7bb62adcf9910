import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Millis, Millrace, MillraceError, memory } from 'millrace'
import { checkListening } from './access/loopback.js'
import { type Config, topicDefaults } from './config/schema.js'
import { topicChange, topicDraft } from './config/topic-settings.js'
import { createServer } from './server.js'

export interface ServeOptions {
  /** When the port is taken, take the next free one. */
  readonly nextPort?: boolean
}

export interface Serving {
  readonly app: FastifyInstance
  readonly mill: Millrace
  readonly url: string
  /** Answers what is under way, hands back what it holds, closes the store. Errors: TIMEOUT when it takes longer. */
  close(options?: { readonly deadlineMs?: Millis }): Promise<void>
}

/** How many ports to try. */
const portTries = 100
const closeMs = 15_000

/** Opens the engine, creates the topics of the config, and listens. Errors: CONFIG, and those of the engine's `open`. */
export async function serve(config: Config, { nextPort = false }: ServeOptions = {}): Promise<Serving> {
  checkListening(config)
  const defaults = topicDefaults(config)
  const mill = new Millrace({ engine: await engineOf(config), autoCreate: config.autoCreateTopics ? topicChange(defaults) : false })
  let app: FastifyInstance | undefined
  try {
    await mill.open()
    for (const { name, ...settings } of config.topics) await mill.topics.ensure(topicDraft(name, settings, defaults, 'config'))
    app = await createServer({ mill, config })
    const url = await listen(app, config.listen, nextPort)
    return { app, mill, url, close: closer(app, mill) }
  } catch (error) {
    await app?.close()
    await mill.close()
    throw error
  }
}

async function engineOf({ engine }: Config) {
  if (engine.provider === 'memory') return memory()
  const { embedded } = await import('millrace/embedded')
  return embedded({ path: engine.path, lmdb: import.meta.resolve('lmdb') })
}

async function listen(app: FastifyInstance, { host, port }: Config['listen'], nextPort: boolean): Promise<string> {
  const last = nextPort ? Math.min(65_535, port + portTries) : port
  for (let each = port; ; each += 1) {
    try {
      await app.listen({ host, port: each })
      return urlOf(host, (app.server.address() as AddressInfo).port) // it listens on TCP
    } catch (error) {
      if (!isTaken(error)) throw cannotListen(host, each, error)
      if (each >= last) throw taken(port, error)
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function taken(port: number, cause: unknown): MillraceError {
  return new MillraceError('CONFIG', `port ${port} is taken: choose another with --port, MILLRACE_PORT or listen.port`, { field: 'listen.port', cause })
}

function cannotListen(host: string, port: number, cause: unknown): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('CONFIG', `cannot listen on ${host}, port ${port}: ${reason}`, { field: 'listen.host', cause })
}

function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function closer(app: FastifyInstance, mill: Millrace): Serving['close'] {
  let closing: Promise<void> | undefined
  return ({ deadlineMs = closeMs } = {}) => {
    closing ??= app.close().then(() => mill.close({ deadlineMs }))
    return Promise.race([closing, late(deadlineMs)])
  }
}

function late(ms: Millis): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new MillraceError('TIMEOUT', `the server did not close within ${ms} ms`)), ms)
    timer.unref()
  })
}
