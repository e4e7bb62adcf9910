import { randomUUID } from 'node:crypto'
import type { Cancel, Clock } from '../../core/clock.js'
import { asMillraceError, MillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Topic } from '../../core/topic.js'
import type { Names } from './names.js'
import type { RedisConnection, Reply } from './port.js'
import { registryScript } from './scripts/registry.js'

/** A topic as the registry has it. */
export interface TopicRow {
  readonly topic: Topic
  /** Its removal has begun and not ended: nobody finds it. */
  readonly removing?: true
}

export interface RegistryEvents {
  /** A topic came, was altered, or is gone. */
  changed(before: Topic | undefined, now: Topic | undefined): void
  /** The server has lost everything: puts back what belongs to a topic that is known. */
  restore(topic: Topic): Promise<void>
}

/** Fields of the hash that are no topics: names of those begin with a letter or digit. */
const store = '#store'
const version = '#version'

/** Which topics there are. What one instance changes the others are told; they also look, as long as somebody asks. */
export class Registry {
  readonly topics = new Map<string, Topic>()
  readonly rows = new Map<string, { readonly row: TopicRow; readonly text: string }>()
  readonly #calls: RedisConnection
  readonly #names: Names
  readonly #clock: Clock
  readonly #report: (error: MillraceError) => void
  readonly #events: RegistryEvents
  #store: string | undefined
  #version: string | undefined
  #reading: Promise<void> | undefined
  #next: Promise<void> | undefined
  #cancel: Cancel = () => undefined
  readonly #used = new Set<string>()
  #isUsed = false
  #isOver = false

  constructor(calls: RedisConnection, { names, clock, report }: { readonly names: Names; readonly clock: Clock; readonly report: (error: MillraceError) => void }, events: RegistryEvents) {
    this.#calls = calls
    this.#names = names
    this.#clock = clock
    this.#report = report
    this.#events = events
  }

  async open(): Promise<void> {
    await this.refresh()
    this.#arm()
  }

  close(): void {
    this.#isOver = true
    this.#cancel()
  }

  /** Somebody relies on what is known of a topic. */
  use(name: string): void {
    this.#isUsed = true
    if (!this.#used.has(name) && this.topics.has(name)) this.#used.add(name)
  }

  isUsed(name: string): boolean {
    return this.#used.has(name)
  }

  /** Reads what there is now: everything that was changed before the call is known afterwards. */
  refresh(): Promise<void> {
    if (!this.#reading) return (this.#reading = this.#read().finally(() => (this.#reading = undefined)))
    // One that is under way may have begun too early.
    this.#next ??= this.#reading.catch(() => undefined).then(() => {
      this.#next = undefined
      return this.refresh()
    })
    return this.#next
  }

  /** For who was told that something changed. */
  look(): void {
    if (!this.#isOver) this.refresh().catch((error: unknown) => this.#failed(error))
  }

  /** Reads what there is where it was changed, or is another store by now. */
  async check(): Promise<void> {
    const answer = await this.#calls.command(['HMGET', this.#names.topics, store, version], this.#names.topics)
    const [now, count] = texts(answer)
    if (now !== this.#store || count !== this.#version) await this.refresh()
  }

  /**
   * Writes the row of a topic unless it is another one than `expected` meanwhile: false then. Undefined for `expected` is none, and for
   * `row` removes it.
   */
  async put(name: string, expected: string | undefined, row: TopicRow | undefined): Promise<boolean> {
    const answer = await this.#calls.run(registryScript, [this.#names.topics], [name, expected ?? '', row ? JSON.stringify(row) : ''])
    await this.refresh()
    return answer === 1
  }

  #arm(): void {
    this.#cancel = this.#clock.after(limits.topicsFreshMs, () => {
      if (this.#isOver) return
      const wasUsed = this.#isUsed
      this.#isUsed = false
      void (wasUsed ? this.check() : Promise.resolve()).catch((error: unknown) => this.#failed(error)).finally(() => this.#arm())
    })
  }

  #failed(error: unknown): void {
    if (!this.#isOver) this.#report(asMillraceError(error, 'ENGINE_FAILED', 'reading the topics'))
  }

  async #read(): Promise<void> {
    const fields = pairs(await this.#calls.command(['HGETALL', this.#names.topics], this.#names.topics))
    if (fields.get(store) !== this.#store || this.#store === undefined) return this.#otherStore(fields)
    this.#take(fields)
  }

  /** At open, and where the server has lost what it had, or is another one. */
  async #otherStore(fields: ReadonlyMap<string, string>): Promise<void> {
    const known = this.#store
    await this.#calls.command(['HSETNX', this.#names.topics, store, known ?? randomUUID()], this.#names.topics)
    const missing = known === undefined ? [] : [...this.rows].filter(([name]) => !fields.has(name))
    for (const [name, { text, row }] of missing) {
      if (row.removing) continue
      await this.#calls.run(registryScript, [this.#names.topics], [name, '', text])
      await this.#events.restore(row.topic)
    }
    if (known !== undefined) this.#report(new MillraceError('STORE_LOST', `what Redis had is gone (FLUSHALL, or another server): ${missing.length} topics were put back, their messages are lost`))
    const now = pairs(await this.#calls.command(['HGETALL', this.#names.topics], this.#names.topics))
    this.#store = now.get(store)
    this.#take(now)
  }

  #take(fields: ReadonlyMap<string, string>): void {
    this.#version = fields.get(version)
    const before = new Map(this.topics)
    this.topics.clear()
    this.rows.clear()
    for (const [name, text] of fields) {
      if (name.startsWith('#')) continue
      const row = JSON.parse(text) as TopicRow // Written by `put`.
      this.rows.set(name, { row, text })
      if (!row.removing) this.topics.set(name, row.topic)
    }
    for (const name of new Set([...before.keys(), ...this.topics.keys()])) this.#compare(before.get(name), this.topics.get(name))
  }

  #compare(before: Topic | undefined, now: Topic | undefined): void {
    if (before && !now) this.#used.delete(before.name)
    if (before && now && before.id !== now.id) {
      this.#events.changed(before, undefined)
      this.#events.changed(undefined, now)
    } else if (before?.updatedAt !== now?.updatedAt || before?.id !== now?.id || JSON.stringify(before) !== JSON.stringify(now)) this.#events.changed(before, now)
  }
}

function texts(reply: Reply): readonly (string | undefined)[] {
  return Array.isArray(reply) ? reply.map((each) => (Buffer.isBuffer(each) ? each.toString() : undefined)) : []
}

/** Fields of a hash. */
export function pairs(reply: Reply): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const words = texts(reply)
  for (let index = 0; index + 1 < words.length; index += 2) fields.set(words[index] ?? '', words[index + 1] ?? '')
  return fields
}
