import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Book, BookEvents } from './book.js'
import { Foreigners } from './foreigners.js'
import { Pins } from './pins.js'
import { boundsOf } from './place.js'
import type { Bounds } from './port.js'
import type { KafkaStore } from './store.js'
import { Tallies } from './tallies.js'

/** At a topic that keeps by age alone looks come so often in that age: each second up to a minute of age, each minute from an hour on. */
const looksInAge = 60
const longestForAgeMs = 60_000
/** Bounds of so many partitions are asked for by one look. Of more than these, those that have waited longest. */
const partitionsAtOnce = 1_000

/** A topic that is looked after. */
interface Watched {
  readonly book: Book
  readonly pins: Pins
  readonly events: BookEvents
  lookedAt: Millis
}

/**
 * Removes from the log what every group has finished and `keep` does not ask for. Looks after the topics whose steward is this instance.
 * Kafka deletes up to a place only, so that what is behind it stays, also where a group has finished it.
 */
export class Janitor {
  readonly #store: KafkaStore
  readonly #tallies: Tallies
  readonly #foreigners: Foreigners
  readonly #watched = new Set<Watched>()
  #cancel: Cancel = () => undefined
  #looking: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(store: KafkaStore) {
    this.#store = store
    this.#tallies = new Tallies(store)
    const { client: { admin }, clock, names, topics } = store
    this.#foreigners = new Foreigners({ admin, clock, topics: () => new Set([...topics.keys()].map((topic) => names.topic(topic))) })
    this.#arm()
  }

  /** From now on also of this topic. */
  follow(book: Book): void {
    const pins = new Pins(this.#store, book, this.#foreigners)
    const used = (group: string): void => pins.used(group)
    const events = { group: used, cursor: used, gone: () => this.#leave(watched) }
    const watched: Watched = { book, pins, events, lookedAt: -Infinity }
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
    const due = this.#takeDue()
    // What has no answer here is asked for by itself.
    const bounds = await this.#store.client.admin.manyBounds(new Map(due.map(({ topic }) => [this.#store.names.topic(topic.name), partitionsOf(topic)]))).catch(() => new Map<string, readonly Bounds[]>())
    for (const { watched, topic } of due) {
      if (this.#isOver) return
      await this.#cut(watched, topic, bounds.get(this.#store.names.topic(topic.name))).catch((error: unknown) => this.#failed(topic.name, error))
    }
  }

  /** The topics of ours that are to be looked at now. */
  #takeDue(): readonly { readonly watched: Watched; readonly topic: Topic }[] {
    const now = this.#store.clock.monotonic()
    const due: { readonly watched: Watched; readonly topic: Topic }[] = []
    let partitions = 0
    for (const watched of [...this.#watched].toSorted((one, other) => one.lookedAt - other.lookedAt)) {
      const topic = this.#store.topics.get(watched.book.topic)
      if (!topic || now < watched.lookedAt + pace(topic)) continue
      if (partitions >= partitionsAtOnce) break
      watched.lookedAt = now
      if (watched.book.steward?.row.instance === this.#store.instance && mayCut(topic)) {
        partitions += topic.partitions
        due.push({ watched, topic })
      } else void this.#tallies.forget(this.#store.names.topic(topic.name))
    }
    return due
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

  async #cut(watched: Watched, topic: Topic, found: readonly Bounds[] | undefined): Promise<void> {
    const bounds = (found ?? (await boundsOf(this.#store, topic.name))).filter(({ start, end }) => start < end)
    if (bounds.length === 0) return
    const beyond = await this.#beyondKeep(topic, bounds)
    await watched.pins.lookForIdle(topic.groupIdleMs)
    const places = await this.#places(watched, bounds, beyond)
    if (places.size === 0) return
    // What a group has gone back to is written before we have read so far, or finds the log as it is then.
    await watched.book.ledger.sync()
    await this.#store.client.admin.deleteRecords(this.#store.names.topic(topic.name), await this.#places(watched, bounds, beyond))
  }

  /** Up to where each partition can be cut, of those that can. */
  async #places({ pins }: Watched, bounds: readonly Bounds[], beyond: ReadonlyMap<number, Offset>): Promise<ReadonlyMap<number, Offset>> {
    const ripe = bounds.flatMap((each) => {
      const to = least(beyond.get(each.partition) ?? each.start, pins.ofGroups(each))
      return to > each.start ? [{ ...each, to }] : []
    })
    if (ripe.length === 0) return new Map()
    const others = await pins.ofOthers()
    return new Map(ripe.map(({ partition, start, to }) => ({ partition, start, to: least(to, others.get(partition) ?? to) })).flatMap(({ partition, start, to }) => (to > start ? [[partition, to]] : [])))
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

function partitionsOf({ partitions }: Topic): readonly number[] {
  return Array.from({ length: partitions }, (_, index) => index)
}

function least(one: Offset, other: Offset): Offset {
  return one < other ? one : other
}

function most(one: Offset, other: Offset): Offset {
  return one > other ? one : other
}
