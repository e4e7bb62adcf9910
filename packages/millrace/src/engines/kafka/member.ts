import { MillraceError } from '../../core/errors.js'
import type { Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Verdict } from '../../engine/engine.js'
import type { Alone } from '../../engine/cursor/alone.js'
import type { Book } from './book.js'
import type { Change } from './ledger.js'
import type { Part, PartOwner, Written } from './part.js'
import { Parts } from './parts.js'
import { Signal } from '../../engine/signal.js'
import type { KafkaStore } from './store.js'

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
      const taken: Delivery[] = []
      const from = this.#collect(taken, max)
      const kept = taken.length > 0 ? await this.#storeLease(taken, from) : await this.#storeWaits()
      const leftMs = until - this.#store.clock.monotonic()
      if (kept.length > 0 || leftMs <= 0 || signal?.aborted) return kept
      if (taken.length === 0) await this.#changed.wait(leftMs, signal)
    }
  }

  async settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    if (this.#isOver) return verdicts.map(() => 'lapsed')
    const changes: Change[] = []
    const parts = new Set<Part>()
    const applied = verdicts.map((verdict) => this.#apply(verdict, changes, parts))
    const answers = await this.#parts.put([...parts], changes)
    const outcomes = applied.map((of, index): Outcome => {
      const answer = of && answers.get(of.by)
      if (!of || answer?.is === 'refused') return 'lapsed'
      return of.part.counted(Number(verdicts[index]?.delivery.message.offset), answer?.is === 'accepted')
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

  /** Takes what may be handed out, and gives the parts that it is of. */
  #collect(out: Delivery[], max: number): readonly Part[] {
    const parts: Part[] = []
    if (this.#running || this.#isPaused) return parts
    const { open } = this.#parts
    const mayRunAlone = this.#alone.isFreeFor(this)
    const from = (this.#turn = (this.#turn + 1) % Math.max(1, open.length))
    for (let index = 0; index < open.length && out.length < max; index += 1) {
      const part = open[(from + index) % open.length]
      if (!part?.cursor || part.isAhead) continue
      const before = out.length
      const isAlone = part.cursor.lease(out, max, mayRunAlone)
      if (out.length > before) parts.push(part)
      if (!isAlone) continue
      this.#running = { part, offset: Number(out[0]?.message.offset) }
      this.#alone.begin(this)
      break
    }
    return parts
  }

  get #isPaused(): boolean {
    return this.#book.groups.get(this.group)?.row.paused === true || this.#store.topics.get(this.#book.topic)?.paused === true
  }

  /** What is handed out is written first, so that whoever comes after us knows what we had. */
  async #storeLease(taken: readonly Delivery[], from: readonly Part[]): Promise<readonly Delivery[]> {
    const answers = await this.#parts.put(from)
    const lost = from.filter((part) => answers.get(part)?.is !== 'accepted' || this.#parts.get(part.partition) !== part)
    if (lost.length === 0) return taken
    for (const part of lost) this.#forgotten(part)
    return taken.filter(({ message: { partition, offset } }) => {
      const part = lost.find((each) => each.partition === partition)
      part?.back(Number(offset))
      return part === undefined
    })
  }

  /** What nobody may have yet is written too: it is out of the log. */
  async #storeWaits(): Promise<readonly Delivery[]> {
    await this.#parts.put(this.#parts.open.filter(({ hasWaits }) => hasWaits))
    return []
  }

  /** What a verdict counts by, once it is written: a record of its own, if it has one. Undefined for one that has lapsed. */
  #apply(verdict: Verdict, changes: Change[], parts: Set<Part>): Written | undefined {
    const { delivery } = verdict
    const part = this.#parts.get(delivery.message.partition)
    const offset = Number(delivery.message.offset)
    if (part?.epoch !== delivery.epoch) return undefined
    if (part.isUnsure(offset)) {
      parts.add(part)
      return part.written
    }
    const made = verdict.is === 'done' ? part.done(offset) : verdict.is === 'back' ? part.back(offset) : part.held(offset, verdict.hold, this.#store.clock.wall())
    if (!made) return undefined
    parts.add(part)
    if (this.#running?.part === part && this.#running.offset === offset) this.#endAlone()
    const [by] = made
    if (!by) return part.written
    changes.push(...made)
    return { part, by }
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
