import type { Hold } from '../../core/hold.js'
import type { Millis } from '../../core/clock.js'
import { type CursorState, lowest, offsetsOf } from '../../engine/cursor/cursor-state.js'
import { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Owner } from '../../engine/cursor/owner.js'
import type { Redelivery } from '../../engine/cursor/again.js'
import type { Book, KeptHold } from './book.js'
import { FetchedLog } from './fetched-log.js'
import type { Change } from './ledger.js'
import { type CursorRow, encodeCursor, encodeHeld, type HeldRow, ids } from './rows.js'

/** How far a group may read past what it has not finished. */
const windowMessages = 50_000

const none: readonly Change[] = []

/** Marks the row of what waited behind an earlier message of its key: it comes in its place, and not when it was released. */
const waitsUntil = 0

/** What a verdict counts by: where the part stands, or a change of its own. */
export interface Written {
  readonly part: Part
  readonly by: Part | Change
}

export interface PartOwner extends Owner {
  readonly name: string
  readonly group: string
  readonly park: boolean
  readonly maxDeliveries: number
}

/** A partition that a member has claimed: where its group stands there, what was fetched, what is in hand. */
export class Part {
  readonly partition: number
  readonly epoch: number
  readonly log: FetchedLog
  isDraining = false
  /** The watermark that Kafka's tools know. */
  committed: number | undefined
  /** By where it stands. */
  readonly written: Written
  /** Offsets whose verdicts are taken and may not have been stored. */
  readonly #unsure = new Set<number>()
  readonly #book: Book
  readonly #owner: PartOwner
  readonly #row: CursorRow
  /** Went out of the log to wait behind an earlier message of their key; not yet written. */
  #waits: Redelivery[] = []
  /** Offsets of those that were, until it is read back. */
  readonly #written = new Set<number>()
  #cursor: GroupCursor | undefined
  #settled: number
  #purged: number
  /** Where it read on in what was written last. */
  #writtenNext: number

  constructor(book: Book, owner: PartOwner, partition: number, row: CursorRow, epoch: number) {
    this.#book = book
    this.#owner = owner
    this.#row = row
    this.partition = partition
    this.epoch = epoch
    this.log = new FetchedLog(partition, lowest(row))
    this.#settled = row.settled
    this.#purged = row.purged
    this.#writtenNext = row.next
    this.written = { part: this, by: this }
  }

  /** Where to read on, before anything was fetched. */
  get start(): number {
    return lowest(this.#row)
  }

  get watermark(): number {
    return this.#cursor?.flight.low ?? lowest(this.#row)
  }

  /** Undefined until all that it had before was fetched again. */
  get cursor(): GroupCursor | undefined {
    return this.#cursor
  }

  /** It has read on over places that hold no message, as a transaction's marker, and nobody can know but from its row. */
  get isUnwritten(): boolean {
    return this.#cursor !== undefined && this.#cursor.flight.next !== this.#writtenNext
  }

  /** Messages that may be leased now are known. */
  get isOpen(): boolean {
    return this.#cursor !== undefined && !this.isDraining
  }

  /** The log was read up to its end, or by some messages. Gives the dead letters that the claim has made. */
  fetched(now: Millis): readonly Change[] {
    if (this.#cursor || this.log.end < this.#row.next) return []
    const cursor = GroupCursor.restore(this.log, this.#row, this.epoch - 1, (entry) => this.#waits.push(entry))
    this.#cursor = cursor
    const died = new Set(this.#row.copies)
    const suspects: HeldRow[] = []
    const twins: Change[] = []
    const rows = [...this.#book.heldOf(this.#owner.group, this.partition)].map(({ row }) => row)
    for (const row of rows) if (row.blocks) cursor.keys.block(row.message.key, Number(row.offset))
    for (const row of rows) {
      died.delete(Number(row.offset))
      if (isWait(row) && this.#isToCome(cursor, Number(row.offset))) {
        twins.push({ id: this.#placed(Number(row.offset)), value: null, when: this.#guard })
        continue
      }
      const isSuspect = row.released !== undefined && this.#row.copies.includes(Number(row.offset))
      const after = isSuspect ? { ...row, released: { attempt: row.released.attempt + 1, alone: true } } : row
      if (isSuspect) suspects.push(after)
      this.#release(after)
    }
    // A copy in hand that is not there any more was done; where the group stands was not written any more.
    this.#settled += died.size
    const counted = suspects.map((row) => ({ id: this.#placed(Number(row.offset)), value: encodeHeld(row), when: this.#guard }))
    const poison = cursor.claim(this.#owner, this.#owner.maxDeliveries).flatMap((entry) => this.hold(entry, poisoned(entry, now), now))
    return [...twins, ...counted, ...poison]
  }

  /** Too far ahead of what is not finished: only what was taken before may be leased. */
  get isAhead(): boolean {
    const { flight } = this.#cursor ?? {}
    return flight !== undefined && flight.next - flight.low > windowMessages
  }

  /** Fetched, and waiting to be leased: 0 where nothing may be, or nothing is fetched. */
  get ready(): number {
    return this.#cursor && !this.log.isFull && !this.isAhead ? this.#cursor.ready : 0
  }

  done(offset: number): readonly Change[] | undefined {
    const cursor = this.#cursor
    const isCopy = cursor?.isCopyInHand(offset)
    if (!cursor?.done(offset)) return undefined
    this.#settled += 1
    this.log.cut(cursor.flight.low)
    return isCopy ? [{ id: this.#placed(offset), value: null, when: this.#guard }] : none
  }

  /** A verdict was taken that may not have been stored. */
  isUnsure(offset: number): boolean {
    return this.#unsure.size > 0 && this.#unsure.has(offset)
  }

  /** A verdict was written, or may not have been. */
  counted(offset: number, isSure: boolean): 'settled' | 'unknown' {
    if (!isSure) this.#unsure.add(offset)
    else if (this.#unsure.size > 0) this.#unsure.delete(offset)
    return isSure ? 'settled' : 'unknown'
  }

  back(offset: number): readonly Change[] | undefined {
    return this.#cursor?.back(offset) ? none : undefined
  }

  /** A verdict `hold`; undefined when it is not in hand. */
  held(offset: number, hold: Hold, now: Millis): readonly Change[] | undefined {
    const entry = this.#cursor?.finish(offset)
    if (!entry) return undefined
    return this.hold(entry, hold, now)
  }

  /** Holds a message that is out of hand. */
  hold(entry: Redelivery, hold: Hold, now: Millis): readonly Change[] {
    const { message, offset } = entry
    const before = this.#book.held.get(this.#placed(offset))
    if (before && !before.row.released) this.#purged += 1
    const park = this.#owner.park
    const blocks = message.key !== null && (hold.why === 'lent' || (hold.why === 'retry' && park))
    const row: HeldRow = { hold: { ...hold, group: this.#owner.group }, heldAt: now, partition: this.partition, offset: message.offset, blocks, park, message }
    if (blocks) this.#cursor?.block(entry)
    else this.#cursor?.ended(message.key, offset)
    this.log.cut(this.#cursor?.flight.low ?? 0)
    return [{ id: this.#placed(offset), value: encodeHeld(row), when: this.#guard }]
  }

  /** A hold of this partition has changed, by whomever. */
  heldChanged(now: KeptHold | undefined, before: KeptHold | undefined): void {
    const cursor = this.#cursor
    const row = (now ?? before)?.row
    if (!cursor || !row) return
    const { key } = row.message
    const offset = Number(row.offset)
    if (this.#written.delete(offset)) return
    if (now?.row.released) {
      if (!before?.row.released) this.#release(now.row)
    } else if (now?.row.blocks) cursor.keys.block(key, offset)
    else if (!cursor.isCopyInHand(offset)) cursor.ended(key, offset)
  }

  /** Something went out of the log that has to be written. */
  get hasWaits(): boolean {
    return this.#waits.length > 0
  }

  /** What has changed here, to be written. */
  changes(): readonly Change[] {
    const waits = this.#waits.splice(0).map(({ message, offset, attempt, alone }): Change => {
      this.#written.add(offset)
      const hold = { why: 'retry', until: waitsUntil, then: 'release', group: this.#owner.group, attempt: attempt - 1 } as const
      const row: HeldRow = { hold, heldAt: message.timestamp, partition: this.partition, offset: message.offset, blocks: false, park: false, released: { attempt, alone }, message }
      return { id: this.#placed(offset), value: encodeHeld(row), when: this.#guard }
    })
    return [...waits, this.#change(false)]
  }

  /** Where the group stands here, as the owner or, once it has let go, as nobody. */
  #change(isReleased: boolean): Change {
    const state: CursorState = this.#cursor?.state() ?? this.#row
    this.#writtenNext = state.next
    const row: CursorRow = { ...state, owner: isReleased ? null : this.#owner.name, settled: this.#settled, purged: this.#purged }
    return { id: ids.cursor(this.#owner.group, this.partition), value: encodeCursor(row), when: this.#guard, ...(isReleased ? { epoch: this.epoch + 1 } : {}) }
  }

  /** The group stands before it: its copy was written, and nothing of what came with it. */
  #isToCome({ flight }: GroupCursor, offset: number): boolean {
    return offset >= flight.next || flight.isUnfinished(offset)
  }

  /** Hands back what is in hand, and gives the row without an owner. */
  release(): readonly Change[] {
    this.#cursor?.free(false)
    return [...this.changes().slice(0, -1), this.#change(true)]
  }

  get #guard(): Change['when'] {
    return { guard: ids.cursor(this.#owner.group, this.partition), epoch: this.epoch }
  }

  #placed(offset: number): string {
    return ids.placed(this.#owner.group, this.partition, offset)
  }

  #release(row: HeldRow): void {
    const { released, hold: { failure }, message, offset } = row
    if (!released || offset === null) return
    const entry = { message: { ...message, offset }, offset: Number(offset), ...released, pins: false }
    if (isWait(row)) this.#cursor?.comeBack(entry)
    else this.#cursor?.release(failure ? { ...entry, failure } : entry)
  }
}

function isWait({ released, hold }: HeldRow): boolean {
  return released !== undefined && hold.until === waitsUntil
}

/** As it is after a claim: what the owner before had in hand, if it did not let go, counts one delivery and runs alone. */
export function claimed(row: CursorRow, owner: string): CursorRow {
  if (row.owner === null) return { ...row, owner }
  const again = new Map(row.again.map((each) => [each[0], each]))
  for (const offset of offsetsOf(row.leased)) again.set(offset, [offset, (again.get(offset)?.[1] ?? 1) + 1, 1])
  const waiting = [...row.waiting, ...row.leased].sort(([one], [other]) => one - other)
  return { ...row, owner, leased: [], waiting, again: [...again.values()] }
}

function poisoned({ attempt, failure }: Redelivery, now: Millis): Hold {
  const reason = `its owner died ${attempt - 1} times before it was finished`
  return { why: 'dead', until: 'decided', then: 'release', attempt: attempt - 1, failure: { reason, kind: 'POISON', firstAt: failure?.firstAt ?? now, lastAt: now } }
}

