import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Topic } from '../../core/topic.js'
import type { Stir } from '../../engine/engine.js'
import { hasBound } from './batch.js'
import { Calls } from './calls.js'
import { Guarantees, readFacts } from './durability.js'
import { Ears, type Hearer } from './ears.js'
import { asError } from './failure.js'
import type { LaneStore } from './lane.js'
import { Names, type PartNames } from './names.js'
import type { Argument, RedisClient, Reply, Script } from './port.js'
import { Registry, type RegistryEvents } from './registry.js'
import { begin } from './scripts/partition.js'
import { stirOf, stirText } from './stirs.js'
import { Writes, type Written } from './writes.js'

const missable: readonly Stir['what'][] = ['ready', 'held', 'parked', 'members', 'room', 'paused']

/** Between two times that room is told. */
const roomMs = 20

export interface StoreOptions {
  readonly client: RedisClient
  readonly clock: Clock
  readonly prefix: string
  /** Replicas that a write waits for. */
  readonly replicas?: number
  readonly report: (error: MillraceError) => void
}

/** One instance's view of what is kept on a server: which topics there are, and how to talk about them. */
export class RedisStore implements LaneStore {
  readonly client: RedisClient
  readonly clock: Clock
  readonly names: Names
  readonly report: (error: MillraceError) => void
  /** Names this instance. */
  readonly instance = randomUUID()
  /** How scripts tell a channel: in a cluster it is in a slot. */
  publishes: 'PUBLISH' | 'SPUBLISH' = 'PUBLISH'
  readonly registry: Registry
  readonly watchers = new Set<(stir: Stir) => void>()
  /** Groups that pin nothing, by topic, as the janitor has found. */
  readonly idleGroups = new Map<string, readonly string[]>()
  /** Messages of a topic have come or been finished. */
  onActivity: (topic: string) => void = () => undefined
  /** A topic, or a group of it, was changed by a call of ours: who is concerned here knows when the answer comes. */
  changedHere: (topic: string) => Promise<void> = async () => undefined
  readonly #rooms = new Set<string>()
  readonly #replicas: number
  #guarantees: Guarantees | undefined
  #writes: Writes | undefined
  readonly #calls: Calls
  readonly #ears: Ears
  /** Topics that somebody here deals with, by name: who watches hears of them. */
  readonly #heard = new Map<string, () => void>()
  #isQuiet = false

  constructor({ client, clock, prefix, replicas = 0, report }: StoreOptions, events: RegistryEvents) {
    this.client = client
    this.clock = clock
    this.names = new Names(prefix)
    this.report = report
    this.#replicas = replicas
    this.#calls = new Calls(client)
    this.#ears = new Ears(client, report, () => this.publishes === 'SPUBLISH')
    this.registry = new Registry(this.#calls, this, {
      changed: (before, now) => {
        this.#changed(before, now)
        events.changed(before, now)
      },
      restore: (topic) => events.restore(topic),
    })
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.registry.topics
  }

  /** What writes survive. Before `open` nothing is known of the server. */
  get guarantees(): Guarantees {
    return this.#guarantees ?? new Guarantees({ isAppendOnly: false, fsync: 'no', canWaitForFsync: false, hasShardedChannels: false }, this.#replicas)
  }

  get writes(): Writes {
    if (!this.#writes) throw new Error('the store is open')
    return this.#writes
  }

  async open(): Promise<void> {
    const facts = await readFacts(this.client).catch((error: unknown) => {
      throw asError(error, 'asking the server how it is configured')
    })
    if (this.client.isCluster && facts.hasShardedChannels) this.publishes = 'SPUBLISH'
    this.#guarantees = new Guarantees(facts, this.#replicas)
    this.#writes = new Writes(this.client, this.#guarantees)
    this.#ears.hear(this.names.registry, { heard: () => this.registry.look(), missed: () => this.registry.look() })
    await this.registry.open()
  }

  async close(): Promise<void> {
    this.registry.close()
    await this.#ears.close()
    await this.#writes?.close()
  }

  /** For tests: as in a process that was killed. */
  quiet(): void {
    this.#isQuiet = true
    this.registry.close()
    this.#ears.quiet()
  }

  /** A topic's settings, where they are known without asking. */
  known(name: string): Topic | undefined {
    const topic = this.topics.get(name)
    if (topic) this.#use(topic)
    return topic
  }

  idle(topic: string): readonly string[] {
    return this.idleGroups.get(topic) ?? []
  }

  came(topic: string): void {
    this.stir({ what: 'ready', topic })
    this.onActivity(topic)
  }

  /** Messages of a topic have been finished. */
  passed(topic: string): void {
    this.onActivity(topic)
    const known = this.topics.get(topic)
    if (known && hasBound(known)) this.#room(topic)
  }

  async heal(topicName: string, partition: number): Promise<void> {
    await this.registry.refresh()
    const topic = this.topics.get(topicName)
    if (topic) await this.run(begin, [this.part(topicName, partition).log], [topic.id])
  }

  /** A script that writes at the topic's durability. `error`: it is written, and that was not confirmed. */
  write(topic: Topic, script: Script, keys: readonly [string, ...string[]], args: readonly Argument[]): Promise<Written> {
    return this.writes.run(script, keys, args, this.guarantees.confirmation(topic.durability))
  }

  /** A topic's settings. Errors: UNKNOWN_TOPIC. */
  async topic(name: string): Promise<Topic> {
    if (!this.topics.has(name)) await this.registry.refresh()
    const topic = this.known(name)
    if (!topic) throw unknownTopic(name)
    return topic
  }

  /** One command, tried again while the server is not up to it. Errors are ours, with the client's as their cause. */
  command(args: readonly [name: string, ...rest: Argument[]], key?: string): Promise<Reply> {
    return this.#calls.command(args, key)
  }

  /** A script, tried again while the server is not up to it. */
  run(script: Script, keys: readonly [string, ...string[]], args: readonly Argument[]): Promise<Reply> {
    return this.#calls.run(script, keys, args)
  }

  part(topic: string, partition: number): PartNames {
    return this.names.part(topic, partition)
  }

  hear(channel: string, hearer: Hearer): () => void {
    return this.#ears.hear(channel, hearer)
  }

  /** Tells who listens, in whichever process; nobody waits for it. */
  tell(channel: string, text: string): void {
    if (!this.#isQuiet) this.client.command([this.publishes, channel, text], channel).catch(() => undefined)
  }

  watch(on: (stir: Stir) => void): () => void {
    this.watchers.add(on)
    for (const topic of this.topics.values()) if (this.registry.isUsed(topic.name)) this.#follow(topic)
    return () => {
      this.watchers.delete(on)
      if (this.watchers.size > 0) return
      for (const stop of this.#heard.values()) stop()
      this.#heard.clear()
    }
  }

  /** For who watches in this process. */
  stir(stir: Stir): void {
    for (const watcher of [...this.watchers]) watcher(stir)
  }

  /** For who watches, here and elsewhere. */
  stirAll(topic: string, stir: Pick<Stir, 'what' | 'group'>): void {
    this.stir({ ...stir, topic })
    this.tell(this.names.topic(topic).channel, stirText(stir))
  }

  /** Tells who sends that there may be room, now and then. */
  #room(topic: string): void {
    if (this.#rooms.has(topic)) return
    this.#rooms.add(topic)
    this.clock.after(roomMs, () => {
      this.#rooms.delete(topic)
      if (!this.#isQuiet) this.stirAll(topic, { what: 'room' })
    })
  }

  #use(topic: Topic): void {
    this.registry.use(topic.name)
    if (this.watchers.size > 0) this.#follow(topic)
  }

  #changed(before: Topic | undefined, now: Topic | undefined): void {
    if (before && before.partitions !== now?.partitions) {
      const wasHeard = this.#heard.get(before.name)
      wasHeard?.()
      this.#heard.delete(before.name)
      if (wasHeard && now) this.#follow(now)
    }
    if (before && before.id !== now?.id) this.idleGroups.delete(before.name)
    const name = now?.name ?? before?.name
    if (before && before.paused !== now?.paused && name !== undefined) this.stir({ what: 'paused', topic: name })
    if (before && name !== undefined) this.stir({ what: 'members', topic: name })
  }

  #follow({ name, partitions }: Topic): void {
    if (this.#heard.has(name)) return
    const hearer: Hearer = {
      heard: (text) => {
        const stir = stirOf(name, text)
        if (stir) this.stir(stir)
      },
      // Whatever it was.
      missed: () => missable.forEach((what) => this.stir({ what, topic: name })),
    }
    const channels = [this.names.topic(name).channel, ...Array.from({ length: partitions }, (_, partition) => this.part(name, partition).channel)]
    const stops = channels.map((channel) => this.hear(channel, hearer))
    this.#heard.set(name, () => stops.forEach((stop) => stop()))
  }
}

export function unknownTopic(name: string): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', `topic ${name} does not exist: create it first`, { field: 'topic' })
}
