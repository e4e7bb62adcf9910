import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Ask, Hold, HoldId, ProducerGroup } from '../../core/hold.js'
import type { Held, HoldQuery, Page } from '../../engine/engine.js'
import { Wheel } from '../../engine/wheel.js'
import { HeldRecord, type Holding } from './held-record.js'

/** All held messages of a store: by id, in the order they were held, and by when they ripen. */
export class HoldBook {
  /** Of messages without a place: by topic and by the message's id. */
  readonly #drafts = new Map<string, Map<string, HeldRecord>>()
  /** Of messages that belong to a group: by the hold's id. */
  readonly #ofGroups = new Map<HoldId, HeldRecord>()
  readonly #wheel = new Wheel<HeldRecord>()
  /** Prepared messages that are due and whose producer group no keeper answers for. */
  readonly #unasked = new Map<ProducerGroup, Set<HeldRecord>>()
  #inOrder: HeldRecord[] = []
  #gone = 0
  #made = 0

  get(id: HoldId): HeldRecord | undefined {
    // A topic's name has neither of the two characters.
    const end = id.search(/[:/]/)
    return id[end] === ':' ? this.draft(id.slice(0, end), id.slice(end + 1)) : this.#ofGroups.get(id)
  }

  /** The hold of a message that has no place. */
  draft(topic: string, id: string): HeldRecord | undefined {
    return this.#drafts.get(topic)?.get(id)
  }

  /** There must be no hold with its id. */
  put(holding: Holding): HeldRecord {
    const record = new HeldRecord(holding, this.#made)
    this.#made += 1
    if (record.message.offset === null) this.#draftsOf(record.topic.name).set(record.message.id, record)
    else this.#ofGroups.set(record.id, record)
    this.#inOrder.push(record)
    record.counts[record.hold.why] += 1
    this.#time(record)
    return record
  }

  remove(record: HeldRecord): void {
    if (record.isGone) return
    record.isGone = true
    this.#forget(record)
    record.counts[record.hold.why] -= 1
    this.#untime(record)
    this.#gone += 1
    if (this.#gone > 1_024 && this.#gone * 2 > this.#inOrder.length) {
      this.#inOrder = this.#inOrder.filter((each) => !each.isGone)
      this.#gone = 0
    }
  }

  /** The same message goes on being held, in its place among the others. */
  change(record: HeldRecord, hold: Hold): void {
    this.#untime(record)
    record.counts[record.hold.why] -= 1
    record.hold = hold
    record.counts[hold.why] += 1
    this.#time(record)
  }

  /** What has ripened, earliest first; it stays held until it is removed or changed. */
  ripe(wall: Millis, most: number): readonly HeldRecord[] {
    const ripe = this.#wheel.advance(wall, most)
    for (const record of ripe) record.timed = undefined
    return ripe
  }

  /** When to look for ripe ones again, by the wall clock. */
  nextDue(): Millis | undefined {
    return this.#wheel.nextDue()
  }

  /** Nobody can be asked: it waits for a keeper that answers, until it is parked. */
  awaitKeeper(record: HeldRecord, ask: Ask): void {
    const waiting = this.#unasked.get(ask.ask)
    if (waiting) waiting.add(record)
    else this.#unasked.set(ask.ask, new Set([record]))
    record.timed = this.#wheel.add(ask.parkAt, record)
  }

  /** Takes those that waited for a keeper of this producer group: they are due. */
  takeUnasked(group: ProducerGroup): readonly HeldRecord[] {
    const waiting = [...(this.#unasked.get(group) ?? [])]
    for (const record of waiting) this.#untime(record)
    return waiting
  }

  where(wanted: (record: HeldRecord) => boolean): readonly HeldRecord[] {
    return this.#inOrder.filter((record) => !record.isGone && wanted(record))
  }

  page(query: HoldQuery): Page<Held> {
    if (query.id !== undefined) {
      const record = this.get(query.id)
      return { items: record && matches(record, query) ? [record.asHeld()] : [] }
    }
    const items: Held[] = []
    const all = this.#inOrder
    for (let index = this.#indexAfter(query.cursor); index < all.length; index += 1) {
      const record = all[index]
      if (record === undefined || record.isGone || !matches(record, query)) continue
      items.push(record.asHeld())
      if (items.length === query.limit) return { items, cursor: String(record.order) }
    }
    return { items }
  }

  #draftsOf(topic: string): Map<string, HeldRecord> {
    const known = this.#drafts.get(topic)
    if (known) return known
    const drafts = new Map<string, HeldRecord>()
    this.#drafts.set(topic, drafts)
    return drafts
  }

  #forget(record: HeldRecord): void {
    const { message, topic } = record
    if (message.offset !== null) {
      this.#ofGroups.delete(record.id)
      return
    }
    const drafts = this.#draftsOf(topic.name)
    drafts.delete(message.id)
    if (drafts.size === 0) this.#drafts.delete(topic.name)
  }

  #indexAfter(cursor: string | undefined): number {
    if (cursor === undefined) return 0
    const after = Number(cursor)
    if (!Number.isSafeInteger(after)) throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
    let low = 0
    let high = this.#inOrder.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#inOrder[middle]?.order ?? Infinity) <= after) low = middle + 1
      else high = middle
    }
    return low
  }

  #time(record: HeldRecord): void {
    const { until, then } = record.hold
    if (until === 'decided') return
    record.timed = this.#wheel.add(then === 'release' ? until : Math.min(until, then.parkAt), record)
  }

  #untime(record: HeldRecord): void {
    if (record.timed) this.#wheel.remove(record.timed)
    record.timed = undefined
    const { then } = record.hold
    if (then === 'release') return
    const waiting = this.#unasked.get(then.ask)
    if (waiting?.delete(record) && waiting.size === 0) this.#unasked.delete(then.ask)
  }
}

function matches(record: HeldRecord, { topic, group, why }: HoldQuery): boolean {
  if (topic !== undefined && record.topic.name !== topic) return false
  if (group !== undefined && record.hold.group !== group) return false
  return why === undefined || record.hold.why === why
}
