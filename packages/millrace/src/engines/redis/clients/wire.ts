import type { Command } from '../port.js'
import type { Failure } from './failure.js'

/** What an adapter owes for one connection: a command is sent once, in its turn. Deadlines, trying again and scripts are calls.ts. */
export interface Wire {
  /** On the node that has `key`, where there are several. Answers whatever the client answers (reply.ts makes a reply of it). */
  send(args: Command, key: string | undefined): Promise<unknown>
  /** What an error of `send` means. */
  failureOf(error: unknown): Failure
  /**
   * A call was not answered in time. `silent`: nor was any of the same tag since it was sent. A connection whose other end is gone without a word is silent for a quarter of an hour,
   * so it is made anew.
   */
  late?(key: string | undefined, silent: boolean): void
}

/** What is heard on a connection. */
export interface Heard {
  message(channel: string, text: string): void
  /** Connected, for the first time or anew: nothing is subscribed. */
  ready(): void
  /** No longer connected. */
  lost(): void
  /** The server no longer has the slot of this channel. */
  moved(channel: string): void
}

/** A connection of our own to one server, for listening. */
export interface Ears {
  subscribe(channels: readonly string[]): Promise<unknown>
  unsubscribe(channels: readonly string[]): Promise<unknown>
  /** Answered where the connection lives. Absent: the client sees to that itself. */
  ping?(): Promise<unknown>
  /** Makes the connection anew. */
  renew?(): void
  close(): void
}

export interface ClientWire extends Wire {
  readonly name: string
  readonly isCluster: boolean
  /** Every node that takes writes. */
  writers(): Promise<readonly Wire[]>
  /** Ears at the server, or in a cluster at any node. Sharded is asked for only where there are no `shards`: a client that finds the nodes by itself. */
  ears(heard: Heard, sharded: boolean): Promise<Ears>
  /** A second one like it, of our own. */
  duplicate(): Promise<Wire & { close(): Promise<void> }>
  /** Of a cluster: who has a channel's slot, and ears there that hear SPUBLISH. */
  readonly shards?: Shards
}

export interface Shards {
  /** Who has the channel's slot, as a server says it; undefined while nobody has it. */
  addressOf(channel: string): Promise<string | undefined>
  ears(address: string, heard: Heard): Promise<Ears>
  /** Calls when slots may have moved. Answers how to end it. */
  watch(moved: () => void): () => void
}
