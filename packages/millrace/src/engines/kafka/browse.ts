import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Message, Offset } from '../../core/message.js'
import type { BrowseQuery, Page } from '../../engine/engine.js'
import { messageOf } from './message-codec.js'
import { boundsOf, placesOf } from './place.js'
import type { Scanner } from './scanner.js'
import type { KafkaStore } from './store.js'

/** A page takes no longer, and ends where it has so many bytes of values. */
const pageMs = 10_000
const pageBytes = 16 * 2 ** 20

/** Reads logs by pages; a cursor says `partition:offset` of the next message. */
export class Browser {
  readonly #store: KafkaStore
  readonly #scanner: Scanner

  constructor(store: KafkaStore, scanner: Scanner) {
    this.#store = store
    this.#scanner = scanner
  }

  async browse({ topic, partition, from, limit, cursor }: BrowseQuery): Promise<Page<Message>> {
    const at = cursor === undefined ? undefined : readCursor(cursor)
    const bounds = await boundsOf(this.#store, topic, partition)
    const places = await placesOf(this.#store, topic, bounds, from)
    const page = new OpenPage(limit, this.#store.clock.monotonic() + pageMs)
    for (const [index, { partition: each, start, end }] of bounds.entries()) {
      if (at && each < at.partition) continue
      const place = at?.partition === each ? at.offset : (places[index] ?? start)
      const next = await this.#read(topic, { partition: each, from: place < start ? start : place, to: end }, page)
      if (next !== undefined) return { items: page.items, cursor: `${each}:${next}` }
    }
    return { items: page.items }
  }

  /** Where to go on when the page ends in this partition. Errors: TIMEOUT when nothing came. */
  async #read(topic: string, { partition, from, to }: { readonly partition: number; readonly from: Offset; readonly to: Offset }, page: OpenPage): Promise<Offset | undefined> {
    if (from >= to) return undefined
    if (page.room <= 0 || page.roomBytes <= 0) return from
    const stretch = { topic: this.#store.names.topic(topic), partition, from, to, most: page.room, mostBytes: page.roomBytes }
    const { records, why } = await this.#scanner.read(stretch, page.due)
    for (const record of records) page.add(messageOf(record, topic))
    if (why === 'over') return undefined
    if (why === 'gone') throw new MillraceError('UNKNOWN_TOPIC', `topic ${topic} does not exist: create it first`, { field: 'topic' })
    if (why === 'late' && page.items.length === 0) throw new MillraceError('TIMEOUT', `topic ${topic} could not be read in ${pageMs} ms`)
    if (why === 'deleted' && records.length === 0) return this.#readOn(topic, { partition, from, to }, page)
    const last = records.at(-1)
    return last ? last.offset + 1n : from
  }

  /** From the new start of a log that was cut meanwhile. */
  async #readOn(topic: string, { partition, from, to }: { readonly partition: number; readonly from: Offset; readonly to: Offset }, page: OpenPage): Promise<Offset | undefined> {
    const [bounds] = await boundsOf(this.#store, topic, partition)
    if (!bounds || bounds.start <= from) return from
    return this.#read(topic, { partition, from: bounds.start, to }, page)
  }
}

/** What a page has, and what more it takes. */
class OpenPage {
  readonly items: Message[] = []
  readonly due: Millis
  readonly #limit: number
  #bytes = 0

  constructor(limit: number, due: Millis) {
    this.#limit = limit
    this.due = due
  }

  get room(): number {
    return this.#limit - this.items.length
  }

  get roomBytes(): number {
    return pageBytes - this.#bytes
  }

  add(message: Message): void {
    this.items.push(message)
    this.#bytes += message.value?.byteLength ?? 0
  }
}

function readCursor(cursor: string): { readonly partition: number; readonly offset: Offset } {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,18})$/u.exec(cursor) ?? []
  if (partition !== undefined && offset !== undefined) return { partition: Number(partition), offset: BigInt(offset) }
  throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
}
