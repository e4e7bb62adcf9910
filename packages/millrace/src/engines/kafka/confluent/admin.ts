import type { Millis } from '../../../core/clock.js'
import { isMillraceError, MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { Bounds, GroupPlace, GroupState, KafkaAdmin, NewTopic, TopicDescription } from '../port.js'
import { asError, codes, isNativeError, passingCodes } from './codes.js'
import type { TopicConfigs } from './configs.js'
import { type Base, made } from './link.js'
import { closed } from './outbox.js'
import type { NativeAdmin, NativeAnswer, NativeOffset, NativeResult, NativeTopicDescription } from './structure.js'
import { adminSettings } from './settings.js'
import { answered, pause } from './wait.js'

const earliest = -2
const latest = -1
const isolation = { uncommitted: 0, committed: 1 }
const settleLookMs = 20
/** For so long a topic that a broker does not know may be new. */
const rumourMs = 3_000
/** One try of a question: the client is slow to see that who it asks is gone. */
const tryMs = 3_000
/** The state of a group without members, as the client numbers it. */
const emptyState = 5

/** Questions and orders to the cluster. */
export class ConfluentAdmin implements KafkaAdmin {
  readonly #base: Base
  readonly #configs: TopicConfigs
  readonly #changed: (topic: string) => void
  readonly #reached: (due: Millis) => Promise<void>
  #native: NativeAdmin | undefined
  readonly #calls = new Set<Promise<unknown>>()
  #isClosed = false

  /** `reached` resolves when a broker answers, or rejects when none does in time. */
  constructor(base: Base, configs: TopicConfigs, { changed, reached }: { readonly changed: (topic: string) => void; readonly reached: (due: Millis) => Promise<void> }) {
    this.#base = base
    this.#reached = reached
    this.#changed = changed
    this.#configs = configs
  }

  async createTopic({ name, partitions, replicationFactor, config }: NewTopic): Promise<'created' | 'exists'> {
    const topic = { topic: name, num_partitions: partitions, replication_factor: replicationFactor, config }
    const error = await this.#order(`creating the topic ${name}`, (native, ms, answer) => native.createTopic(topic, ms, answer), [codes.topicExists])
    await this.#settled(`the leaders of ${name}`, async () => hasLeaders(await this.#describe(name), partitions, error !== undefined))
    this.#changed(name)
    return error === undefined ? 'created' : 'exists'
  }

  async removeTopic(name: string): Promise<boolean> {
    const error = await this.#order(`removing the topic ${name}`, (native, ms, answer) => native.deleteTopic(name, ms, answer), [codes.unknownTopic])
    await this.#settled(`the end of ${name}`, async () => (await this.#describe(name)) === undefined)
    this.#changed(name)
    return error === undefined
  }

  async addPartitions(name: string, partitions: number): Promise<void> {
    const error = await this.#order(`adding partitions to ${name}`, (native, ms, answer) => native.createPartitions(name, partitions, ms, answer), [codes.invalidPartitions])
    const now = await this.#describe(name)
    if (error !== undefined && now?.partitions.length !== partitions) throw asError(error, `adding partitions to ${name}`, 'INVALID')
    await this.#settled(`the leaders of ${name}`, async () => hasLeaders(await this.#describe(name), partitions, false))
    this.#changed(name)
  }

  async describeTopic(name: string): Promise<TopicDescription | undefined> {
    const found = await this.#describe(name)
    if (found === undefined) return undefined
    return { partitions: found.partitions.length, replicationFactor: found.partitions[0]?.replicas.length ?? 0, config: await this.#configs.describe(name) }
  }

  alterConfig(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    return this.#configs.alter(name, config)
  }

  async bounds(topic: string, partitions: readonly number[]): Promise<readonly Bounds[]> {
    const [starts, ends] = await Promise.all([this.#offsets(topic, partitions, earliest, isolation.committed), this.#offsets(topic, partitions, latest, isolation.committed)])
    return partitions.map((partition, index) => ({ partition, start: starts[index] ?? 0n, end: ends[index] ?? 0n }))
  }

  async manyBounds(topics: ReadonlyMap<string, readonly number[]>): Promise<ReadonlyMap<string, readonly Bounds[]>> {
    const [starts, ends] = await Promise.all([this.#manyOffsets(topics, earliest), this.#manyOffsets(topics, latest)])
    const found = [...topics].map(([topic, partitions]) => [topic, partitions.flatMap((partition) => {
      const [start, end] = [starts.get(placeName(topic, partition)), ends.get(placeName(topic, partition))]
      return start === undefined || end === undefined ? [] : [{ partition, start, end }]
    })] as const)
    return new Map(found.filter(([topic, bounds]) => bounds.length === topics.get(topic)?.length))
  }

  /** Where each partition's log ends, with what is not committed. */
  logEnds(topic: string, partitions: readonly number[]): Promise<readonly Offset[]> {
    return this.#offsets(topic, partitions, latest, isolation.uncommitted)
  }

  /** Whether there is such a topic, and how many partitions it has; asks for no settings. */
  async partitionsOf(topic: string): Promise<number | undefined> {
    return (await this.#describe(topic))?.partitions.length
  }

  async offsetsAt(topic: string, partitions: readonly number[], time: Millis): Promise<readonly Offset[]> {
    const [found, ends] = await Promise.all([this.#offsets(topic, partitions, Math.max(0, time), isolation.committed), this.#offsets(topic, partitions, latest, isolation.committed)])
    return found.map((offset, index) => (offset < 0n ? (ends[index] ?? 0n) : offset))
  }

  async deleteRecords(topic: string, before: ReadonlyMap<number, Offset>): Promise<void> {
    if (before.size === 0) return
    const places = [...before].map(([partition, offset]) => ({ topic, partition, offset: Number(offset) }))
    await this.#askEach(`deleting records of ${topic}`, (native, ms, answer) => native.deleteRecords(places, { timeout: ms }, answer))
  }

  async groups(): Promise<readonly GroupState[]> {
    const { groups } = await this.#ask<{ readonly groups: readonly { readonly groupId: string; readonly state: number }[] }>('listing groups', (native, ms, answer) =>
      native.listGroups({ timeout: ms }, answer))
    return groups.map(({ groupId, state }) => ({ group: groupId, isEmpty: state === emptyState }))
  }

  async placesOf(group: string): Promise<readonly GroupPlace[]> {
    const results = await this.#ask<readonly { readonly error?: unknown; readonly partitions: readonly NativeOffset[] }[]>(`the places of ${group}`, (native, ms, answer) =>
      native.listConsumerGroupOffsets([{ groupId: group }], { timeout: ms }, answer))
    const places = results.flatMap((result) => result.partitions)
    return places.flatMap(({ topic, partition, offset = -1 }) => (offset < 0 ? [] : [{ topic, partition, offset: BigInt(offset) }]))
  }

  async members(group: string): Promise<number> {
    const { groups: [found] } = await this.#ask<{ readonly groups: readonly { readonly error?: unknown; readonly members: readonly unknown[] }[] }>(`describing the group ${group}`, (native, ms, answer) =>
      native.describeGroups([group], { timeout: ms }, answer))
    const error = found?.error
    if (isNativeError(error) && error.code !== codes.groupNotFound) throw asError(error, `describing the group ${group}`)
    return found?.members.length ?? 0
  }

  async removeGroup(group: string): Promise<void> {
    const [result] = await this.#ask<readonly { readonly error?: unknown }[]>(`removing the group ${group}`, (native, ms, answer) => native.deleteGroups([group], { timeout: ms }, answer))
    const error = result?.error
    if (error !== undefined && !(isNativeError(error) && error.code === codes.groupNotFound)) throw asError(error, `removing the group ${group}`)
  }

  /** Nothing is asked any more; what is asked has its time. Taking the client away under a call would end the process. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled([...this.#calls, this.#configs.close()])
    this.#native?.disconnect()
  }

  async #describe(name: string): Promise<NativeTopicDescription | undefined> {
    const [found] = await this.#ask<readonly NativeTopicDescription[]>(`describing ${name}`, (native, ms, answer) => native.describeTopics([name], { timeout: ms }, answer))
    if (found?.error?.code === codes.unknownTopic) return undefined
    if (found?.error !== undefined) throw asError(found.error, `describing ${name}`)
    return found
  }

  async #offsets(topic: string, partitions: readonly number[], timestamp: number, isolationLevel: number): Promise<readonly Offset[]> {
    if (partitions.length === 0) return []
    // The client refuses a partition that is named twice.
    const places = [...new Set(partitions)].map((partition) => ({ topic, partition, offset: { timestamp } }))
    const ask = (): Promise<readonly NativeOffset[]> =>
      this.#askEach(`the bounds of ${topic}`, (native, ms, answer) => native.listOffsets(places, { timeout: ms, isolationLevel }, answer))
    const results = await this.#rumoured(ask)
    const offsets = new Map(results.map(({ partition, offset }) => [partition, BigInt(offset ?? -1)]))
    return partitions.map((partition) => offsets.get(partition) ?? -1n)
  }

  /** Of those that have an answer. */
  async #manyOffsets(topics: ReadonlyMap<string, readonly number[]>, timestamp: number): Promise<ReadonlyMap<string, Offset>> {
    const places = [...topics].flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition, offset: { timestamp } })))
    if (places.length === 0) return new Map()
    const results = await this.#ask<readonly NativeOffset[]>('the bounds of topics', (native, ms, answer) =>
      native.listOffsets(places, { timeout: ms, isolationLevel: isolation.committed }, answer))
    return new Map(results.flatMap(({ topic, partition, offset = -1, error }) => ((error ?? undefined) === undefined && offset >= 0 ? [[placeName(topic, partition), BigInt(offset)] as const] : [])))
  }

  /** A topic that is new is known to some brokers before others know of it. */
  async #rumoured<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const { clock } = this.#base
    const due = clock.monotonic() + rumourMs
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!isMillraceError(error) || error.code !== 'UNKNOWN_TOPIC' || clock.monotonic() > due) throw error
        await pause(clock, settleLookMs)
      }
    }
  }

  /** A partition whose leader is on the move is asked for again. */
  async #askEach(what: string, call: (native: NativeAdmin, ms: Millis, answer: NativeResult<readonly NativeOffset[]>) => void): Promise<readonly NativeOffset[]> {
    const { clock, answerMs } = this.#base
    const due = clock.monotonic() + answerMs
    for (;;) {
      const results = await this.#ask(what, call)
      const failed = results.find(({ error }) => error !== undefined && error !== null)
      if (failed === undefined) return results
      if (!passingCodes.has(failed.error?.code ?? 0) || clock.monotonic() > due) throw asError(failed.error, `${what}, partition ${failed.partition}`)
      await pause(clock, settleLookMs)
    }
  }

  /** The error when it is one of those that the caller knows what to do with. */
  async #order(what: string, call: (native: NativeAdmin, ms: Millis, answer: NativeAnswer) => void, known: readonly number[]): Promise<unknown> {
    try {
      const due = this.#base.clock.monotonic() + this.#base.answerMs
      await this.#call<undefined>(what, (native, ms, answer) => call(native, ms, (error) => answer(error, undefined)), due, this.#base.answerMs)
      return undefined
    } catch (error) {
      if (isNativeError(error) && known.includes(error.code)) return error
      throw asError(error, what)
    }
  }

  async #ask<Answer>(what: string, call: (native: NativeAdmin, ms: Millis, answer: NativeResult<Answer>) => void): Promise<Answer> {
    const { clock, answerMs } = this.#base
    const due = clock.monotonic() + answerMs
    for (;;) {
      try {
        return await this.#call(what, call, due, tryMs)
      } catch (error) {
        const isOver = !isNativeError(error) || error.code !== codes.timedOut || clock.monotonic() >= due
        if (isOver) throw asError(error, what)
      }
    }
  }

  /** A call that waits for a broker keeps two threads of the client's busy: nothing is called while there is none. */
  async #call<Answer>(what: string, call: (native: NativeAdmin, ms: Millis, answer: NativeResult<Answer>) => void, due: Millis, most: Millis): Promise<Answer> {
    const { clock, settings, library } = this.#base
    await this.#reached(due)
    if (this.#isClosed) throw closed()
    const native = (this.#native ??= made(() => library.AdminClient.create({ ...adminSettings, ...settings })))
    const ms = Math.max(1, Math.min(most, Math.ceil(due - clock.monotonic())))
    const work = answered<Answer>(clock, ms + 1_000, what, (answer) => call(native, ms, answer))
    this.#calls.add(work)
    try {
      return await work
    } finally {
      this.#calls.delete(work)
    }
  }

  async #settled(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const { clock, answerMs } = this.#base
    const due = clock.monotonic() + answerMs
    while (!(await isSo())) {
      if (clock.monotonic() > due) throw new MillraceError('TIMEOUT', `${what} did not come in ${answerMs} ms`)
      await pause(clock, settleLookMs)
    }
  }
}

function placeName(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

function hasLeaders(topic: NativeTopicDescription | undefined, partitions: number, anyNumber: boolean): boolean {
  if (topic === undefined || (!anyNumber && topic.partitions.length < partitions)) return false
  return topic.partitions.every(({ leader }) => leader !== undefined && leader !== null && leader.id >= 0)
}
