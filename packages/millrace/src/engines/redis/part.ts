import type { Millis } from '../../core/clock.js'
import type { Hold } from '../../core/hold.js'
import type { Redelivery } from '../../engine/cursor/again.js'
import { countFrom } from '../../engine/cursor/cursor-log.js'
import { lowest } from '../../engine/cursor/cursor-state.js'
import { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Owner } from '../../engine/cursor/owner.js'
import { type CursorRow, encodeState } from './cursor-row.js'
import { died, poisoned } from './died.js'
import { encodeHeld, heldState, type HeldRow, isBlocking, isHeldState, type KeptRow } from './held-row.js'
import { SparseLog } from './sparse-log.js'

/** How far a group may read past what it has not finished. */
const windowMessages = 50_000

export interface PartOwner extends Owner {
  readonly name: string
  readonly group: string
  readonly park: boolean
  readonly maxDeliveries: number
  /** Unlike its name, never used again. */
  readonly membership: string
}

/** A held row that changes together with where the part stands; null removes it. */
export interface HeldChange {
  readonly offset: number
  readonly row: Buffer | null
  /** Wall clock, '' for a row that does not ripen. */
  readonly due: string
  /** The released row that it ends. */
  readonly ends: number | undefined
}

/** All that a commit writes. */
export interface PartWrite {
  readonly fields: readonly (readonly [name: string, value: string | number])[]
  readonly held: readonly HeldChange[]
  /** The last entry that was read, where a failover may have lost it without losing what was written before. */
  readonly tail: number | undefined
  /** How many entries were read before, as it was written last. */
  readonly read: number
  /** What counts as written once this is. */
  readonly becomes: { readonly next: number; readonly read: number }
}

/** A partition that a member has claimed: where its group stands there, what was read, what is in hand. Nothing here waits for the server. */
export class Part {
  readonly topic: string
  readonly partition: number
  readonly epoch: number
  readonly log: SparseLog
  isDraining = false
  /** Offsets whose verdicts are taken and may not have been stored. */
  readonly unsure = new Set<number>()
  readonly row: CursorRow
  readonly #owner: PartOwner
  #cursor: GroupCursor | undefined
  #settled: number
  #purged: number
  /** How many entries of the log there were before the first that was read here. */
  #readBase = 0
  /** Where it read on in what was written last. */
  #writtenNext: number
  #writtenRead: number
  /** Of the log, in hand when it was cut last: out of it, though they may be finished. */
  #cutInHand: ReadonlySet<number> = new Set()
  #held: HeldChange[] = []
  /** Released rows that are known, until it is written that they are finished: offset -> the row's version. */
  readonly #released = new Map<number, number>()
  /** Held messages that later ones of their key wait for. */
  readonly #blockers = new Map<number, string | null>()

  constructor(topic: string, owner: PartOwner, partition: number, row: CursorRow) {
    this.topic = topic
    this.#owner = owner
    this.partition = partition
    this.epoch = row.epoch
    this.row = row
    this.log = new SparseLog(partition, lowest(row.state))
    this.#settled = row.settled
    this.#purged = row.purged
    this.#writtenNext = row.state.next
    this.#writtenRead = row.read
  }

  /** Undefined until all that it had before was read again. */
  get cursor(): GroupCursor | undefined {
    return this.#cursor
  }

  /** Messages that may be leased now are known. */
  get isOpen(): boolean {
    return this.#cursor !== undefined && !this.isDraining
  }

  /** Too far ahead of what is not finished: only what was taken before may be leased. */
  get isAhead(): boolean {
    return this.#cursor !== undefined && this.#cursor.flight.size > windowMessages
  }

  /** Read, and never taken. */
  get ahead(): number {
    return this.#cursor ? countFrom(this.log, this.#cursor.flight.next) : 0
  }

  /** Something has to be written before it gets lost. */
  get hasChanges(): boolean {
    return this.#held.length > 0
  }

  /** Everything before the place where the group stands was read into the log; `rows` are the group's released, waiting and blocking ones. */
  load(rows: readonly KeptRow[], now: Millis): void {
    const isOurs = this.row.writer === this.#owner.membership
    const state = isOurs ? this.row.state : died(this.row.state, this.log)
    const cursor = GroupCursor.restore(this.log, state, this.epoch - 1, (entry) => this.#waits(entry))
    this.#cursor = cursor
    this.#readBase = this.row.read - this.log.appended + countFrom(this.log, state.next)
    // What is gone from the log was trimmed before the group had finished it.
    this.#purged += Math.max(0, this.row.leased + this.row.waiting - cursor.flight.returned)
    for (const row of rows) if (row.blocks) this.#block(offsetOf(row), row.message.key)
    const inHand = isOurs ? new Set<number>() : new Set(this.row.state.copies)
    for (const row of [...rows].sort((one, other) => one.version - other.version)) {
      const isSuspect = inHand.has(offsetOf(row))
      const after = isSuspect ? { ...row, attempt: row.attempt + 1, alone: true } : row
      if (isSuspect) this.#put(after)
      this.#release(after)
    }
    for (const entry of cursor.claim(this.#owner, this.#owner.maxDeliveries)) this.#hold(entry, poisoned(entry, now), now)
  }

  done(offset: number): boolean {
    const cursor = this.#cursor
    const isCopy = cursor?.isCopyInHand(offset)
    if (!cursor?.done(offset)) return false
    this.#settled += 1
    this.#blockers.delete(offset)
    if (isCopy) this.#held.push({ offset, row: null, due: '', ends: this.#released.get(offset) })
    this.#cut(offset)
    return true
  }

  back(offset: number): boolean {
    return this.#cursor?.back(offset) ?? false
  }

  /** A verdict `hold`; false when it is not in hand. */
  held(offset: number, hold: Hold, now: Millis): boolean {
    const entry = this.#cursor?.finish(offset)
    if (!entry) return false
    this.#hold(entry, hold, now)
    this.#cut(offset)
    return true
  }

  /** A row of the group was changed by others; undefined where it is gone. */
  changed(offset: number, row: KeptRow | undefined): void {
    const cursor = this.#cursor
    if (!cursor || cursor.isCopyInHand(offset)) return
    if (row && !isHeldState(row.state)) this.#release(row)
    else if (row?.blocks) this.#block(offset, row.message.key)
    else this.#ended(offset, row?.message.key)
  }

  /** How many entries of the log there were, since the topic began, before the next one that is read. */
  get index(): number {
    return this.#readBase + this.log.appended
  }

  /** So many were trimmed before the group had read them. */
  passed(count: number): void {
    this.#readBase += count
    this.#purged += count
  }

  /**
   * The log begins at `first` by now, undefined for at its end: what was before it is passed over and counts as purged. What is in hand may still be
   * finished. False when nothing was there to be passed over.
   */
  cut(first: number | undefined): boolean {
    const cursor = this.#cursor
    const to = first ?? this.log.end
    if (!cursor || to <= cursor.flight.low) return false
    this.#cutInHand = new Set(cursor.flight.leasedOffsets().filter((offset) => offset < to))
    this.#purged += cursor.passTo(to)
    this.log.endAt(to)
    this.log.cut(cursor.flight.low)
    return true
  }

  /** It was taken just now, and the log had been cut before: nobody gets it. */
  passOver(offset: number): boolean {
    if (!this.#cutInHand.has(offset) || !this.#cursor?.finish(offset)) return false
    this.#purged += 1
    return true
  }

  /** Takes what there is to be written. */
  write(): PartWrite {
    const { last } = this.log
    return { fields: this.#fields(), held: this.takeHeld(), tail: last !== undefined && last >= this.#writtenNext ? last : undefined, read: this.#writtenRead, becomes: { next: this.#cursor?.flight.next ?? this.row.state.next, read: this.#read } }
  }

  takeHeld(): readonly HeldChange[] {
    const held = this.#held
    this.#held = []
    return held
  }

  /** It is written. */
  written({ held, becomes }: Pick<PartWrite, 'held'> & Partial<PartWrite>): void {
    if (becomes) {
      this.#writtenNext = becomes.next
      this.#writtenRead = becomes.read
    }
    for (const { offset, ends } of held) if (ends !== undefined && this.#released.get(offset) === ends) this.#released.delete(offset)
  }

  /** Hands back what is in hand. */
  handBack(): void {
    this.#cursor?.free(false)
  }

  get #read(): number {
    return this.#cursor ? this.index - this.ahead : this.row.read
  }

  #fields(): PartWrite['fields'] {
    const cursor = this.#cursor
    if (!cursor) return []
    const state = cursor.state()
    const { flight } = cursor
    return [
      ['s', encodeState(state)], ['next', state.next], ['low', flight.low], ['read', this.#read],
      ['leased', flight.leased], ['waiting', flight.returned], ['copies', state.copies.length], ['settled', this.#settled], ['purged', this.#purged],
    ]
  }

  #hold(entry: Redelivery, hold: Hold, now: Millis): void {
    const { park, group } = this.#owner
    const { message, offset } = entry
    const doesBlock = isBlocking(hold, park, message.key)
    this.#put({ state: heldState(hold), hold: { ...hold, group }, heldAt: now, blocks: doesBlock, park, alone: false, attempt: hold.attempt, message })
    if (doesBlock) this.#block(offset, message.key)
    else this.#ended(offset, message.key)
  }

  /** It has left the log, to wait behind an earlier message of its key. */
  #waits({ message, attempt, alone }: Redelivery): void {
    const hold = { why: 'retry', until: 0, then: 'release', group: this.#owner.group, attempt } as const
    this.#put({ state: 'w', hold, heldAt: message.timestamp, blocks: false, park: false, alone, attempt, message })
    this.log.drop(Number(message.offset))
  }

  #put(row: HeldRow): void {
    const offset = offsetOf(row)
    const { until } = row.hold
    const due = isHeldState(row.state) && until !== 'decided' ? String(until) : ''
    this.#held.push({ offset, row: encodeHeld(row), due, ends: isHeldState(row.state) ? this.#released.get(offset) : undefined })
  }

  /** A released row, or one that waits behind an earlier message of its key: once, however often it is told. */
  #release(row: KeptRow): void {
    const { message, version, attempt, alone, hold: { failure } } = row
    const offset = offsetOf(row)
    if (isHeldState(row.state) || message.offset === null || this.#released.get(offset) === version) return
    this.#released.set(offset, version)
    const entry = { message: { ...message, offset: message.offset }, offset, attempt, alone, pins: false }
    if (row.state === 'w') this.#cursor?.comeBack(entry)
    else this.#cursor?.release(failure ? { ...entry, failure } : entry)
  }

  #block(offset: number, key: string | null): void {
    this.#blockers.set(offset, key)
    this.#cursor?.keys.block(key, offset)
  }

  #ended(offset: number, key: string | null | undefined): void {
    const blocked = this.#blockers.get(offset) ?? key ?? null
    this.#blockers.delete(offset)
    this.#cursor?.ended(blocked, offset)
  }

  #cut(offset: number): void {
    this.log.drop(offset)
    this.log.cut(this.#cursor?.flight.low ?? 0)
  }
}

function offsetOf({ message }: Pick<HeldRow, 'message'>): number {
  return Number(message.offset)
}
