import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Book, BookEvents } from './book.js'
import { Pins } from './pins.js'
import { boundsOf } from './place.js'
import type { Bounds } from './port.js'
import type { KafkaStore } from './store.js'
import { Tallies } from './tallies.js'

/** The longest wait between two looks at a topic in which nothing happens. */
const longestMs = 10_000
/** Of one that keeps by age alone looks come so often in that age, and no more rarely than this. */
const looksInAge = 10
const longestForAgeMs = 60_000

/** A topic that is looked after. */
interface Watched {
  readonly book: Book
  readonly pins: Pins
  readonly events: BookEvents
  waitMs: Millis
  due: Millis
}

/**
 * Removes from the log what every group has finished and `keep` does not ask for. Looks after the topics whose steward is this instance.
 * Kafka deletes up to a place only, so that what is behind it stays, also where a group has finished it.
 */
export class Janitor {
  readonly #store: KafkaStore
  readonly #tallies: Tallies
  readonly #watched = new Set<Watched>()
  #cancel: Cancel = () => undefined
  #looking: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(store: KafkaStore) {
    this.#store = store
    this.#tallies = new Tallies(store)
    this.#arm()
  }

  /** From now on also of this topic. */
  follow(book: Book): void {
    const pins = new Pins(this.#store, book)
    const soon = (): void => this.#soon(watched)
    const used = (group: string): void => {
      pins.used(group)
      soon()
    }
    const events = { group: used, cursor: used, steward: soon, gone: () => this.#leave(watched) }
    const watched: Watched = { book, pins, events, waitMs: limits.safetyLookMs, due: 0 }
    this.#watched.add(watched)
    book.listeners.add(events)
  }

  /** Ends after what is under way. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#cancel()
    await this.#looking
    for (const watched of [...this.#watched]) this.#leave(watched)
    await this.#tallies.close()
  }

  #soon(watched: Watched): void {
    const topic = this.#store.topics.get(watched.book.topic)
    if (!topic) return
    watched.waitMs = pace(topic)
    watched.due = Math.min(watched.due, this.#store.clock.monotonic() + watched.waitMs)
  }

  #leave(watched: Watched): void {
    this.#watched.delete(watched)
    watched.book.listeners.delete(watched.events)
    void this.#tallies.forget(this.#store.names.topic(watched.book.topic))
  }

  #arm(): void {
    if (this.#isOver) return
    this.#cancel = this.#store.clock.after(limits.safetyLookMs, () => {
      this.#looking = this.#look().finally(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    this.#openBooks()
    for (const watched of [...this.#watched]) {
      if (this.#isOver || this.#store.clock.monotonic() < watched.due) continue
      const topic = this.#store.topics.get(watched.book.topic)
      if (topic) await this.#lookAt(watched, topic).catch((error: unknown) => this.#failed(topic.name, error))
    }
  }

  /** Somebody has to clean a topic that nobody consumes, too. */
  #openBooks(): void {
    const known = new Set([...this.#watched].map(({ book }) => book.topic))
    for (const [name, topic] of [...this.#store.topics]) {
      if (!known.has(name) && mayCut(topic)) this.#store.book(name).catch((error: unknown) => this.#failed(name, error))
    }
  }

  #failed(topic: string, error: unknown): void {
    if (!this.#isOver && this.#store.topics.has(topic)) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `cleaning topic ${topic}`))
  }

  async #lookAt(watched: Watched, topic: Topic): Promise<void> {
    watched.waitMs = Math.max(pace(topic), Math.min(watched.waitMs * 2, longestMs))
    watched.due = this.#store.clock.monotonic() + watched.waitMs
    const isOurs = watched.book.steward?.row.instance === this.#store.instance
    if (isOurs && mayCut(topic)) await this.#cut(watched, topic)
    else await this.#tallies.forget(this.#store.names.topic(topic.name))
  }

  async #cut(watched: Watched, topic: Topic): Promise<void> {
    const bounds = (await boundsOf(this.#store, topic.name)).filter(({ start, end }) => start < end)
    if (bounds.length === 0) return
    const beyond = await this.#beyondKeep(topic, bounds)
    await watched.pins.lookForIdle(topic.groupIdleMs)
    const places = await this.#places(watched, bounds, beyond)
    if (places.size === 0) return
    // What a group has gone back to is written before we have read so far, or finds the log as it is then.
    await watched.book.ledger.sync()
    await this.#store.client.admin.deleteRecords(this.#store.names.topic(topic.name), await this.#places(watched, bounds, beyond))
    this.#soon(watched)
  }

  /** Up to where each partition can be cut, of those that can. */
  async #places({ pins }: Watched, bounds: readonly Bounds[], beyond: ReadonlyMap<number, Offset>): Promise<ReadonlyMap<number, Offset>> {
    const places = new Map<number, Offset>()
    for (const each of bounds) {
      const place = least(beyond.get(each.partition) ?? each.start, pins.ofGroups(each))
      const to = place > each.start ? least(place, await pins.ofOthers(each)) : place
      if (to > each.start) places.set(each.partition, to)
    }
    return places
  }

  /** Up to where `keep` lets each partition go. */
  async #beyondKeep({ name, keep }: Topic, bounds: readonly Bounds[]): Promise<ReadonlyMap<number, Offset>> {
    const { client, clock, names } = this.#store
    const old = keep.ageMs === undefined ? [] : await client.admin.offsetsAt(names.topic(name), bounds.map(({ partition }) => partition), clock.wall() - keep.ageMs + 1)
    const places = new Map<number, Offset>()
    for (const [index, each] of bounds.entries()) places.set(each.partition, most(old[index] ?? each.start, await this.#beyondAmount(name, keep, each)))
    return places
  }

  async #beyondAmount(topic: string, { count, bytes }: Topic['keep'], bounds: Bounds): Promise<Offset> {
    if (count === 0 || bytes === 0) return bounds.end
    if (count === undefined && bytes === undefined) return bounds.start
    const tally = await this.#tallies.of(this.#store.names.topic(topic), bounds)
    const byCount = count === undefined ? undefined : tally.keeping(count)
    const byBytes = bytes === undefined ? 0 : tally.within(bytes)
    return BigInt(Math.max(Number(bounds.start), byCount ?? 0, byBytes))
  }
}

/** Kafka deletes nothing from a topic that is compacted alone; with no bound everything is kept. */
function mayCut({ keep, config }: Topic): boolean {
  return config['cleanup.policy'] !== 'compact' && (keep.ageMs !== undefined || keep.bytes !== undefined || keep.count !== undefined)
}

/** The shortest wait between two looks. */
function pace({ keep: { ageMs, bytes, count } }: Topic): Millis {
  if (bytes !== undefined || count !== undefined || ageMs === undefined) return limits.safetyLookMs
  return Math.min(Math.max(ageMs / looksInAge, limits.safetyLookMs), longestForAgeMs)
}

function least(one: Offset, other: Offset): Offset {
  return one < other ? one : other
}

function most(one: Offset, other: Offset): Offset {
  return one > other ? one : other
}
