import type { Cancel } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Hold } from '../../core/hold.js'
import { limits } from '../../core/limits.js'
import type { Offset } from '../../core/message.js'
import { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Owner } from '../../engine/cursor/owner.js'
import type { Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Stir, Verdict } from '../../engine/engine.js'
import type { Book, BookEvents } from './book.js'
import { FetchedLog } from './fetched-log.js'
import { messageOf } from './message-codec.js'
import { boundsOf } from './place.js'
import type { KafkaRecord, Reader } from './port.js'
import { encodeHeld, type HeldRow, ids } from './rows.js'
import { Signal } from '../../engine/signal.js'
import type { KafkaStore } from './store.js'

/** A partition as this member reads it. */
interface Heard {
  readonly log: FetchedLog
  readonly cursor: GroupCursor
}

/** A broadcast member: it reads every partition from where its end was, and nobody else knows where it stands. Only its dead letters are written. */
export class Listener implements Membership, Owner {
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #request: JoinRequest
  readonly #onOver: () => void
  readonly #heard = new Map<number, Heard>()
  readonly #changed: Signal
  readonly #events: BookEvents = { gone: () => this.#lapse() }
  readonly #watcher = (stir: Stir): void => {
    if (stir.what === 'paused' && stir.topic === this.#book.topic) this.wakeSoon()
  }
  #reader: Reader | undefined
  #cancel: Cancel = () => undefined
  #isOver = false
  #turn = 0

  private constructor(store: KafkaStore, book: Book, request: JoinRequest, onOver: () => void) {
    this.#store = store
    this.#book = book
    this.#request = request
    this.#onOver = onOver
    this.#changed = new Signal(store.clock)
  }

  static async join(store: KafkaStore, book: Book, request: JoinRequest, onOver: () => void): Promise<Listener> {
    const listener = new Listener(store, book, request, onOver)
    await listener.#start()
    return listener
  }

  async lease({ max, waitMs, signal }: LeaseRequest): Promise<readonly Delivery[]> {
    const until = this.#store.clock.monotonic() + waitMs
    for (;;) {
      if (this.#isOver) throw new MillraceError('LAPSED', `member ${this.#request.member} does not listen to topic ${this.#book.topic} any more: join again`)
      const taken = this.#collect(max)
      const leftMs = until - this.#store.clock.monotonic()
      if (taken.length > 0 || leftMs <= 0 || signal?.aborted) return taken
      await this.#changed.wait(leftMs, signal)
    }
  }

  async settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    const outcomes = await Promise.all(verdicts.map((verdict) => this.#settle(verdict)))
    this.wakeSoon()
    return outcomes
  }

  async leave(): Promise<void> {
    if (this.#isOver) return
    this.die()
    await this.#reader?.close()
  }

  /** As the member of a process that was killed. */
  die(): void {
    this.#isOver = true
    this.#cancel()
    this.#book.listeners.delete(this.#events)
    this.#store.watchers.delete(this.#watcher)
    this.#changed.tell()
    this.#onOver()
  }

  lost(): void {
    // Nobody takes a partition from it.
  }

  wakeSoon(): void {
    this.#changed.tell()
  }

  async #start(): Promise<void> {
    this.#reader = await this.#store.client.reader({
      records: (_, partition, records) => this.#fetched(partition, records),
      end: (_, partition, next) => this.#heard.get(partition)?.log.endAt(Number(next)),
      lost: (_, partition, why) => (why === 'gone' ? this.#lapse() : void this.#reread(partition)),
      trouble: this.#store.report,
    })
    for (const { partition, end } of await boundsOf(this.#store, this.#book.topic)) this.#hear(partition, end)
    this.#book.listeners.add(this.#events)
    this.#store.watchers.add(this.#watcher)
    this.#arm()
  }

  #hear(partition: number, from: Offset): void {
    const log = new FetchedLog(partition, Number(from))
    const cursor = new GroupCursor(log, Number(from))
    cursor.claim(this, this.#request.maxDeliveries)
    this.#heard.set(partition, { log, cursor })
    this.#reader?.add(this.#topic, partition, from)
  }

  #arm(): void {
    if (!this.#isOver) this.#cancel = this.#store.clock.after(limits.safetyLookMs, () => void this.#hearAdded().catch(this.#store.report).finally(() => this.#arm()))
  }

  /** All of a partition that was added has come since. */
  async #hearAdded(): Promise<void> {
    const { partitions = 0 } = this.#store.topics.get(this.#book.topic) ?? {}
    if (partitions <= this.#heard.size) return
    const added = (await boundsOf(this.#store, this.#book.topic)).filter(({ partition }) => !this.#heard.has(partition))
    if (!this.#isOver) for (const { partition, start } of added) this.#hear(partition, start)
  }

  #fetched(partition: number, records: readonly KafkaRecord[]): void {
    const heard = this.#heard.get(partition)
    if (!heard || this.#isOver) return
    for (const record of records) heard.log.append(messageOf(record, this.#book.topic))
    this.#turnReader(partition, heard)
    this.wakeSoon()
    this.#store.stir({ what: 'ready', topic: this.#book.topic, group: this.#request.group })
  }

  /** Its records were deleted before it had read them: on from what there is. */
  async #reread(partition: number): Promise<void> {
    const [bounds] = await boundsOf(this.#store, this.#book.topic, partition)
    if (!bounds || this.#isOver) return
    this.#heard.get(partition)?.log.endAt(Number(bounds.start))
    this.#reader?.add(this.#topic, partition, bounds.start)
  }

  #collect(max: number): readonly Delivery[] {
    const out: Delivery[] = []
    if (this.#store.topics.get(this.#book.topic)?.paused === true) return out
    const all = [...this.#heard.values()]
    const from = (this.#turn += 1)
    for (let index = 0; index < all.length && out.length < max; index += 1) all[(from + index) % all.length]?.cursor.lease(out, max, false)
    return out
  }

  async #settle({ delivery: { message, epoch }, ...verdict }: Verdict): Promise<Outcome> {
    const heard = this.#heard.get(message.partition)
    if (this.#isOver || heard?.cursor.epoch !== epoch) return 'lapsed'
    const offset = Number(message.offset)
    if (verdict.is === 'back') return heard.cursor.back(offset) ? 'settled' : 'lapsed'
    if (!heard.cursor.done(offset)) return 'lapsed'
    heard.log.cut(heard.cursor.flight.low)
    this.#turnReader(message.partition, heard)
    return verdict.is === 'done' ? 'settled' : this.#bury({ message, hold: verdict.hold })
  }

  /** Another member of its name may have done so: it is one dead letter. */
  async #bury({ message, hold }: { readonly message: Delivery['message']; readonly hold: Hold }): Promise<Outcome> {
    const { group } = this.#request
    const { partition, offset } = message
    const row: HeldRow = { hold: { ...hold, group }, heldAt: this.#store.clock.wall(), partition, offset, blocks: false, park: false, message }
    const [answer] = await this.#book.ledger.put([{ id: ids.placed(group, partition, offset), value: encodeHeld(row), when: 'new' }])
    return answer === undefined || 'error' in answer ? 'unknown' : 'settled'
  }

  #turnReader(partition: number, { log }: Heard): void {
    const turn = log.turn()
    if (turn) this.#reader?.[turn](this.#topic, partition)
  }

  /** The topic is gone. */
  #lapse(): void {
    if (this.#isOver) return
    void this.leave().catch(this.#store.report)
    this.#request.revoke([...this.#heard.keys()], AbortSignal.abort()).catch(() => undefined)
  }

  get #topic(): string {
    return this.#store.names.topic(this.#book.topic)
  }
}
