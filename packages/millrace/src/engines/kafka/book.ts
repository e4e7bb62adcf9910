import type { Millis } from '../../core/clock.js'
import type { HoldId } from '../../core/hold.js'
import type { Offset } from '../../core/message.js'
import type { Held } from '../../engine/engine.js'
import type { Entry, Known, Ledger, LedgerEvents } from './ledger.js'
import { type CursorRow, decode, decodeAbout, decodeHeld, type Dropped, type GroupRow, type HeldRow, holdIdOf, ids, type StewardRow, type DropsRow, type WantRow } from './rows.js'
import type { Waiting } from './waiting.js'

/** A row and what the ledger says of it. */
export interface Kept<Row> {
  readonly id: string
  readonly row: Row
  readonly version: Offset
  readonly epoch: number
}

export interface KeptHold extends Kept<HeldRow> {
  /** In which it was held, among all of the topic. */
  readonly order: Offset
}

/** What changed, to whoever acts on it. */
export interface BookEvents {
  group?(name: string, now: Kept<GroupRow> | undefined): void
  cursor?(group: string, partition: number, now: Kept<CursorRow> | undefined): void
  held?(now: KeptHold | undefined, before: KeptHold | undefined): void
  /** Of what only waits for its time; undefined when it has ended, or waits no more. */
  waits?(id: string, now: Entry | undefined): void
  /** Anything that waits may have changed. */
  anew?(): void
  steward?(now: Kept<StewardRow> | undefined): void
  want?(now: Kept<WantRow> | undefined): void
  gone?(): void
}

/** What the ledger of a topic says, read: its groups, where they stand, what is held. */
export class Book {
  readonly topic: string
  readonly groups = new Map<string, Kept<GroupRow>>()
  readonly cursors = new Map<string, Kept<CursorRow>>()
  /** By the ledger's id, in the order in which they were held; without those that wait. */
  readonly held = new Map<string, KeptHold>()
  /** Marks of dropped ones, by the ledger's id: they are counted, and then ended. */
  readonly dropped = new Map<string, KeptHold>()
  readonly drops = new Map<string, Kept<DropsRow>>()
  readonly wants = new Map<string, Kept<WantRow>>()
  readonly listeners = new Set<BookEvents>()
  steward: Kept<StewardRow> | undefined
  #ledger: Ledger | undefined

  constructor(topic: string) {
    this.topic = topic
  }

  /** The ledger that tells this book; set once. */
  set ledger(ledger: Ledger) {
    this.#ledger = ledger
  }

  get ledger(): Ledger {
    if (!this.#ledger) throw new Error('a book is read through its ledger')
    return this.#ledger
  }

  get events(): LedgerEvents {
    return {
      dueOf: waitsUntil,
      changed: (id, now, before) => this.#changed(id, now, before),
      anew: () => this.#tell((each) => each.anew?.()),
      gone: () => this.#tell((each) => each.gone?.()),
    }
  }

  /** Delays, whose messages are in the ledger's log only. */
  get waiting(): Waiting {
    return this.ledger.waiting
  }

  cursor(group: string, partition: number): Kept<CursorRow> | undefined {
    return this.cursors.get(ids.cursor(group, partition))
  }

  /** Holds of a group in a partition, released ones too. */
  *heldOf(group: string, partition: number): Iterable<KeptHold> {
    for (const each of this.held.values()) if (each.row.hold.group === group && each.row.partition === partition) yield each
  }

  /** How many of a group's holds were dropped. */
  dropsOf(group: string): Dropped {
    const counts = { ...this.counted(group) }
    for (const mark of this.dropped.values()) if (mark.row.hold.group === group && mark.row.dropped && !this.isCounted(mark)) counts[mark.row.dropped] += 1
    return counts
  }

  /** What of that the steward has counted, up to a place of the log. */
  counted(group: string): Dropped & { readonly upTo: number } {
    const row = this.drops.get(group)?.row
    // One of an earlier group of the name counts nothing.
    const isOurs = row && row.createdAt === this.groups.get(group)?.row.createdAt
    return isOurs ? { settled: row.settled, purged: row.purged, upTo: row.upTo } : { settled: 0, purged: 0, upTo: -1 }
  }

  isCounted({ row: { hold: { group = '' } }, version }: KeptHold): boolean {
    return version <= this.counted(group).upTo
  }

  holdId({ row }: KeptHold): HoldId {
    return holdIdOf(this.topic, row)
  }

  asHeld(kept: KeptHold): Held {
    const { hold, message, heldAt } = kept.row
    return { id: this.holdId(kept), hold, message, heldAt }
  }

  /** An entry of a hold as a hold. */
  keptHold(entry: Pick<Entry, 'id' | 'value' | 'version' | 'epoch'>): KeptHold {
    const { id, version, epoch } = entry
    const row = decodeHeld(this.topic, entry)
    return { id, row, version, epoch, order: row.order ?? version }
  }

  #changed(id: string, now: Entry | undefined, before: Known | undefined): void {
    const [kind, name = '', partition = ''] = id.split('/')
    if (kind === 'g') {
      const kept = keep(this.groups, name, now)
      this.#tell((each) => each.group?.(name, kept))
    } else if (kind === 'c') {
      const kept = keep<CursorRow>(this.cursors, id, now)
      this.#tell((each) => each.cursor?.(name, Number(partition), kept))
    } else if (kind === 'r' || kind === 'h') this.#holdChanged(id, now, before)
    else if (kind === 'd') keep<DropsRow>(this.drops, name, now)
    else if (kind === 'w') {
      const kept = keep<WantRow>(this.wants, id, now)
      this.#tell((each) => each.want?.(kept))
    } else if (kind === 's' && (now || before)) {
      this.steward = now && keptOf(now)
      this.#tell((each) => each.steward?.(this.steward))
    }
  }

  #holdChanged(id: string, now: Entry | undefined, before: Known | undefined): void {
    const waits = now?.due === undefined ? undefined : now
    if (waits || before?.due !== undefined) this.#tell((each) => each.waits?.(id, waits))
    this.#heldChanged(id, waits ? undefined : now)
  }

  #heldChanged(id: string, now: Entry | undefined): void {
    const before = this.held.get(id)
    const kept = now && this.keptHold(now)
    if (kept?.row.dropped) this.dropped.set(id, kept)
    else this.dropped.delete(id)
    const held = kept?.row.dropped ? undefined : kept
    // Held anew is held last.
    if (held?.order !== before?.order) this.held.delete(id)
    if (held) this.held.set(id, held)
    if (held || before) this.#tell((each) => each.held?.(held, before))
  }

  #tell(tell: (each: BookEvents) => void): void {
    for (const each of [...this.listeners]) tell(each)
  }
}

/** A delay waits until it is due, and hardly one is changed before. */
function waitsUntil(id: string, value: Buffer): Millis | undefined {
  if (!id.startsWith(ids.draft(''))) return undefined
  const { why, then, until, token } = decodeAbout(value).hold
  return why === 'delay' && then === 'release' && until !== 'decided' && token === undefined ? until : undefined
}

function keep<Row>(rows: Map<string, Kept<Row>>, name: string, now: Entry | undefined): Kept<Row> | undefined {
  const kept = now && keptOf<Row>(now)
  if (kept) rows.set(name, kept)
  else rows.delete(name)
  return kept
}

function keptOf<Row>(entry: Entry): Kept<Row> {
  return { id: entry.id, row: decode<Row>(entry), version: entry.version, epoch: entry.epoch }
}
