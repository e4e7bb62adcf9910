import { asMillraceError } from '../../core/errors.js'
import type { Message, Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import { entryMessage, fieldsOf } from './entry.js'
import type { PartNames } from './names.js'
import { offsetOf, perMs, streamId } from './offset.js'
import type { Argument, Reply } from './port.js'
import { countBefore } from './scripts/count.js'
import { repack } from './scripts/repack.js'
import type { SparseLog } from './sparse-log.js'
import type { RedisStore } from './store.js'

/** What is read and waits outlives the young heap, and costs more than another read. */
const pageMost = 500
const pageBytes = 2 ** 20
/** Below it more is read ahead. */
const aheadLeast = { messages: 500, bytes: 2 * 2 ** 20 }
/** Before a read that has failed is tried again. */
const againMs = 250
/** Weight of an entry before any was seen. */
const firstBytes = 2 ** 10

/** What is read into. */
export interface Fed {
  readonly topic: string
  readonly partition: number
  readonly log: SparseLog
  /** Read, and never taken. */
  readonly ahead: number
  /** How many entries there were before the next that is read. */
  readonly index: number
  /** So many were trimmed before they were read. */
  passed(count: number): void
}

/** Reads a partition's log ahead of what is taken, by plain XRANGE: as much as is bounded, and nothing while there is no sign of more. */
export class Feed {
  readonly #store: RedisStore
  readonly #fed: Fed
  readonly #names: PartNames
  readonly #changed: () => void
  #isReading = false
  #isOver = false
  /** There may be more than was read. */
  #isMore = true
  /** Of the values of an entry, about. */
  #meanBytes = firstBytes

  constructor(store: RedisStore, fed: Fed, changed: () => void) {
    this.#store = store
    this.#fed = fed
    this.#names = store.part(fed.topic, fed.partition)
    this.#changed = changed
  }

  /** After the last entry that was read, as XRANGE wants it. */
  get after(): string {
    const { end } = this.#fed.log
    return end === 0 ? '-' : `(${streamId(end - 1)}`
  }

  /** Reads all up to a place, at once. */
  async readTo(place: number): Promise<void> {
    const { log } = this.#fed
    while (!this.#isOver && log.end < place) {
      if ((await this.#page(streamId(place - 1))) < this.#pageCount) log.endAt(place)
    }
  }

  /** There may be more. */
  stir(): void {
    this.#isMore = true
    this.pump()
  }

  /** Reads ahead, where little is left of what was read. */
  pump(): void {
    if (!this.#isReading && this.#wants) void this.#read()
  }

  stop(): void {
    this.#isOver = true
  }

  get #wants(): boolean {
    const { ahead } = this.#fed
    return !this.#isOver && this.#isMore && ahead < aheadLeast.messages && ahead * this.#meanBytes < aheadLeast.bytes
  }

  get #pageCount(): number {
    return Math.max(1, Math.min(pageMost, Math.floor(pageBytes / this.#meanBytes)))
  }

  async #read(): Promise<void> {
    this.#isReading = true
    while (this.#wants) {
      this.#isMore = false
      const asked = this.#pageCount
      try {
        const read = await this.#page('+')
        if (read >= asked) this.#isMore = true
        if (read > 0 && !this.#isOver) this.#changed()
      } catch (error) {
        this.#isMore = true
        if (this.#isOver) break
        this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `reading ${this.#names.log}`))
        await new Promise<void>((resolve) => this.#store.clock.after(againMs, resolve))
      }
    }
    this.#isReading = false
  }

  /** Gives how many entries came. */
  async #page(to: string): Promise<number> {
    const { log, topic } = this.#fed
    const names = this.#names
    const reading = this.#store.command(['XRANGE', names.log, this.after, to, 'COUNT', this.#pageCount], names.log)
    const isChecked = to === '+' && mayCutUnread(this.#store.topics.get(topic))
    const trimmed = isChecked ? this.#store.command(['HGET', names.part, 'trimmed'], names.log) : undefined
    const entries = entriesOf(await reading)
    if (this.#isOver) return 0
    const [first] = entries
    if (trimmed && first) await this.#checkTrimmed(Number(String((await trimmed) ?? 0)), first)
    let stranger = -1
    let bytes = 0
    for (const [index, [id, fields]] of entries.entries()) {
      const offset = offsetOf(id)
      if (offset === undefined) {
        stranger = index
        break
      }
      const message = this.#message(BigInt(offset), fields)
      bytes += message.value?.byteLength ?? 0
      log.append(message)
    }
    if (stranger >= 0) await this.#repack(entries.slice(stranger).filter(([id]) => offsetOf(id) === undefined))
    if (entries.length > 0) this.#meanBytes = this.#meanBytes / 2 + (bytes / entries.length + 200) / 2
    return stranger < 0 ? entries.length : pageMost
  }

  #message(offset: Offset, fields: readonly Reply[]): Message {
    const { topic, partition } = this.#fed
    return entryMessage({ topic, partition, offset }, fields)
  }

  /** Messages may have been cut from the log that were never read. */
  async #checkTrimmed(trimmed: number, [id]: Entry): Promise<void> {
    const offset = offsetOf(id)
    if (offset === undefined || trimmed <= this.#fed.index) return
    const passed = Number(await this.#store.run(countBefore, [this.#names.log], [offset])) - this.#fed.index
    if (passed > 0) this.#fed.passed(passed)
  }

  /** Their ids are no offsets: they go to the end, as messages of ours. */
  async #repack(entries: readonly Entry[]): Promise<void> {
    const { topic, partition } = this.#fed
    const moved = entries.flatMap(([id, fields]): Argument[] => {
      const [ms = '', seq = ''] = id.toString('latin1').split('-')
      const offset = BigInt(ms) * BigInt(perMs)
      const message = this.#message(offset, fields)
      const hasId = message.id !== `${topic}-${partition}-${streamId(offset)}`
      const { value, key, meta } = fieldsOf(hasId ? message : { ...message, id: `${topic}-${partition}-${ms}-${seq}` })
      return [id, value, key, meta]
    })
    await this.#store.run(repack, [this.#names.log], [this.#store.publishes, ...moved])
  }
}

type Entry = readonly [id: Buffer, fields: readonly Reply[]]

export function entriesOf(reply: Reply): readonly Entry[] {
  return Array.isArray(reply) ? (reply as readonly Entry[]) : [] // What XRANGE answers.
}

/** Whether what a group has not read may be cut from the log. */
export function mayCutUnread(topic: Topic | undefined): boolean {
  return topic === undefined || topic.mayPassUnread || topic.groupIdleMs !== undefined || topic.cap.whenFull === 'trim'
}
