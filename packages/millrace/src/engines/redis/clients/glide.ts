import { MillraceError } from '../../../core/index.js'
import type { Command } from '../port.js'
import { closed, type Failure, serverFailure, textOf, unanswered, unsent } from './failure.js'
import type { GlideClient, GlideMaker, GlideMessage, GlideRoute } from './glide-structure.js'
import { words } from './node-redis.js'
import { ofConnection } from './slots.js'
import type { ClientWire, Ears, Heard, Wire } from './wire.js'

const leastRequestMs = 1_000
const ownRequestMs = 10_000
const numberMs = 1_000
/** What it calls the server's codes; all others it leaves as they are. */
const codes: Readonly<Record<string, string>> = {
  NoScriptError: 'NOSCRIPT',
  ReadOnly: 'READONLY',
  PermissionDenied: 'NOPERM',
  BusyLoadingError: 'LOADING',
  ClusterDown: 'CLUSTERDOWN',
  MasterDown: 'MASTERDOWN',
  TryAgain: 'TRYAGAIN',
  CrossSlot: 'CROSSSLOT',
  Moved: 'MOVED',
  Ask: 'ASK',
  AuthenticationFailed: 'WRONGPASS',
}

/**
 * A client of GLIDE. It makes its connections anew by itself, and tells nobody: the ears of a server alone ask for their connection's number now and then, and know by it. In a cluster
 * they cannot tell: what was missed is found by who looks.
 */
export class GlideWire implements ClientWire {
  readonly name = 'GLIDE'
  readonly isCluster: boolean
  readonly #client: GlideClient

  constructor(client: GlideClient) {
    checkConfig(client)
    this.#client = client
    this.isCluster = client.ssubscribe !== undefined
  }

  send(args: Command, key: string | undefined): Promise<unknown> {
    const isRouted = this.isCluster && key !== undefined && ofConnection.has(args[0])
    return this.#send(args, isRouted ? { type: 'primarySlotKey', key } : undefined)
  }

  failureOf(error: unknown): Failure {
    return glideFailure(error, this.#client.isClosed)
  }

  async writers(): Promise<readonly Wire[]> {
    if (!this.isCluster) return [this]
    const addresses = new Set(primariesOf(await this.#send(['CLUSTER', 'SLOTS'], 'randomNode')))
    const wireTo = (address: string): Wire => {
      const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? []
      return { send: (args) => this.#send(args, { type: 'routeByAddress', host, port: Number(port) }), failureOf: (error) => this.failureOf(error) }
    }
    return [...addresses].map(wireTo)
  }

  async ears(heard: Heard, sharded: boolean): Promise<Ears> {
    const callback = ({ channel, message }: GlideMessage): void => heard.message(String(channel), String(message))
    const own = await this.#duplicate({ pubsubSubscriptions: { channelsAndPatterns: {}, callback } })
    queueMicrotask(() => heard.ready())
    const watching = this.isCluster ? undefined : watchNumber(own, heard)
    return {
      subscribe: (channels) => (sharded ? own.ssubscribe?.(new Set(channels), ownRequestMs) : undefined) ?? own.subscribe(new Set(channels), ownRequestMs),
      unsubscribe: (channels) => (sharded ? own.sunsubscribe?.(new Set(channels), ownRequestMs) : undefined) ?? own.unsubscribe(new Set(channels), ownRequestMs),
      close: () => {
        clearInterval(watching)
        own.close()
      },
    }
  }

  async duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const own = await this.#duplicate({})
    return Object.assign(new GlideWire(own), { close: () => Promise.resolve(own.close()) })
  }

  #send(args: Command, route: GlideRoute | undefined): Promise<unknown> {
    return this.#client.customCommand(words(args), route === undefined ? { decoder: 0 } : { decoder: 0, route })
  }

  #duplicate(extra: object): Promise<GlideClient> {
    const maker: unknown = this.#client.constructor
    if (!isMaker(maker)) throw new MillraceError('CONFIG', 'client: its class has no createClient, so no second connection can be made: hand in a GlideClient or GlideClusterClient', { field: 'client' })
    return maker.createClient({ ...this.#client.config, ...extra })
  }
}

export function glideFailure(error: unknown, isClosed: boolean): Failure {
  if (isClosed) return closed(error)
  const text = textOf(error)
  const [, kind, rest] = /^(?:An error was signalled by the server: - )?(\w+): (.*)$/s.exec(text) ?? []
  if (error instanceof Error && error.constructor.name === 'RequestError' && kind !== undefined) {
    return serverFailure(`${codes[kind] ?? (/^[A-Z]+$/.test(kind) ? kind : 'ERR')} ${rest}`, error) ?? unanswered(error)
  }
  return /^\w+ connect failed/.test(text) ? unsent(error) : unanswered(error)
}

/** Another number is another connection: something may have been missed. */
function watchNumber(own: GlideClient, heard: Heard): NodeJS.Timeout {
  let number: unknown
  const look = async (): Promise<void> => {
    const now = await own.customCommand(['CLIENT', 'ID'], { decoder: 0 })
    if (number !== undefined && number !== now) heard.ready()
    number = now
  }
  void look().catch(() => undefined)
  return setInterval(() => void look().catch(() => undefined), numberMs).unref()
}

function checkConfig({ config }: GlideClient): void {
  if (config.readFrom !== undefined && config.readFrom !== 'primary') {
    throw new MillraceError('CONFIG', 'client: readFrom lets replicas answer, which may be behind: hand in a client with readFrom primary', { field: 'client' })
  }
  if ((config.requestTimeout ?? 0) < leastRequestMs) {
    throw new MillraceError('CONFIG', `client: requestTimeout is ${config.requestTimeout ?? '250, the default of GLIDE'}: a busy server would leave open what became of a call. Make the client with requestTimeout 10000`, { field: 'client' })
  }
}

function isMaker(maker: unknown): maker is GlideMaker {
  return typeof maker === 'function' && 'createClient' in maker
}

/** Of CLUSTER SLOTS: `[from, to, [host, port, ...], ...replicas]` for each range. */
function primariesOf(slots: unknown): readonly string[] {
  if (!Array.isArray(slots)) return []
  return slots.map(([, , primary]: readonly unknown[]) => (Array.isArray(primary) ? `${String(primary[0])}:${String(primary[1])}` : ''))
}
