import type { Delivery } from '../engine.js'
import { Again, delivery, first, type Redelivery } from './again.js'
import { BlockedKeys } from './blocked-keys.js'
import { countBetween, countFrom, type CursorLog, firstFrom } from './cursor-log.js'
import { type CursorState, lowest, within } from './cursor-state.js'
import { Flight } from './flight.js'
import type { InFlight } from './in-flight.js'
import type { Owner } from './owner.js'
import { SparseFlight } from './sparse-flight.js'

/** Where a group stands in one partition: who owns it, what is in hand, what comes again, where the log is read on. */
export class GroupCursor {
  readonly log: CursorLog
  readonly flight: InFlight
  readonly again = new Again()
  readonly keys = new BlockedKeys()
  /** In hand and not a plain first delivery from the log. */
  readonly #out = new Map<number, Redelivery>()
  readonly #onWait: (entry: Redelivery) => void
  /** How many in `#out` own a copy. */
  #copiesOut = 0
  #owner: Owner | null = null
  #epoch = 0
  isDraining = false

  /** Reads on from `at`. `onWait` is told of what goes out of the log to wait behind an earlier message of its key: from then on it owns a copy. */
  constructor(log: CursorLog, at: number, onWait: (entry: Redelivery) => void = () => undefined) {
    this.log = log
    this.flight = log.sparse ? new SparseFlight(at) : new Flight(at)
    this.#onWait = onWait
  }

  /** As it was when `state` was taken, in `epoch`. Everything from its lowest place to `next` must be in the log already. */
  static restore(log: CursorLog, state: CursorState, epoch: number, onWait?: (entry: Redelivery) => void): GroupCursor {
    const cursor = new GroupCursor(log, lowest(state), onWait)
    const again = new Map(state.again.map(([offset, attempt, alone]) => [offset, { attempt, alone: alone === 1 }]))
    const isUnfinished = within([...state.leased, ...state.waiting])
    for (let offset = firstFrom(log, cursor.flight.next); offset < state.next; offset = firstFrom(log, offset + 1)) {
      cursor.flight.take(offset)
      const message = isUnfinished(offset) ? log.at(offset) : undefined
      if (message) cursor.#return({ message, offset, ...(again.get(offset) ?? { attempt: 1, alone: false }), pins: true })
      else cursor.flight.finish(offset)
    }
    cursor.#epoch = epoch
    return cursor
  }

  /** What `restore` needs: messages in the log, and which copies are in hand. */
  state(): CursorState {
    const special = [...this.again, ...this.#out.values()].filter(({ pins, attempt, alone }) => pins && (attempt > 1 || alone))
    return {
      next: this.flight.next,
      leased: this.flight.runs('leased'),
      waiting: this.flight.runs('returned'),
      again: special.map(({ offset, attempt, alone }) => [offset, attempt, alone ? 1 : 0]),
      copies: [...this.#out.values()].flatMap(({ pins, offset }) => (pins ? [] : [offset])),
    }
  }

  get owner(): Owner | null {
    return this.#owner
  }

  get epoch(): number {
    return this.#epoch
  }

  get leased(): number {
    return this.flight.leased + this.#copiesOut
  }

  get ready(): number {
    return countFrom(this.log, this.flight.next) + this.again.size
  }

  isCopyInHand(offset: number): boolean {
    return this.#out.get(offset)?.pins === false
  }

  /** Timestamp of the oldest message that is ready or leased. */
  oldest(): number | null {
    let oldest = this.log.at(firstFrom(this.log, this.flight.low))?.timestamp ?? null
    for (const entries of [this.again, this.#out.values()]) {
      for (const { message } of entries) if (oldest === null || message.timestamp < oldest) oldest = message.timestamp
    }
    return oldest
  }

  /**
   * Adds deliveries to `out` until it has `max`. One that runs alone is added only to an empty `out` and when `mayRunAlone`:
   * then true, and nothing may follow it.
   */
  lease(out: Delivery[], max: number, mayRunAlone: boolean): boolean {
    while (out.length < max) {
      const entry = this.again.peek()
      if (entry === undefined) {
        this.#read(out, max)
        return false
      }
      if (this.keys.blocks(entry.message.key, entry.offset)) {
        this.again.shift()
        this.#wait(entry)
        continue
      }
      if (this.#isInHand(entry) || (entry.alone && (out.length > 0 || !mayRunAlone))) return false
      this.again.shift()
      out.push(this.#hand(entry))
      if (entry.alone) return true
    }
    return false
  }

  /** The delivery is finished. False when it is not in hand. */
  done(offset: number): boolean {
    if (this.#out.size > 0 && this.#out.has(offset)) {
      this.#end(this.finish(offset))
      return true
    }
    if (!this.flight.isLeased(offset)) return false
    if (!this.keys.isEmpty) return this.#end(this.finish(offset))
    return this.flight.finish(offset)
  }

  /** Takes the delivery out of hand and, where it was in the log, out of what pins it. What becomes of it is the caller's. */
  finish(offset: number): Redelivery | undefined {
    const entry = this.#inHand(offset)
    if (entry === undefined) return undefined
    this.#forget(entry)
    if (entry.pins) this.flight.finish(offset)
    return entry
  }

  /** Hands the delivery back, to come again in its place. */
  back(offset: number): boolean {
    const entry = this.#inHand(offset)
    if (entry === undefined) return false
    this.#forget(entry)
    this.#return(entry)
    return true
  }

  /** Later messages of its key wait until `ended`. */
  block(entry: Redelivery): void {
    this.keys.block(entry.message.key, entry.offset)
  }

  /** Its key is free: it is done, dead, dropped, or lets others pass. */
  ended(key: string | null, offset: number): void {
    for (const entry of this.keys.end(key, offset)) this.again.giveBack(entry)
    this.#owner?.wakeSoon()
  }

  /** What waited behind an earlier message of its key comes in its place, after it. */
  comeBack(entry: Redelivery): void {
    this.#return(entry)
    this.#owner?.wakeSoon()
  }

  /** A held message comes back to the group. */
  release(entry: Redelivery): void {
    if (this.keys.blocks(entry.message.key, entry.offset)) this.keys.wait(entry)
    else this.again.release(entry)
    this.#owner?.wakeSoon()
  }

  /**
   * A free cursor gets an owner. Gives what has had `maxDeliveries` deliveries and whose owner died with it:
   * the caller makes dead letters of it.
   */
  claim(owner: Owner, maxDeliveries: number): readonly Redelivery[] {
    this.#owner = owner
    this.#epoch += 1
    this.isDraining = false
    const poison = this.again.takeWhere((entry) => entry.alone && entry.attempt > maxDeliveries)
    for (const entry of poison) if (entry.pins) this.flight.finish(entry.offset)
    return poison
  }

  /** Takes the cursor from its owner. What is in hand returns; when the owner died it has had one delivery more and will run alone. */
  free(died: boolean): void {
    for (const entry of this.#allInHand()) {
      this.#forget(entry)
      this.#return(died ? { ...entry, attempt: entry.attempt + 1, alone: true } : entry)
    }
    const owner = this.#owner
    this.#owner = null
    this.#epoch += 1
    this.isDraining = false
    owner?.lost(this)
  }

  /**
   * Reads on from `offset`. What is in hand lapses; of what waits to come again, what is before the place stays, as
   * copies. Gives how many messages the group will never see.
   */
  seek(offset: number): number {
    let passed = countBetween(this.log, this.flight.next, offset)
    for (const entry of this.#allInHand()) {
      this.#forget(entry)
      if (entry.offset < offset && entry.pins) passed += 1
      else if (entry.offset < offset) this.again.giveBack(entry)
    }
    this.keys.forgetFrom(offset)
    const waiting = this.again.takeWhere((entry) => entry.pins || entry.offset >= offset)
    for (const entry of waiting) if (entry.offset < offset) this.again.giveBack({ ...entry, pins: false })
    this.flight.reset(offset)
    this.#epoch += 1
    this.#owner?.lost(this)
    this.#owner?.wakeSoon()
    return passed
  }

  /**
   * Lets the log be cut before `offset`. What is in hand stays there, as copies; the rest is passed over: gives how
   * many messages that are.
   */
  passTo(offset: number): number {
    if (offset <= this.flight.low) return 0
    let passed = countBetween(this.log, this.flight.next, offset)
    for (const each of this.flight.leasedOffsets()) {
      if (each >= offset) break
      const entry = this.#inHand(each)
      if (entry === undefined) continue
      this.#forget(entry)
      this.#remember({ ...entry, pins: false })
      this.flight.finish(each)
    }
    for (const entry of this.again.takeWhere((each) => each.pins && each.offset < offset)) {
      this.flight.finish(entry.offset)
      passed += 1
    }
    this.flight.skipTo(offset)
    return passed
  }

  #read(out: Delivery[], max: number): void {
    const { log, flight } = this
    for (let offset = firstFrom(log, flight.next); out.length < max && offset < log.end; offset = firstFrom(log, offset + 1)) {
      if (this.#out.size > 0 && this.#out.has(offset)) return
      flight.take(offset)
      const message = log.at(offset)
      // A gap: compacted away, or a transaction's marker.
      if (message === undefined) flight.finish(offset)
      else if (!this.keys.isEmpty && this.keys.blocks(message.key, offset)) this.#wait(first(message, offset))
      else out.push({ message, attempt: 1, epoch: this.#epoch, alone: false })
    }
  }

  /** A copy of a message whose other delivery is in hand, or about to be, after a seek: one at a time. */
  #isInHand(entry: Redelivery): boolean {
    return this.#out.has(entry.offset) || (!entry.pins && this.flight.isUnfinished(entry.offset))
  }

  #hand(entry: Redelivery): Delivery {
    if (entry.pins) this.flight.takeAgain(entry.offset)
    this.#remember(entry)
    return delivery(entry, this.#epoch)
  }

  #wait(entry: Redelivery): void {
    if (entry.pins) {
      this.flight.finish(entry.offset)
      this.#onWait(entry)
    }
    this.keys.wait({ ...entry, pins: false })
  }

  #return(entry: Redelivery): void {
    if (entry.pins) this.flight.giveBack(entry.offset)
    if (this.keys.blocks(entry.message.key, entry.offset)) this.#wait(entry)
    else this.again.giveBack(entry)
  }

  #end(entry: Redelivery | undefined): boolean {
    if (entry) this.ended(entry.message.key, entry.offset)
    return true
  }

  #inHand(offset: number): Redelivery | undefined {
    const entry = this.#out.get(offset)
    if (entry) return entry
    const message = this.flight.isLeased(offset) ? this.log.at(offset) : undefined
    return message && first(message, offset)
  }

  #allInHand(): Redelivery[] {
    const copies = [...this.#out.values()].filter((entry) => !entry.pins)
    const pinning = this.flight.leasedOffsets().flatMap((offset) => this.#inHand(offset) ?? [])
    return [...copies, ...pinning]
  }

  #remember(entry: Redelivery): void {
    this.#out.set(entry.offset, entry)
    if (!entry.pins) this.#copiesOut += 1
  }

  #forget(entry: Redelivery): void {
    if (this.#out.delete(entry.offset) && !entry.pins) this.#copiesOut -= 1
  }
}
