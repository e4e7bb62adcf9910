import { MillraceError } from '../../core/errors.js'
import type { Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Verdict } from '../../engine/engine.js'
import type { Alone } from './alone.js'
import type { Book } from './book.js'
import type { Change } from './ledger.js'
import type { Part, PartOwner } from './part.js'
import { Parts } from './parts.js'
import { Signal } from './signal.js'
import type { KafkaStore } from './store.js'

interface Applied {
  readonly part?: Part
  readonly own?: Change
}

/** A member of a group, as its holder calls it. What it hands out and what it takes is written before it answers. */
export class KafkaMember implements Membership, PartOwner {
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #request: JoinRequest
  readonly #alone: Alone
  readonly #onOver: () => void
  readonly #parts: Parts
  readonly #changed: Signal
  readonly #unwatchAlone: () => void
  /** The message that runs alone. */
  #running: { readonly part: Part; readonly offset: number } | undefined
  #isOver = false
  #turn = 0

  private constructor(store: KafkaStore, book: Book, request: JoinRequest, alone: Alone, onOver: () => void) {
    this.#store = store
    this.#book = book
    this.#request = request
    this.#alone = alone
    this.#onOver = onOver
    this.#changed = new Signal(store.clock)
    this.#unwatchAlone = alone.whenFree(() => this.wakeSoon())
    this.#parts = new Parts(store, book, request, this, {
      changed: () => this.wakeSoon(),
      forgotten: (part) => this.#forgotten(part),
      lapsed: () => this.#lapse(),
    })
  }

  /** The group has to be there. */
  static async join(store: KafkaStore, book: Book, request: JoinRequest, alone: Alone, onOver: () => void): Promise<KafkaMember> {
    const member = new KafkaMember(store, book, request, alone, onOver)
    await member.#parts.start()
    return member
  }

  get name(): string {
    return this.#request.member
  }

  get group(): string {
    return this.#request.group
  }

  get park(): boolean {
    return this.#request.park
  }

  get maxDeliveries(): number {
    return this.#request.maxDeliveries
  }

  async lease({ max, waitMs, signal }: LeaseRequest): Promise<readonly Delivery[]> {
    const until = this.#store.clock.monotonic() + waitMs
    for (;;) {
      this.#checkAlive()
      const taken = this.#collect(max)
      const kept = taken.length > 0 ? await this.#storeLease(taken) : await this.#storeWaits()
      const leftMs = until - this.#store.clock.monotonic()
      if (kept.length > 0 || leftMs <= 0 || signal?.aborted) return kept
      if (taken.length === 0) await this.#changed.wait(leftMs, signal)
    }
  }

  async settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    if (this.#isOver) return verdicts.map(() => 'lapsed')
    const changes: Change[] = []
    const applied = verdicts.map((verdict) => this.#apply(verdict, changes))
    const answers = await this.#parts.put([...new Set(applied.flatMap(({ part }) => part ?? []))], changes)
    const outcomes = applied.map(({ part, own }, index): Outcome => {
      const answer = part && answers.get(own ?? part)
      const offset = Number(verdicts[index]?.delivery.message.offset)
      if (!part || answer?.is === 'refused') return 'lapsed'
      if (answer?.is === 'accepted') part.unsure.delete(offset)
      else part.unsure.add(offset)
      return answer?.is === 'accepted' ? 'settled' : 'unknown'
    })
    this.wakeSoon()
    return outcomes
  }

  async leave(): Promise<void> {
    if (this.#isOver) return
    this.#end()
    await this.#parts.leave()
    this.#store.stir({ what: 'members', topic: this.#book.topic, group: this.group })
    this.#store.stir({ what: 'ready', topic: this.#book.topic, group: this.group })
  }

  /** As the member of a process that was killed. */
  die(): void {
    this.#end()
    this.#parts.die()
  }

  lost(): void {
    // Parts tell of it: a cursor is lost with its part.
  }

  wakeSoon(): void {
    this.#changed.tell()
  }

  #collect(max: number): Delivery[] {
    const out: Delivery[] = []
    if (this.#running || this.#isPaused) return out
    const { open } = this.#parts
    const mayRunAlone = this.#alone.isFreeFor(this)
    const from = (this.#turn = (this.#turn + 1) % Math.max(1, open.length))
    for (let index = 0; index < open.length && out.length < max; index += 1) {
      const part = open[(from + index) % open.length]
      if (!part?.cursor || part.isAhead || !part.cursor.lease(out, max, mayRunAlone)) continue
      this.#running = { part, offset: Number(out[0]?.message.offset) }
      this.#alone.begin(this)
      break
    }
    return out
  }

  get #isPaused(): boolean {
    return this.#book.groups.get(this.group)?.row.paused === true || this.#store.topics.get(this.#book.topic)?.paused === true
  }

  /** What is handed out is written first, so that whoever comes after us knows what we had. */
  async #storeLease(taken: readonly Delivery[]): Promise<readonly Delivery[]> {
    const partOf = new Map(taken.map(({ message: { partition } }) => [partition, this.#parts.get(partition)]))
    const answers = await this.#parts.put([...partOf.values()].filter((part) => part !== undefined))
    return taken.filter((delivery) => {
      const part = partOf.get(delivery.message.partition)
      const isOurs = part !== undefined && answers.get(part)?.is === 'accepted' && this.#parts.get(part.partition) === part
      if (!isOurs) part?.back(Number(delivery.message.offset))
      if (!isOurs && part) this.#forgotten(part)
      return isOurs
    })
  }

  /** What nobody may have yet is written too: it is out of the log. */
  async #storeWaits(): Promise<readonly Delivery[]> {
    await this.#parts.put(this.#parts.open.filter(({ hasWaits }) => hasWaits))
    return []
  }

  /** The part of a verdict that counts, once it is written. */
  /** A verdict with a record of its own counts when that one was stored. */
  #apply(verdict: Verdict, changes: Change[]): Applied {
    const { delivery } = verdict
    const part = this.#parts.get(delivery.message.partition)
    const offset = Number(delivery.message.offset)
    if (part?.epoch !== delivery.epoch) return {}
    if (part.unsure.has(offset)) return { part }
    const made = verdict.is === 'done' ? part.done(offset) : verdict.is === 'back' ? part.back(offset) : part.held(offset, verdict.hold, this.#store.clock.wall())
    if (!made) return {}
    changes.push(...made)
    if (this.#running?.part === part && this.#running.offset === offset) this.#endAlone()
    const [own] = made
    return own ? { part, own } : { part }
  }

  #forgotten(part: Part): void {
    if (this.#running?.part === part) this.#endAlone()
  }

  #endAlone(): void {
    this.#running = undefined
    this.#alone.end(this)
  }

  #lapse(): void {
    if (this.#isOver) return
    this.#end()
    void this.#parts.lapse()
  }

  #end(): void {
    this.#isOver = true
    this.#unwatchAlone()
    this.#endAlone()
    this.#changed.tell()
    this.#onOver()
  }

  #checkAlive(): void {
    if (this.#isOver) throw new MillraceError('LAPSED', `member ${this.name} is not in group ${this.group} of topic ${this.#book.topic} any more: join again`)
  }
}
