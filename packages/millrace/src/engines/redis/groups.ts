import { MillraceError } from '../../core/errors.js'
import type { Topic } from '../../core/topic.js'
import type { GroupAdmin, GroupPosition, Place, StartAt } from '../../engine/engine.js'
import { countsOf, readParts } from './counts.js'
import { partitionsOf, placeText } from './place.js'
import { makeCursor, removeCursor, seek } from './scripts/group.js'
import type { RedisStore } from './store.js'
import { updateField } from './scripts/field.js'

/** A group as its topic's hash has it. */
export interface GroupRow {
  readonly createdAt: number
  readonly paused: boolean
  /** Where it began, and how many partitions there were then: later ones are read from their start. */
  readonly from: StartAt
  readonly partitions: number
}

/** Tries until a change is taken that others' changes get before. */
const mostTries = 50

/** Groups: a row each in their topic's hash, and a cursor in each partition. */
export class Groups implements GroupAdmin {
  readonly #store: RedisStore
  /** Groups that this instance has dealt with, by topic: it puts them back where the server lost them. */
  readonly #known = new Map<string, Map<string, GroupRow>>()

  constructor(store: RedisStore) {
    this.#store = store
  }

  async create(topicName: string, group: string, from: StartAt): Promise<boolean> {
    const topic = await this.#store.topic(topicName)
    const { groups } = this.#store.names.topic(topicName)
    const before = await groupRow(this.#store, topicName, group)
    const row = before ?? { createdAt: this.#store.clock.wall(), paused: false, from, partitions: topic.partitions }
    if (!before) await this.#store.command(['HSETNX', groups, '#id', topic.id], groups)
    const isNew = !before && (await this.#store.command(['HSETNX', groups, group, JSON.stringify(row)], groups)) === 1
    this.#learn(topicName, group, row)
    if (isNew) await this.ensure(topic, group, row)
    return isNew
  }

  /** Makes the cursors that are missing. */
  async ensure(topic: Topic, group: string, row: GroupRow): Promise<void> {
    await Promise.all(partitionsOf(topic).map(async (partition) => this.#makeCursor(topic, partition, group, partition < row.partitions ? row.from : 'start')))
  }

  /** Makes the cursors that are missing of a group that is there. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  async complete(topicName: string, group: string): Promise<void> {
    const topic = await this.#store.topic(topicName)
    await this.ensure(topic, group, await this.#row(topicName, group))
  }

  /** A topic has more partitions: all of its groups read them from their start. */
  async grown(topic: Topic): Promise<void> {
    for (const [group, row] of await groupRows(this.#store, topic.name)) await this.ensure(topic, group, row)
  }

  async positions(topicName: string, group: string): Promise<readonly GroupPosition[]> {
    const topic = await this.#store.topic(topicName)
    await this.#row(topicName, group)
    const parts = await readParts(this.#store, topic, [group])
    return parts.map((part, partition) => {
      const { ready, leased, low, owner, epoch } = countsOf(part, part.groups[0])
      return { partition, watermark: BigInt(Math.max(low, part.start)), end: BigInt(part.end), lag: ready + leased, owner, epoch }
    })
  }

  async seek(topicName: string, group: string, to: Place, partition?: number): Promise<void> {
    const topic = await this.#store.topic(topicName)
    const row = await this.#row(topicName, group)
    const partitions = partitionsOf(topic, partition)
    await this.ensure(topic, group, row)
    await Promise.all(partitions.map(async (each) => this.#store.run(seek, [this.#store.part(topicName, each).log], [this.#store.publishes, group, placeText(to)])))
    this.#store.stirAll(topicName, { what: 'members', group })
    this.#store.stirAll(topicName, { what: 'ready', group })
    this.#store.onActivity(topicName)
    await this.#store.changedHere(topicName)
  }

  async pause(topicName: string, group: string, paused: boolean): Promise<void> {
    await this.#store.topic(topicName)
    const { groups } = this.#store.names.topic(topicName)
    for (let tries = 0; ; tries += 1) {
      const row = await this.#row(topicName, group)
      const changed: GroupRow = { ...row, paused }
      this.#learn(topicName, group, changed)
      if (row.paused === paused || (await this.#store.run(updateField, [groups], [group, JSON.stringify(row), JSON.stringify(changed)])) === 1) break
      if (tries >= mostTries) throw new MillraceError('ENGINE_FAILED', `pausing group ${group}: others have changed it each of ${mostTries} times`)
    }
    this.#store.stirAll(topicName, { what: 'paused', group })
    this.#store.onActivity(topicName)
    await this.#store.changedHere(topicName)
  }

  async remove(topicName: string, group: string): Promise<void> {
    const topic = await this.#store.topic(topicName)
    const { groups, beats } = this.#namesOf(topicName, group)
    this.#known.get(topicName)?.delete(group)
    if ((await this.#store.command(['HDEL', groups, group], groups)) !== 1) throw unknownGroup(topicName, group)
    await this.clear(topic, group)
    await this.#store.command(['DEL', beats], beats)
    this.#store.stirAll(topicName, { what: 'members', group })
    this.#store.stirAll(topicName, { what: 'room' })
    this.#store.onActivity(topicName)
    await this.#store.changedHere(topicName)
  }

  /** Removes what a group has in the partitions, or only what is older than an epoch. */
  async clear(topic: Topic, group: string, mostEpoch?: number): Promise<void> {
    await Promise.all(partitionsOf(topic).map(async (partition) => this.#store.run(removeCursor, [this.#store.part(topic.name, partition).log], [group, mostEpoch ?? ''])))
  }

  /** The server has lost everything. */
  async restore(topic: Topic): Promise<void> {
    const { groups } = this.#store.names.topic(topic.name)
    for (const [group, row] of this.#known.get(topic.name) ?? []) {
      await this.#store.command(['HSETNX', groups, group, JSON.stringify({ ...row, from: 'start' } satisfies GroupRow)], groups)
      await this.ensure(topic, group, { ...row, from: 'start' })
    }
    await this.#store.command(['HSETNX', groups, '#id', topic.id], groups)
  }

  /** The topic was removed. */
  forget(topic: string): void {
    this.#known.delete(topic)
  }

  #learn(topic: string, group: string, row: GroupRow): void {
    const known = this.#known.get(topic) ?? new Map<string, GroupRow>()
    known.set(group, row)
    this.#known.set(topic, known)
  }

  async #makeCursor(topic: Topic, partition: number, group: string, from: StartAt): Promise<void> {
    const run = async (): Promise<unknown> => this.#store.run(makeCursor, [this.#store.part(topic.name, partition).log], [topic.id, group, from])
    if ((await run()) !== -1) return
    await this.#store.heal(topic.name, partition)
    await run()
  }

  async #row(topic: string, group: string): Promise<GroupRow> {
    const row = await groupRow(this.#store, topic, group)
    if (!row) throw unknownGroup(topic, group)
    this.#learn(topic, group, row)
    return row
  }

  #namesOf(topicName: string, group: string): { readonly groups: string; readonly beats: string } {
    const names = this.#store.names.topic(topicName)
    return { groups: names.groups, beats: names.beats(group) }
  }
}

/** A group's row as it is now; undefined where there is no such group. */
export async function groupRow(store: RedisStore, topic: string, group: string): Promise<GroupRow | undefined> {
  const { groups } = store.names.topic(topic)
  const text = await store.command(['HGET', groups, group], groups)
  return Buffer.isBuffer(text) ? readGroupRow(text) : undefined
}

export function readGroupRow(text: Buffer): GroupRow {
  return JSON.parse(text.toString()) as GroupRow // Written in here.
}

async function groupRows(store: RedisStore, topic: string): Promise<readonly (readonly [group: string, row: GroupRow])[]> {
  const { groups } = store.names.topic(topic)
  const reply = await store.command(['HGETALL', groups], groups)
  const words = Array.isArray(reply) ? reply.filter((each) => Buffer.isBuffer(each)) : []
  return words.flatMap((word, index) => {
    const row = words[index + 1]
    return index % 2 === 0 && row && !word.toString().startsWith('#') ? [[word.toString(), readGroupRow(row)] as const] : []
  })
}

function unknownGroup(topic: string, group: string): MillraceError {
  return new MillraceError('UNKNOWN_GROUP', `topic ${topic} has no group ${group}: create it or join it first`, { field: 'group' })
}
