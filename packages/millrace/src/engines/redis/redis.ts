import { type Clock, systemClock } from '../../core/clock.js'
import type { MillraceError } from '../../core/errors.js'
import type { Draft, Durability, Message } from '../../core/message.js'
import type { Census } from '../../engine/census.js'
import type { BrowseQuery, Decided, Decision, Engine, Held, HoldQuery, JoinRequest, Keeping, KeepRequest, Membership, Page, Published, Stir } from '../../engine/engine.js'
import type { Traits } from '../../engine/traits.js'
import { browse } from './browse.js'
import { census } from './census.js'
import { clientOf } from './clients/index.js'
import { Groups } from './groups.js'
import { Holding } from './holding.js'
import { Janitor } from './janitor.js'
import { Memberships } from './memberships.js'
import { publish } from './publish.js'
import { Pulse } from './pulse.js'
import { Sender } from './sender.js'
import { RedisStore } from './store.js'
import { Topics } from './topics.js'

export interface RedisOptions {
  /** A Redis or Cluster of ioredis or iovalkey, a client, cluster or sentinel of node-redis. It stays yours: close it after the engine. */
  readonly client: unknown
  /** In front of every key and channel, so that several stores share a server. Default `millrace:`. */
  readonly prefix?: string
  /** Replicas that confirm each write, so that it survives the loss of the primary. Default none. */
  readonly replicas?: number
  /**
   * A module that exports `client`, one of its own or a function that makes one: members beat through it from another thread, and keep their
   * partitions while the application's is busy, for `stallMs`. Absent: a member whose thread is busy for longer than its lease is dead.
   */
  readonly beat?: string
  /** Told of trouble that the engine deals with by itself: a server that was lost, or that has lost what it had. */
  readonly report?: (error: MillraceError) => void
  readonly clock?: Clock
}

/** An engine on Redis or Valkey: every promise on streams, hashes and scripts. */
export class RedisEngine implements Engine {
  readonly name = 'redis'
  readonly topics: Topics
  readonly groups: Groups
  readonly #store: RedisStore
  readonly #sender: Sender
  readonly #holding: Holding
  readonly #memberships: Memberships
  readonly #beatsWhileBlocked: boolean
  #janitor: Janitor | undefined

  constructor({ client, prefix = 'millrace:', replicas = 0, beat, report = () => undefined, clock = systemClock }: RedisOptions) {
    this.#beatsWhileBlocked = beat !== undefined
    this.#store = new RedisStore({ client: clientOf(client, { clock }), clock, prefix, replicas, report }, {
      changed: (before, now) => {
        if (before && before.id !== now?.id) this.#holding.forget(before)
        if (now) this.#holding.follow(now)
        if (before && !now) this.#sender.forget(before.name)
        if (before) void this.#memberships.changed(before.name)
      },
      restore: (topic) => this.groups.restore(topic),
    })
    this.#sender = new Sender(this.#store)
    this.#holding = new Holding(this.#store)
    this.groups = new Groups(this.#store)
    this.#memberships = new Memberships(this.#store, this.groups, beat === undefined ? undefined : new Pulse(beat, report))
    this.#store.changedHere = async (topic) => this.#memberships.changed(topic)
    this.topics = new Topics(this.#store, this.groups)
  }

  get traits(): Traits {
    return {
      durability: this.#store.guarantees.levels,
      persistent: true,
      shared: true,
      beatsWhileBlocked: this.#beatsWhileBlocked,
      park: true,
      lend: true,
      broadcast: true,
      dedup: true,
      prepared: true,
      trim: true,
      cap: true,
      ...(this.#store.client.isCluster && { capsOnePartition: true as const }),
      bands: 1,
      census: 'exact',
    }
  }

  async open(): Promise<void> {
    await this.#store.open()
    this.#janitor = new Janitor(this.#store, this.topics, this.groups)
    this.#store.onActivity = (topic) => this.#janitor?.soon(topic)
  }

  async close(): Promise<void> {
    await this.#memberships.close()
    await this.#janitor?.close()
    await this.#sender.close()
    await this.#holding.close()
    await this.#store.close()
  }

  /** For tests: silent as a process that was killed. Its connections end with `close`. */
  async die(): Promise<void> {
    this.#memberships.quiet()
    this.#janitor?.quiet()
    this.#holding.quiet()
    this.#store.quiet()
  }

  publish(drafts: readonly Draft[], level?: Durability): Promise<readonly Published[]> {
    return publish(this.#store, this.#sender, this.#holding, drafts, level)
  }

  async join(request: JoinRequest): Promise<Membership> {
    return this.#memberships.join(request)
  }

  decide(decisions: readonly Decision[]): Promise<readonly Decided[]> {
    return this.#holding.decide(decisions)
  }

  keep(request: KeepRequest): Promise<Keeping> {
    return this.#holding.keep(request)
  }

  holds(query: HoldQuery): Promise<Page<Held>> {
    return this.#holding.holds(query)
  }

  browse(query: BrowseQuery): Promise<Page<Message>> {
    return browse(this.#store, query)
  }

  census(): Promise<Census> {
    return census(this.#store)
  }

  watch(on: (stir: Stir) => void): () => void {
    return this.#store.watch(on)
  }
}

export function redis(options: RedisOptions): RedisEngine {
  return new RedisEngine(options)
}
