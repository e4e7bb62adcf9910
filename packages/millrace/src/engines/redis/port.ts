import type { Millis } from '../../core/index.js'

/**
 * What a server answers, in the shapes of RESP2 whichever protocol a client speaks: bytes, never text; a map is a flat list of names and values. A score is bytes or a number:
 * `Number(String(reply))` reads both.
 */
export type Reply = Buffer | number | null | readonly Reply[]
export type Argument = string | Buffer | number
export type Command = readonly [name: string, ...rest: Argument[]]

/** A script that runs in one slot. */
export interface Script {
  /** For errors and for people who read the server's log. */
  readonly name: string
  readonly lua: string
}

/**
 * One connection, or what looks like one: what is called first arrives first, for keys of one tag, also when the server has to be asked again. Only where it begins to take writes
 * between two calls that are on their way together, the later one is done before.
 */
export interface RedisConnection {
  /**
   * One command on the node that has `key`; without a key on any. Rejects with a `RedisFailure`: after its deadline at the latest, whatever the
   * client does with the command. What is `again` is asked again until then.
   */
  command(args: Command, key?: string, deadlineMs?: Millis): Promise<Reply>
  /** A script by its hash, and with its text where the server does not know it. All keys are in one slot. */
  run(script: Script, keys: readonly [string, ...string[]], args: readonly Argument[], deadlineMs?: Millis): Promise<Reply>
}

/** What was published to a channel that is subscribed to; `gap` when messages may have been missed. */
export interface Listener {
  message(channel: string, text: string): void
  gap(): void
}

export interface Subscription {
  /** Answers when messages of the channel arrive. Where there is no server to be had it answers when there is one, or fails with its deadline and goes on trying all the same. */
  add(channel: string): Promise<void>
  remove(channel: string): Promise<void>
  close(): Promise<void>
}

/** A client that a user hands in, as the engine sees it. Only what was duplicated is closed. */
export interface RedisClient extends RedisConnection {
  /** For people: which library. */
  readonly name: string
  readonly isCluster: boolean
  /** Commands to every node that takes writes, one answer each. */
  everywhere(args: Command): Promise<readonly Reply[]>
  /** Connections of their own for the subscriber. Sharded (a cluster of 7.0 or newer): hears what SPUBLISH says, in the slot of the channel's tag; else what PUBLISH says. */
  subscribe(listener: Listener, sharded?: boolean): Promise<Subscription>
  /** A connection of its own, where WAIT waits for what was written on it before: `command(['WAIT', 1, 100], key)` after a write to `key`. */
  duplicate(): Promise<RedisConnection & { close(): Promise<void> }>
}

/** What became of a call that failed. */
export interface RedisFailure extends Error {
  /**
   * again: nothing was done, and it did not work until the deadline (LOADING, READONLY, CLUSTERDOWN, MASTERDOWN, TRYAGAIN, NOREPLICAS, BUSY, no connection); unknown: it may have been done,
   * or may be yet (a connection lost, a deadline over); full: OOM; refused: never done, and trying again will not help (NOPERM, WRONGTYPE, MISCONF).
   */
  readonly became: 'again' | 'unknown' | 'full' | 'refused'
  /** The server's own code, the first word of its error; DEADLINE, CONNECTION, CLOSED (the client was closed by whoever handed it in) are ours. */
  readonly code: string
}
