import { type Clock, systemClock } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Draft, Message } from '../../core/message.js'
import type { Census } from '../../engine/census.js'
import type {
  BrowseQuery, Decided, Decision, Engine, GroupAdmin, Held, HoldQuery, JoinRequest, Keeping, KeepRequest, Membership, Page, Published, Stir, TopicAdmin,
} from '../../engine/engine.js'
import type { Traits } from '../../engine/traits.js'
import { browse } from './browse.js'
import { census } from './census.js'
import { decide } from './decide.js'
import { Groups } from './groups.js'
import { Instance } from './instance.js'
import { Janitor } from './janitor.js'
import { Keeper } from './keeper.js'
import { Member } from './member.js'
import { MemoryMembership } from './membership.js'
import { publish } from './publish.js'
import { MemoryStore } from './store.js'
import { Topics } from './topics.js'

export interface MemoryOptions {
  /** Shared with other engines of this process; without it the engine has its own, which goes when it closes. */
  readonly store?: MemoryStore
  readonly clock?: Clock
  readonly name?: string
}

const traits: Traits = {
  durability: ['memory'],
  persistent: false,
  shared: true,
  beatsWhileBlocked: false,
  park: true,
  lend: true,
  broadcast: true,
  dedup: true,
  prepared: true,
  trim: true,
  cap: true,
  bands: 1,
  census: 'exact',
}

/**
 * The engine that needs nothing: messages live in this process and die with it. Values and headers are kept as they
 * are handed in, not copied: who publishes does not change their bytes afterwards.
 */
export function memory(options: MemoryOptions = {}): MemoryEngine {
  return new MemoryEngine(options)
}

export class MemoryEngine implements Engine {
  readonly name: string
  readonly traits = traits
  readonly topics: TopicAdmin
  readonly groups: GroupAdmin
  readonly #store: MemoryStore
  readonly #clock: Clock
  readonly #instance: Instance
  readonly #janitor: Janitor

  constructor({ store = new MemoryStore(), clock = systemClock, name = 'memory' }: MemoryOptions) {
    this.name = name
    this.#store = store
    this.#clock = clock
    this.#instance = new Instance(store, clock)
    this.#janitor = new Janitor(this.#instance)
    const onChange = (): void => this.#janitor.poke()
    this.topics = new Topics(store, clock, onChange)
    this.groups = new Groups(store, clock, onChange)
  }

  async open(): Promise<void> {
    this.#janitor.poke()
  }

  async close(): Promise<void> {
    const { members, keepers, unwatch } = this.#instance
    const now = this.#clock.monotonic()
    for (const member of [...members]) member.group.leave(member, now)
    await Promise.all([...keepers].map((keeper) => keeper.stop()))
    for (const stop of [...unwatch]) stop()
    this.#janitor.stop()
  }

  async publish(drafts: readonly Draft[]): Promise<readonly Published[]> {
    this.#checkAlive()
    const published = publish(this.#store, drafts, this.#clock.wall())
    this.#janitor.poke()
    return published
  }

  async join(request: JoinRequest): Promise<Membership> {
    this.#checkAlive()
    const topic = this.#store.topic(request.topic)
    const now = this.#clock.monotonic()
    const group =
      request.mode === 'broadcast' ? topic.addBroadcast(request.group, now) : (topic.groups.get(request.group) ?? topic.addGroup(request.group, request.from, now))
    const member = new Member(this.#instance, group, request)
    group.enter(member)
    topic.capacity.recount()
    return new MemoryMembership(member, () => this.#janitor.poke())
  }

  async decide(decisions: readonly Decision[]): Promise<readonly Decided[]> {
    this.#checkAlive()
    const now = this.#clock.wall()
    return decisions.map((decision) => decide(this.#store, decision, now))
  }

  async keep(request: KeepRequest): Promise<Keeping> {
    this.#checkAlive()
    return new Keeper(this.#instance, request)
  }

  async holds(query: HoldQuery): Promise<Page<Held>> {
    if (query.topic !== undefined) this.#store.topic(query.topic)
    return this.#store.holds.page(query)
  }

  async browse(query: BrowseQuery): Promise<Page<Message>> {
    return browse(this.#store.topic(query.topic), query)
  }

  watch(on: (stir: Stir) => void): () => void {
    const { unwatch } = this.#instance
    // The same function may watch twice.
    const watcher = (stir: Stir): void => on(stir)
    const stop = (): void => {
      this.#store.watchers.delete(watcher)
      unwatch.delete(stop)
    }
    this.#store.watchers.add(watcher)
    unwatch.add(stop)
    return stop
  }

  async census(): Promise<Census> {
    return census(this.#store, this.#clock)
  }

  /**
   * For tests: falls silent as if the process had been killed. Its members beat no more, its keepers keep no more, its
   * waiting calls end with nothing, later ones with CLOSED; what it stored stays, and others find its members dead after their lease.
   */
  async die(): Promise<void> {
    const { members, keepers, unwatch } = this.#instance
    this.#instance.isDead = true
    for (const member of members) member.quiet()
    for (const keeper of [...keepers]) keeper.quiet()
    for (const stop of [...unwatch]) stop()
    this.#janitor.stop()
  }

  #checkAlive(): void {
    if (this.#instance.isDead) throw new MillraceError('CLOSED', `engine ${this.name} is dead: make a new one`)
  }
}
