import type { JoinRequest } from '../../engine/engine.js'
import type { Offset } from '../../core/message.js'
import { Appetite } from './appetite.js'
import type { Book, BookEvents, Kept, KeptHold } from './book.js'
import type { Answer, Change } from './ledger.js'
import { startRow } from './cursor-row.js'
import { messageOf } from './message-codec.js'
import { claimed, Part, type PartOwner } from './part.js'
import type { GroupMember, KafkaRecord, Reader } from './port.js'
import { type CursorRow, encodeCursor, ids } from './rows.js'
import type { KafkaStore } from './store.js'
import { type PartAnswers, Writes } from './writes.js'

/** How often watermarks are committed to Kafka, for its tools. */
const commitEveryMs = 500
/** Before a claim that could not be written is tried again. */
const claimAgainMs = 250

export interface PartsEvents {
  /** There may be something to lease. */
  changed(): void
  /** It is not ours any more, with all that was in hand. */
  forgotten(part: Part): void
  /** The topic or the group is gone. */
  lapsed(): void
}

/** The partitions of a member: Kafka assigns them, the ledger says whose they are, a reader fetches them. */
export class Parts {
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #request: JoinRequest
  readonly #owner: PartOwner
  readonly #events: PartsEvents
  readonly #parts = new Map<number, Part>()
  /** What Kafka says we have; a claim that is under way stops when it is not any more. */
  readonly #assigned = new Set<number>()
  readonly #drains = new Set<AbortController>()
  readonly #bookEvents: BookEvents
  readonly #appetite = new Appetite()
  readonly #writes = new Writes((parts, changes) => this.#write(parts, changes))
  #reader: Reader | undefined
  #kafka: GroupMember | undefined
  #isOver = false
  #stopCommits: () => void = () => undefined

  constructor(store: KafkaStore, book: Book, request: JoinRequest, owner: PartOwner, events: PartsEvents) {
    this.#store = store
    this.#book = book
    this.#request = request
    this.#owner = owner
    this.#events = events
    this.#bookEvents = {
      group: (name, now) => this.#groupChanged(name, now === undefined),
      cursor: (group, partition, now) => this.#cursorChanged(group, partition, now),
      held: (now, before) => this.#heldChanged(now, before),
      gone: () => this.#events.lapsed(),
    }
  }

  async start(): Promise<void> {
    const { topic, group, member, leaseMs, stallMs } = this.#request
    const { client, names } = this.#store
    this.#book.listeners.add(this.#bookEvents)
    this.#reader = await client.reader({
      records: (_, partition, records) => this.#fetched(partition, records),
      end: (_, partition, next) => this.#reachedEnd(partition, next),
      lost: (_, partition, why) => this.#lostLog(partition, why),
      trouble: this.#store.report,
    })
    this.#kafka = await client.join({
      group: names.group(group), topic: names.topic(topic), member, sessionMs: leaseMs, stallMs,
      assigned: (partitions) => this.#assign(partitions),
      revoked: (partitions) => this.#revoke(partitions),
      lost: (partitions) => this.#lose(partitions),
      trouble: this.#store.report,
    })
    this.#armCommit()
  }

  get(partition: number): Part | undefined {
    return this.#parts.get(partition)
  }

  /** Those that may be leased from. */
  get open(): readonly Part[] {
    return [...this.#parts.values()].filter(({ isOpen }) => isOpen)
  }

  /** Writes changes and where the parts stand, those of one tick together. A part that is refused is another's. */
  async put(parts: readonly Part[], changes: readonly Change[] = []): Promise<PartAnswers> {
    if (parts.length + changes.length === 0) return new Map()
    this.#turnReader()
    return this.#writes.add(parts, changes)
  }

  /** Hands everything back and leaves the group. */
  async leave(): Promise<void> {
    this.#writes.flush()
    const all = [...this.#parts.values()]
    if (all.length > 0) await this.#book.ledger.put(all.flatMap((part) => part.release()))
    await this.stop()
    await this.#kafka?.leave()
  }

  /** Fetches and claims nothing more. */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#stopCommits()
    for (const drain of this.#drains) drain.abort()
    this.#book.listeners.delete(this.#bookEvents)
    this.#assigned.clear()
    this.#forget([...this.#parts.values()])
    await this.#reader?.close()
  }

  /** Tells the consumer that all is lost, and leaves the group. */
  async lapse(): Promise<void> {
    await this.#drop([...this.#parts.keys()])
    await this.stop()
    await this.#kafka?.leave()
  }

  /** As a process that was killed. */
  die(): void {
    this.#kafka?.die()
    void this.stop()
  }

  async #write(parts: readonly Part[], changes: readonly Change[]): Promise<PartAnswers> {
    const all = [...changes]
    // What a part has changed ends with where it stands.
    const ends = parts.map((part) => all.push(...part.changes()) - 1)
    const answers = await this.#book.ledger.put(all)
    return new Map<Part | Change, Answer>([...changes.entries(), ...parts.map((part, index) => [ends[index] ?? -1, part] as const)].map(([index, of]) => [of, answers[index] ?? { is: 'refused' }]))
  }

  #assign(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#assigned.add(partition)
      void this.#claim(partition)
    }
    this.#stir('members')
  }

  async #claim(partition: number): Promise<void> {
    const { group, member } = this.#request
    while (this.#assigned.has(partition) && !this.#isOver) {
      const kept = this.#book.cursor(group, partition)
      const row = claimed(kept?.row ?? (await this.#newRow(partition)), member)
      const epoch = (kept?.epoch ?? 0) + 1
      const [answer] = await this.#book.ledger.put([{ id: ids.cursor(group, partition), value: encodeCursor(row), when: kept ? { is: kept.version } : 'new', epoch }])
      if (answer?.is === 'accepted') return this.#begin(partition, row, epoch)
      if (answer?.is !== 'refused') await new Promise<void>((resolve) => this.#store.clock.after(claimAgainMs, resolve))
    }
  }

  /** A partition that was added since the group was made: all of it is new. */
  async #newRow(partition: number): Promise<CursorRow> {
    const [bounds] = await this.#store.client.admin.bounds(this.#topic, [partition])
    return startRow(bounds?.start ?? 0n)
  }

  #begin(partition: number, row: CursorRow, epoch: number): void {
    if (!this.#assigned.has(partition) || this.#isOver) return
    const part = new Part(this.#book, this.#owner, partition, row, epoch)
    this.#parts.set(partition, part)
    this.#reader?.add(this.#topic, partition, BigInt(part.start))
    this.#look(part)
  }

  #fetched(partition: number, records: readonly KafkaRecord[]): void {
    const part = this.#parts.get(partition)
    if (!part) return
    for (const record of records) part.log.append(messageOf(record, this.#book.topic))
    this.#look(part)
  }

  #reachedEnd(partition: number, next: Offset): void {
    const part = this.#parts.get(partition)
    part?.log.endAt(Number(next))
    if (part) this.#look(part)
  }

  /** There may be more to lease. */
  #look(part: Part): void {
    const changes = part.fetched(this.#store.clock.wall())
    if (changes.length > 0) void this.put([part], changes)
    this.#turnReader()
    this.#events.changed()
    this.#stir('ready')
  }

  #turnReader(): void {
    if (this.#reader) this.#appetite.look(this.#parts.values(), this.#reader, this.#topic)
  }

  #lostLog(partition: number, why: 'deleted' | 'gone'): void {
    if (why === 'gone') this.#events.lapsed()
    else void this.#reread(partition)
  }

  /** Its records were deleted under us: on from what there is. */
  async #reread(partition: number): Promise<void> {
    const part = this.#parts.get(partition)
    const [bounds] = await this.#store.client.admin.bounds(this.#topic, [partition])
    if (!part || !bounds || this.#parts.get(partition) !== part) return
    part.log.endAt(Number(bounds.start))
    this.#reader?.add(this.#topic, partition, bounds.start)
    this.#look(part)
  }

  #heldChanged(now: KeptHold | undefined, before: KeptHold | undefined): void {
    const row = (now ?? before)?.row
    if (row?.hold.group !== this.#request.group) return
    this.#parts.get(row.partition)?.heldChanged(now, before)
    this.#events.changed()
  }

  /** Somebody else has written where the group stands: a seek, or a new owner. */
  #cursorChanged(group: string, partition: number, now: Kept<CursorRow> | undefined): void {
    const part = this.#parts.get(partition)
    if (group !== this.#request.group || !part || (now && now.epoch <= part.epoch)) return
    void this.#drop([partition])
    if (now?.row.owner === null) void this.#claim(partition)
  }

  #groupChanged(group: string, isGone: boolean): void {
    if (group !== this.#request.group) return
    if (isGone) this.#events.lapsed()
    else this.#events.changed()
  }

  async #revoke(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) this.#assigned.delete(partition)
    const parts = partitions.flatMap((partition) => this.#parts.get(partition) ?? [])
    if (parts.length === 0) return
    await this.#drain(parts)
    this.#writes.flush()
    const left = parts.filter((part) => this.#parts.get(part.partition) === part)
    const released = left.flatMap((part) => part.release())
    this.#forget(left)
    if (released.length > 0) await this.#book.ledger.put(released)
  }

  /** Until the consumer has let them go, its time is over, or the member ends. */
  async #drain(parts: readonly Part[]): Promise<void> {
    const abort = new AbortController()
    this.#drains.add(abort)
    for (const part of parts) part.isDraining = true
    const cancel = this.#store.clock.after(this.#request.drainMs, () => abort.abort())
    const overdue = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()))
    await Promise.race([this.#request.revoke(parts.map(({ partition }) => partition), abort.signal).catch(() => undefined), overdue])
    cancel()
    this.#drains.delete(abort)
  }

  #lose(partitions: readonly number[]): void {
    for (const partition of partitions) this.#assigned.delete(partition)
    void this.#drop(partitions)
  }

  /** They are another's already. */
  async #drop(partitions: readonly number[]): Promise<void> {
    const parts = partitions.flatMap((partition) => this.#parts.get(partition) ?? [])
    this.#forget(parts)
    if (parts.length > 0 && !this.#isOver) await this.#request.revoke(parts.map(({ partition }) => partition), AbortSignal.abort()).catch(() => undefined)
  }

  #forget(parts: readonly Part[]): void {
    for (const part of parts) {
      this.#parts.delete(part.partition)
      this.#reader?.remove(this.#topic, part.partition)
      this.#events.forgotten(part)
    }
  }

  #armCommit(): void {
    this.#stopCommits = this.#store.clock.after(commitEveryMs, () => void this.#commit())
  }

  async #commit(): Promise<void> {
    const moved = [...this.#parts.values()].filter(({ committed, watermark }) => committed !== watermark)
    for (const part of moved) part.committed = part.watermark
    const places = new Map(moved.map(({ partition, watermark }) => [partition, BigInt(watermark)]))
    const unwritten = this.open.filter((part) => part.isUnwritten)
    await Promise.all([places.size > 0 && this.#kafka?.commit(places), this.put(unwritten)])
    if (!this.#isOver) this.#armCommit()
  }

  get #topic(): string {
    return this.#store.names.topic(this.#book.topic)
  }

  #stir(what: 'members' | 'ready'): void {
    this.#store.stir({ what, topic: this.#book.topic, group: this.#request.group })
  }
}
