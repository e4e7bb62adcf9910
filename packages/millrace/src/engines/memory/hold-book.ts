import type { Millis } from '../../core/clock.js'
import type { Ask, Hold, HoldId, ProducerGroup } from '../../core/hold.js'
import type { Held, HoldQuery, Page } from '../../engine/engine.js'
import { MillraceError } from '../../core/errors.js'
import { type Timed, Wheel } from '../../engine/wheel.js'
import type { Original } from './dedup.js'
import type { TopicState } from './topic-state.js'

/** How many holds of each kind there are. */
export type HoldCounts = Record<Hold['why'], number>

export function noHolds(): HoldCounts {
  return { delay: 0, retry: 0, prepared: 0, dead: 0, lent: 0 }
}

export interface HeldDraft {
  readonly id: HoldId
  readonly topic: TopicState
  readonly hold: Hold
  readonly message: Held['message']
  readonly heldAt: Millis
  /** Whose counts it is in. */
  readonly counts: HoldCounts
  /** The member that held it asked for `park`. */
  readonly park: boolean
  readonly original?: Original | undefined
}

/** A held message as the store keeps it. */
export interface HeldRecord extends HeldDraft {
  hold: Hold
  readonly order: number
  isGone: boolean
  timed: Timed<HeldRecord> | undefined
}

/** All held messages of a store: by id, in the order they were held, and by when they ripen. */
export class HoldBook {
  readonly #byId = new Map<HoldId, HeldRecord>()
  readonly #wheel = new Wheel<HeldRecord>()
  /** Prepared messages that are due and whose producer group no keeper answers for. */
  readonly #unasked = new Map<ProducerGroup, Set<HeldRecord>>()
  #inOrder: HeldRecord[] = []
  #gone = 0
  #made = 0

  get(id: HoldId): HeldRecord | undefined {
    return this.#byId.get(id)
  }

  /** The id has to be free. */
  put(draft: HeldDraft): HeldRecord {
    const record: HeldRecord = { ...draft, order: this.#made, isGone: false, timed: undefined }
    this.#made += 1
    this.#byId.set(record.id, record)
    this.#inOrder.push(record)
    record.counts[record.hold.why] += 1
    this.#time(record)
    return record
  }

  remove(record: HeldRecord): void {
    if (record.isGone) return
    record.isGone = true
    this.#byId.delete(record.id)
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
      const record = this.#byId.get(query.id)
      return { items: record && matches(record, query) ? [asHeld(record)] : [] }
    }
    const items: Held[] = []
    const all = this.#inOrder
    for (let index = this.#indexAfter(query.cursor); index < all.length; index += 1) {
      const record = all[index]
      if (record === undefined || record.isGone || !matches(record, query)) continue
      items.push(asHeld(record))
      if (items.length === query.limit) return { items, cursor: String(record.order) }
    }
    return { items }
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

export function asHeld({ id, hold, message, heldAt }: HeldRecord): Held {
  return { id, hold, message, heldAt }
}

function matches(record: HeldRecord, { topic, group, why }: HoldQuery): boolean {
  if (topic !== undefined && record.topic.name !== topic) return false
  if (group !== undefined && record.hold.group !== group) return false
  return why === undefined || record.hold.why === why
}
