import type { Argument, Command } from '../port.js'
import { closed, type Failure, serverFailure, textOf, unanswered, unsent } from './failure.js'
import type { NodeRedisClient } from './node-redis-structure.js'
import type { ClientWire, Ears, Heard, Wire } from './wire.js'

/** Bytes for simple, bulk and verbatim strings; lists for maps and sets. */
export const asBytes = { typeMapping: { 43: Buffer, 36: Buffer, 61: Buffer, 37: Array, 126: Array } }

/** A client of node-redis: alone, or the primary that Sentinels name. */
export class NodeRedisWire implements ClientWire {
  readonly name = 'node-redis'
  readonly isCluster = false
  readonly #client: NodeRedisClient

  constructor(client: NodeRedisClient) {
    this.#client = client
  }

  send(args: Command): Promise<unknown> {
    return this.#client.sendCommand(words(args), asBytes)
  }

  failureOf(error: unknown): Failure {
    return nodeRedisFailure(error, this.#client.isOpen)
  }

  late(_key: string | undefined, silent: boolean): void {
    if (silent) renew(this.#client)
  }

  writers(): Promise<readonly Wire[]> {
    return Promise.resolve([this])
  }

  ears(heard: Heard): Promise<Ears> {
    return earsOn(this.#client, heard, false)
  }

  async duplicate(): Promise<Wire & { close(): Promise<void> }> {
    const own = duplicateOf(this.#client)
    void own.connect().catch(() => undefined)
    return Object.assign(new NodeRedisWire(own), { close: () => Promise.resolve(end(own)) })
  }
}

/** Its commands are text and bytes; it takes no numbers. */
export function words(args: Command): (string | Buffer)[] {
  return args.map((each: Argument) => (typeof each === 'number' ? String(each) : each))
}

export function nodeRedisFailure(error: unknown, isOpen: boolean): Failure {
  const name = error instanceof Error ? error.constructor.name : ''
  if (name === 'SimpleError' || name === 'BlobError' || name === 'ErrorReply') return serverFailure(textOf(error), error) ?? unanswered(error)
  if (name === 'ClientClosedError' || name === 'DisconnectsClientError') return isOpen ? unsent(error) : closed(error)
  // It takes a command back only as long as it was not written.
  if (['ClientOfflineError', 'TimeoutError', 'AbortError', 'RootNodesUnavailableError', 'MaxCommandRedirectionsError', 'ConnectionTimeoutError'].includes(name)) return unsent(error)
  return unanswered(error)
}

/** A second connection, which never gives up. */
export function duplicateOf(client: NodeRedisClient): NodeRedisClient {
  const own = client.duplicate({ disableOfflineQueue: false })
  own.on('error', () => undefined)
  return own
}

/** The same client on a new connection: it has no other verb for that. What is on its way is rejected, as it is at a cut. */
export function renew(client: NodeRedisClient): void {
  if (!client.isReady) return
  client.destroy()
  void client.connect().catch(() => undefined)
}

/** Ears on a connection of their own. What it subscribes to again by itself after a cut is told as if it were new: that does no harm. */
export async function earsOn(client: NodeRedisClient, heard: Heard, sharded: boolean): Promise<Ears> {
  const hear = (text: string, channel: string): void => heard.message(channel, text)
  const open = (): NodeRedisClient => {
    const made = duplicateOf(client)
    made.on('ready', () => made === own && heard.ready())
    made.on('reconnecting', () => made === own && heard.lost())
    made.on('sharded-channel-moved', (channel: string) => heard.moved(channel))
    void made.connect().catch(() => undefined)
    return made
  }
  let own = open()
  return {
    subscribe: (channels) => (sharded ? eachAlone(channels, (channel) => own.sSubscribe([channel], hear)) : own.subscribe(channels, hear)),
    unsubscribe: (channels) => (sharded ? eachAlone(channels, (channel) => own.sUnsubscribe([channel])) : own.unsubscribe(channels)),
    ping: () => own.sendCommand(['PING']),
    // One that is destroyed forgets its channels: a fresh one is as good.
    renew: () => {
      heard.lost()
      end(own)
      own = open()
    },
    close: () => end(own),
  }
}

/** It throws when it has ended already. */
export function end(own: { readonly isOpen: boolean; destroy(): void }): void {
  if (own.isOpen) own.destroy()
}

/** Channels of several slots cannot be named together. */
async function eachAlone(channels: readonly string[], call: (channel: string) => Promise<unknown>): Promise<void> {
  const ended = await Promise.allSettled(channels.map(call))
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
