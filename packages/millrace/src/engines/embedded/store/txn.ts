import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Stir } from '../../../engine/engine.js'
import { isRecord } from '../../../engine/record.js'
import { key, logKey, within } from './keys.js'
import { type CursorRow, decode, encode, type GroupRow, type PartRow, type TopicRow } from './rows.js'
import type { Tables } from './tables.js'

/** A group's cursor in a partition, and where it is kept. */
export interface Cursor extends CursorRow {
  readonly at: Buffer
  readonly topic: number
  readonly group: number
  readonly partition: number
}

export interface Part extends PartRow {
  readonly at: Buffer
}

/**
 * One look at the store, or one commit. Rows that many commands of a commit touch are read once, changed in memory,
 * and written once by `flush`.
 */
export class Txn {
  readonly tables: Tables
  readonly wall: Millis
  readonly monotonic: Millis
  readonly stirs = new Map<string, Stir>()
  readonly #parts = new Map<number, Part>()
  readonly #cursors = new Map<string, Cursor>()
  readonly #topics = new Map<string, TopicRow | undefined>()
  readonly #groups = new Map<number, GroupRow[]>()
  readonly #group = new Map<string, GroupRow | undefined>()
  readonly #changed = new Set<Part | Cursor>()
  #counters: Record<string, number> | undefined
  #countersChanged = false

  constructor(tables: Tables, wall: Millis, monotonic: Millis) {
    this.tables = tables
    this.wall = wall
    this.monotonic = monotonic
  }

  topic(name: string): TopicRow | undefined {
    if (!this.#topics.has(name)) {
      const row = this.tables.topics.get(key({ text: name }))
      this.#topics.set(name, row && decode<TopicRow>(row))
    }
    return this.#topics.get(name)
  }

  putTopic(row: TopicRow): void {
    this.#topics.set(row.topic.name, row)
    this.tables.topics.putSync(key({ text: row.topic.name }), encode(row))
  }

  removeTopic(name: string): void {
    this.#topics.set(name, undefined)
    this.tables.topics.removeSync(key({ text: name }))
  }

  topics(): TopicRow[] {
    return [...this.tables.topics.getRange({})].map(({ value }) => decode<TopicRow>(value))
  }

  groups(topic: number): GroupRow[] {
    let rows = this.#groups.get(topic)
    if (!rows) {
      rows = [...this.tables.groups.getRange(within(key({ u32: topic })))].map(({ value }) => decode<GroupRow>(value))
      this.#groups.set(topic, rows)
    }
    return rows
  }

  /** One of them: who asks for its own must not pay for all. */
  group(topic: number, name: string): GroupRow | undefined {
    const id = `${topic}/${name}`
    if (!this.#group.has(id)) {
      const row = this.tables.groups.get(groupKey(topic, name))
      this.#group.set(id, row && decode<GroupRow>(row))
    }
    return this.#group.get(id)
  }

  putGroup(topic: number, row: GroupRow): void {
    this.tables.groups.putSync(groupKey(topic, row.name), encode(row))
    this.#groupChanged(topic, row.name)
  }

  removeGroup(topic: number, row: GroupRow): void {
    this.tables.groups.removeSync(groupKey(topic, row.name))
    this.#groupChanged(topic, row.name)
    for (const [id, cursor] of this.#cursors) {
      if (cursor.topic === topic && cursor.group === row.number) this.#forget(id, cursor)
    }
  }

  #groupChanged(topic: number, name: string): void {
    this.#groups.delete(topic)
    this.#group.delete(`${topic}/${name}`)
  }

  #forget(id: string, cursor: Cursor): void {
    this.#cursors.delete(id)
    this.#changed.delete(cursor)
  }

  part(topic: number, partition: number): Part {
    const id = partId(topic, partition)
    let part = this.#parts.get(id)
    if (!part) {
      const at = key({ u32: topic }, { u16: partition })
      const row = this.tables.parts.get(at)
      part = { ...(row ? decode<PartRow>(row) : emptyPart), at }
      this.#parts.set(id, part)
    }
    return part
  }

  cursor(topic: number, group: number, partition: number): Cursor {
    const id = `${topic}/${group}/${partition}`
    let cursor = this.#cursors.get(id)
    if (!cursor) {
      const at = key({ u32: topic }, { u32: group }, { u16: partition })
      const row = this.tables.cursors.get(at)
      cursor = { ...(row ? decode<CursorRow>(row) : emptyCursor), at, topic, group, partition }
      this.#cursors.set(id, cursor)
    }
    return cursor
  }

  removePart(topic: number, partition: number): void {
    const part = this.part(topic, partition)
    this.#changed.delete(part)
    this.#parts.delete(partId(topic, partition))
    this.tables.parts.removeSync(part.at)
  }

  /** Says that a row was changed and must be written. */
  change(row: Part | Cursor): void {
    this.#changed.add(row)
  }

  /** Undefined for one that has left the log, or is not yet in it. */
  record(topic: number, partition: number, offset: number): Buffer | undefined {
    const record = this.tables.log.get(logKey(topic, partition, offset))
    const { start, end } = this.part(topic, partition)
    if (record ? !isRecord(record) : start <= offset && offset < end) throw this.missing(topic, partition, offset)
    return record
  }

  missing(topic: number, partition: number, offset: number): MillraceError {
    const name = this.topics().find(({ number }) => number === topic)?.topic.name ?? topic
    return new MillraceError('STORE_DAMAGED', `the store is damaged: the message at ${name}/${partition}/${offset} is missing or damaged. Restore it from a backup`)
  }

  /** The next number of a counter that never repeats in this store. */
  count(counter: 'number' | 'hold'): number {
    return this.#add(counter, 1)
  }

  /** Bytes of all messages in the log and in holds, after adding some. */
  weigh(bytes: number): number {
    return this.#add('bytes', bytes)
  }

  /** Grows whenever members, or what they may have, change: who knows it at this number has nothing to look at. */
  get membersChanged(): number {
    return this.#add('members', 0)
  }

  #add(counter: string, by: number): number {
    const counters = this.#readCounters()
    const next = (counters[counter] ?? 0) + by
    if (by !== 0) this.#countersChanged = true
    counters[counter] = next
    return next
  }

  #readCounters(): Record<string, number> {
    if (!this.#counters) {
      const row = this.tables.meta.get(countersKey)
      this.#counters = row ? decode<Record<string, number>>(row) : {}
    }
    return this.#counters
  }

  stir(what: Stir['what'], topic?: string, group?: string): void {
    const id = `${what} ${topic} ${group}`
    if (this.stirs.has(id)) return
    if (what === 'members') this.#add('members', 1)
    this.stirs.set(id, { what, ...(topic === undefined ? {} : { topic }), ...(group === undefined ? {} : { group }) })
  }

  flush(): void {
    for (const row of this.#changed) {
      const { at, ...rest } = row
      const table = 'epoch' in row ? this.tables.cursors : this.tables.parts
      table.putSync(at, encode(rest))
    }
    this.#changed.clear()
    if (this.#countersChanged) this.tables.meta.putSync(countersKey, encode(this.#counters))
    this.#countersChanged = false
  }
}

function groupKey(topic: number, name: string): Buffer {
  return key({ u32: topic }, { text: name })
}

/** Fewer partitions than that fit into a topic. */
function partId(topic: number, partition: number): number {
  return topic * 65_536 + partition
}

const countersKey = key({ text: 'counters' })

const emptyPart: PartRow = { start: 0, end: 0, published: 0, publishedBytes: 0, messages: 0, bytes: 0, delayed: 0, prepared: 0 }

const emptyCursor: CursorRow = {
  epoch: 0,
  owner: null,
  next: 0,
  passedBytes: 0,
  open: [],
  againOpen: [],
  again: 0,
  suspects: 0,
  behind: 0,
  blocked: 0,
  retrying: 0,
  lent: 0,
  dead: 0,
  settled: 0,
  purged: 0,
  sequence: 0,
  usedAt: 0,
}
