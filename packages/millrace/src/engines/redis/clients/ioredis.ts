import { MillraceError } from '../../../core/index.js'
import type { Command } from '../port.js'
import { closed, type Failure, serverFailure, textOf, unanswered, unsent } from './failure.js'
import type { IoredisNode } from './ioredis-structure.js'
import type { ClientWire, Ears, Heard, Wire } from './wire.js'

/** One connection of ioredis or iovalkey: alone, or to the primary that Sentinels name. */
export class IoredisWire implements ClientWire {
  readonly name = 'ioredis'
  readonly isCluster = false
  readonly #client: IoredisNode
  #isGathering = false

  constructor(client: IoredisNode) {
    checkOptions(client.options)
    if (client.options.role === 'slave') throw new MillraceError('CONFIG', 'client: role is slave, and a replica takes no writes: leave role out', { field: 'client' })
    this.#client = client
  }

  send(args: Command): Promise<unknown> {
    this.#gather()
    return sendOn(this.#client, args)
  }

  failureOf(error: unknown): Failure {
    return ioredisFailure(error, this.#client.status)
  }

  late(_key: string | undefined, silent: boolean): void {
    if (silent && this.#client.status === 'ready') this.#client.disconnect(true)
  }

  writers(): Promise<readonly Wire[]> {
    return Promise.resolve([this])
  }

  ears(heard: Heard): Promise<Ears> {
    return Promise.resolve(earsOn(this.#client, heard, false))
  }

  duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const client = duplicateOf(this.#client)
    return Promise.resolve(Object.assign(new IoredisWire(client), { close: () => Promise.resolve(client.disconnect()) }))
  }

  /** The calls of a tick are one write to the socket, which costs more than the calls: the client makes one of each. */
  #gather(): void {
    const { stream } = this.#client
    if (this.#isGathering || !stream) return
    this.#isGathering = true
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }
}

export function sendOn(client: Pick<IoredisNode, 'callBuffer'>, [name, ...args]: Command): Promise<unknown> {
  return client.callBuffer(name, args)
}

export function checkOptions(options: { readonly keyPrefix?: string; readonly stringNumbers?: boolean } = {}): void {
  if (options.keyPrefix) {
    throw new MillraceError('CONFIG', 'client: keyPrefix is set, which names keys behind our back: leave it out, and use the option prefix of redis()', { field: 'client' })
  }
  if (options.stringNumbers) throw new MillraceError('CONFIG', 'client: stringNumbers is set, and numbers are to be numbers: hand in a client without it', { field: 'client' })
}

export function ioredisFailure(error: unknown, status: string): Failure {
  const text = textOf(error)
  const name = error instanceof Error ? error.name : ''
  if (name === 'ReplyError') return serverFailure(text, error) ?? unanswered(error)
  if (status === 'end') return closed(error)
  if (name === 'ClusterAllFailedError' || text.includes('enableOfflineQueue options is false') || text === 'Cluster is ended.') return unsent(error)
  const last = /^Too many Cluster redirections\. Last error: (?:ReplyError|SimpleError): (.+)/.exec(text)?.[1]
  return (last === undefined ? undefined : serverFailure(last, error)) ?? unanswered(error)
}

/** A second connection, which never gives up. */
export function duplicateOf(client: IoredisNode): IoredisNode {
  const retryStrategy = (times: number): number => Math.min(times * 50, 1_000)
  const own = { autoResubscribe: false, enableOfflineQueue: true, maxRetriesPerRequest: null, commandTimeout: undefined, lazyConnect: false, retryStrategy, sentinelRetryStrategy: retryStrategy }
  const copy = client.duplicate(own)
  // Whoever listens to nobody ends the process. What is wrong is seen in the calls.
  copy.on('error', () => undefined)
  return copy
}

/** Ears on a connection of their own. */
export function earsOn(client: IoredisNode, heard: Heard, sharded: boolean): Ears {
  const own = duplicateOf(client)
  own.on(sharded ? 'smessage' : 'message', (channel: string, text: string) => heard.message(channel, text))
  own.on('ready', () => heard.ready())
  own.on('close', () => heard.lost())
  return {
    subscribe: (channels) => (sharded ? eachAlone(own, 'SSUBSCRIBE', channels) : own.subscribe(...channels)),
    unsubscribe: (channels) => (sharded ? eachAlone(own, 'SUNSUBSCRIBE', channels) : own.unsubscribe(...channels)),
    ping: () => own.callBuffer('ping', []),
    renew: () => own.disconnect(true),
    close: () => own.disconnect(),
  }
}

/** Channels of several slots cannot be named together. */
async function eachAlone(own: IoredisNode, name: 'SSUBSCRIBE' | 'SUNSUBSCRIBE', channels: readonly string[]): Promise<void> {
  const call = name === 'SSUBSCRIBE' ? own.ssubscribe : own.sunsubscribe
  if (call === undefined) throw new Error(`the client has no ${name}`)
  const ended = await Promise.allSettled(channels.map((channel) => call.call(own, channel)))
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
