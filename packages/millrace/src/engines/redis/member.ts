import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../core/errors.js'
import type { Alone } from '../../engine/cursor/alone.js'
import type { Delivery, JoinRequest, LeaseRequest, Membership, Outcome, Verdict } from '../../engine/engine.js'
import { Signal } from '../../engine/signal.js'
import { BroadcastParts } from './broadcast-parts.js'
import type { Committed } from './commits.js'
import type { Part, PartOwner } from './part.js'
import type { Parts } from './parts.js'
import type { Pulse } from './pulse.js'
import { SharedParts } from './shared-parts.js'
import type { RedisStore } from './store.js'

/** What a member has around it. */
export interface MemberWorld {
  readonly alone: Alone
  /** It is no member any more. */
  over(member: RedisMember): void
  /** Makes the group's cursors where there are none. */
  missing(): Promise<void>
  /** Beats while the application's thread is busy. */
  readonly pulse: Pulse | undefined
}

/** A member of a group, as its holder calls it. What it hands out and what it takes is written before it answers. */
export class RedisMember implements Membership, PartOwner {
  readonly membership = randomUUID()
  readonly topic: string
  readonly #store: RedisStore
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

  private constructor(store: RedisStore, topicId: string, request: JoinRequest, { alone, over, missing, pulse }: MemberWorld) {
    this.topic = request.topic
    this.#store = store
    this.#request = request
    this.#alone = alone
    this.#onOver = () => over(this)
    this.#changed = new Signal(store.clock)
    this.#unwatchAlone = alone.whenFree(() => this.wakeSoon())
    const events = { changed: () => this.wakeSoon(), forgotten: (part: Part) => this.#forgotten(part), lapsed: () => this.#lapse(), missing, pulse }
    this.#parts = request.mode === 'broadcast' ? new BroadcastParts(store, topicId, request, this, events) : new SharedParts(store, topicId, request, this, events)
  }

  /** The group has to be there. */
  static async join(store: RedisStore, topicId: string, request: JoinRequest, world: MemberWorld): Promise<RedisMember> {
    const member = new RedisMember(store, topicId, request, world)
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
      if (this.#parts.isSilent) this.#lapse()
      this.#checkAlive()
      const taken = this.#collect(max)
      const kept = taken.length > 0 ? await this.#storeLease(taken) : this.#storeWaits()
      const leftMs = until - this.#store.clock.monotonic()
      if (kept.length > 0 || leftMs <= 0 || signal?.aborted) return kept
      if (taken.length === 0) await this.#changed.wait(leftMs, signal)
    }
  }

  async settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    if (this.#isOver) return verdicts.map(() => 'lapsed')
    if (this.#request.mode === 'broadcast') verdicts.forEach(refuseForBroadcast)
    const applied = verdicts.map((verdict) => this.#apply(verdict))
    const answers = await this.#commit(applied, true)
    this.#store.passed(this.topic)
    const outcomes = applied.map((part, index): Outcome => {
      const answer = part && answers.get(part)
      if (!part || answer === undefined || answer === 'lapsed') return 'lapsed'
      const offset = Number(verdicts[index]?.delivery.message.offset)
      if (answer === 'stored') part.unsure.delete(offset)
      else part.unsure.add(offset)
      return answer === 'stored' ? 'settled' : 'unknown'
    })
    this.wakeSoon()
    return outcomes
  }

  async leave(): Promise<void> {
    if (this.#isOver) return
    this.#end()
    await this.#parts.leave()
  }

  /** The topic was altered or removed, or its groups. */
  async look(): Promise<void> {
    if (!this.#isOver) await this.#parts.look()
  }

  /** As the member of a process that was killed. */
  die(): void {
    this.#end()
    this.#parts.die()
  }

  wakeSoon(): void {
    this.#changed.tell()
  }

  /** What the cursor of a part has lost its part has lost before. */
  lost(): void {
    // Parts tell by themselves.
  }

  #collect(max: number): Delivery[] {
    const out: Delivery[] = []
    if (this.#running || this.#parts.isPaused) return out
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
    // One that comes again, as after a retry of which nobody knew, has no verdict yet.
    for (const { message } of out) this.#parts.get(message.partition)?.unsure.delete(Number(message.offset))
    return out
  }

  /** What is handed out is written first, so that whoever comes after us knows what we had. */
  async #storeLease(taken: readonly Delivery[]): Promise<readonly Delivery[]> {
    const parts = taken.map(({ message: { partition } }) => this.#parts.get(partition))
    const answers = await this.#commit(parts, false)
    for (const part of answers.keys()) this.#parts.taken(part)
    return taken.filter((delivery, index) => {
      const part = parts[index]
      const isOurs = part !== undefined && answers.get(part) === 'stored' && this.#parts.get(part.partition) === part
      if (!isOurs) part?.back(Number(delivery.message.offset))
      if (!isOurs && part) this.#forgotten(part)
      return isOurs && !part.passOver(Number(delivery.message.offset))
    })
  }

  /** What nobody may have yet is written too: it is out of the log. */
  #storeWaits(): readonly Delivery[] {
    for (const part of this.#parts.open) {
      if (part.hasChanges) void this.#parts.commit(part, false)
      this.#parts.taken(part)
    }
    return []
  }

  async #commit(parts: readonly (Part | undefined)[], verdicts: boolean): Promise<ReadonlyMap<Part, Committed>> {
    const all = [...new Set(parts)].filter((part) => part !== undefined)
    const answers = await Promise.all(all.map((part) => this.#parts.commit(part, verdicts)))
    return new Map(all.map((part, index) => [part, answers[index] ?? 'lapsed']))
  }

  /** The part of a verdict that counts once it is written. */
  #apply(verdict: Verdict): Part | undefined {
    const { delivery } = verdict
    const part = this.#parts.get(delivery.message.partition)
    const offset = Number(delivery.message.offset)
    if (part?.epoch !== delivery.epoch) return undefined
    if (part.unsure.has(offset)) return part
    const isTaken = verdict.is === 'done' ? part.done(offset) : verdict.is === 'back' ? part.back(offset) : part.held(offset, verdict.hold, this.#store.clock.wall())
    if (!isTaken) return undefined
    if (this.#running?.part === part && this.#running.offset === offset) this.#endAlone()
    return part
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
    if (this.#isOver) throw new MillraceError('LAPSED', `member ${this.name} is not in group ${this.group} of topic ${this.topic} any more: join again`)
  }
}

function refuseForBroadcast(verdict: Verdict): void {
  if (verdict.is !== 'hold' || verdict.hold.why === 'dead') return
  throw new MillraceError('UNSUPPORTED', `a broadcast member cannot hold a message as ${verdict.hold.why}: nobody would get it afterwards`, { field: 'hold' })
}
