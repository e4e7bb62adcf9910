import { asMillraceError } from '../../core/errors.js'
import type { Millis } from '../../core/clock.js'
import { limits } from '../../core/limits.js'
import { assign } from '../../engine/assign.js'
import type { JoinRequest } from '../../engine/engine.js'
import type { Committed } from './commits.js'
import { decodeCursor } from './cursor-row.js'
import { Owned } from './owned.js'
import type { Part, PartOwner } from './part.js'
import type { Parts, PartsEvents } from './parts.js'
import type { Beating, Pulse } from './pulse.js'
import { type Look, Roster, type SeenCursor } from './roster.js'
import { claim } from './scripts/claim.js'
import type { RedisStore } from './store.js'

export interface SharedPartsEvents extends PartsEvents {
  /** The group has no cursor in a partition that was added, or that was lost: resolves when there is one in each. */
  missing(): Promise<void>
  /** Beats from a thread of its own. */
  readonly pulse?: Pulse | undefined
}

/** The partitions of a member that shares them with others of its group: who lives and owns what is in the store, and each member draws its own conclusions. */
export class SharedParts implements Parts {
  readonly #store: RedisStore
  readonly #request: JoinRequest
  readonly #topicId: string
  readonly #owner: PartOwner
  readonly #events: SharedPartsEvents
  readonly #roster: Roster
  readonly #owned = new Map<number, Owned>()
  readonly #claiming = new Set<number>()
  readonly #drains = new Set<AbortController>()
  #stopHearing: () => void = () => undefined
  #isPaused = false
  #isOver = false
  #looking: Promise<void> | undefined
  #nextLook: Promise<void> | undefined
  /** When the last look that was answered was asked for, by the monotonic clock. */
  #beatAt: Millis
  #stopTimer: () => void = () => undefined
  /** What beats while this thread is busy. */
  #beating: Beating | undefined

  constructor(store: RedisStore, topicId: string, request: JoinRequest, owner: PartOwner, events: SharedPartsEvents) {
    this.#store = store
    this.#topicId = topicId
    this.#request = request
    this.#owner = owner
    this.#events = events
    this.#roster = new Roster(store, request)
    this.#beatAt = store.clock.monotonic()
  }

  async start(): Promise<void> {
    const { topic, group } = this.#request
    this.#stopHearing = this.#store.hear(this.#store.names.topic(topic).channel, {
      heard: (text) => {
        const [what, of] = text.split(' ')
        if ((what === 'members' || what === 'paused') && (of === undefined || of === group)) void this.look()
      },
      missed: () => void this.look(),
    })
    await this.#look(true)
    const { member, leaseMs, stallMs } = this.#request
    if (!this.#isOver) this.#beating = this.#events.pulse?.begin({ beats: this.#store.names.topic(topic).beats(group), member, leaseMs, stallMs })
    this.#stirMembers()
    this.#arm()
    // Only then may this thread be busy. One that cannot beat is no reason to wait for ever.
    await Promise.race([this.#beating?.begun, new Promise<void>((resolve) => this.#store.clock.after(leaseMs, resolve))])
  }

  /** Not one that is being let go of: what was in hand there is handed back, also what is on its way to the holder. */
  get(partition: number): Part | undefined {
    const owned = this.#owned.get(partition)
    return owned?.isReleasing ? undefined : owned?.part
  }

  get open(): readonly Part[] {
    return [...this.#owned.values()].flatMap(({ part }) => (part.isOpen ? [part] : []))
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  get isSilent(): boolean {
    return this.#silentMs >= this.#request.leaseMs
  }

  /** Since the last beat was asked for that was answered. */
  get #silentMs(): Millis {
    return this.#store.clock.monotonic() - Math.max(this.#beatAt, this.#beating?.beatAt ?? 0)
  }

  commit(part: Part, verdicts: boolean): Promise<Committed> {
    const owned = this.#owned.get(part.partition)
    return owned?.part === part ? owned.commits.add(verdicts) : Promise.resolve('lapsed')
  }

  taken(part: Part): void {
    const owned = this.#owned.get(part.partition)
    if (owned?.part === part) owned.feed.pump()
  }

  /** Resolves when a look that began after the call has ended. */
  look(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    if (this.#looking) {
      this.#nextLook ??= this.#looking.then(() => {
        this.#nextLook = undefined
        return this.look()
      })
      return this.#nextLook
    }
    this.#looking = this.#look(false)
      .catch((error: unknown) => this.#report(error, 'looking who shares the partitions'))
      .finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async leave(): Promise<void> {
    this.#end()
    const all = [...this.#owned.values()]
    await Promise.all(all.map((owned) => owned.release()))
    for (const owned of all) this.#forget(owned)
    await this.#roster.leave()
    this.#stirMembers()
  }

  async lapse(): Promise<void> {
    const all = [...this.#owned.values()]
    this.#end()
    await this.#drop(all)
    // It may be that only we think so.
    await this.#roster.leave().catch(() => undefined)
    this.#stirMembers()
  }

  die(): void {
    this.#end()
    for (const owned of this.#owned.values()) owned.stop()
    this.#owned.clear()
  }

  #end(): void {
    this.#isOver = true
    this.#stopTimer()
    this.#beating?.stop()
    this.#stopHearing()
    for (const drain of this.#drains) drain.abort()
  }

  #arm(): void {
    if (this.#isOver) return
    const everyMs = Math.min(limits.safetyLookMs, this.#request.leaseMs / 3)
    this.#stopTimer = this.#store.clock.after(everyMs, () => {
      if (this.isSilent) this.#events.lapsed()
      else void this.look()
      this.#arm()
    })
  }

  async #look(isNew: boolean): Promise<void> {
    const topic = this.#store.topics.get(this.#request.topic)
    if (topic?.id !== this.#topicId) return this.#events.lapsed()
    const askedAt = this.#store.clock.monotonic()
    const after = Array.from({ length: topic.partitions }, (_, partition) => this.#owned.get(partition)?.feed.after)
    const look = await this.#roster.look(after, isNew ? undefined : this.#silentMs)
    if (this.#isOver) return
    if (!look.isAlive || look.group === 'removed') return this.#events.lapsed()
    this.#beatAt = askedAt
    if (look.group === 'lost') this.#store.registry.look()
    const wasPaused = this.#isPaused
    this.#isPaused = look.group === 'paused' || topic.paused
    if (wasPaused && !this.#isPaused) this.#events.changed()
    this.#compare(look, askedAt)
    // What is lost is put back before anything is claimed.
    if (look.group !== 'lost') await this.#move(look)
  }

  /** With what the server has of ours. */
  #compare({ cursors }: Look, askedAt: Millis): void {
    const lost: Owned[] = []
    for (const [partition, owned] of this.#owned) {
      const seen = cursors[partition]
      if (!seen) continue
      const epoch = Number(seen.epoch)
      const { part } = owned
      const isOurs = epoch === part.epoch && seen.membership === this.#owner.membership
      if (isOurs) owned.look(seen.isMore, seen.hasNews)
      // One that we have claimed, or let go, while the look was under way looks as it was.
      else if (owned.since < askedAt && !owned.isReleasing) lost.push(owned)
    }
    void this.#drop(lost)
  }

  async #move({ members, cursors }: Look): Promise<void> {
    const me = this.#owner.name
    const { claim: wanted, drain } = assign(me, { members, owners: cursors.map((seen, partition) => this.#ownerOf(seen, partition)) })
    const draining = this.#leastMissed(drain.length)
    if (draining.length > 0) void this.#drain(draining).catch((error: unknown) => this.#report(error, 'letting go of partitions'))
    await Promise.all(wanted.map((partition) => this.#claim(partition, cursors[partition]?.epoch ?? '')))
    const isFreed = await this.#roster.freeLost(cursors, this.#owner.membership, (partition) => this.#owned.has(partition) || wanted.includes(partition))
    if (isFreed) this.#stirMembers()
  }

  /** Of so many that are to go, those that do not go yet: those with nothing to do first, then those that have been here longest, so that none moves all the time. */
  #leastMissed(count: number): readonly Owned[] {
    const all = [...this.#owned.values()]
    const staying = all.filter(({ part }) => !part.isDraining)
    const todo = ({ part }: Owned): number => (part.cursor ? part.cursor.leased + part.cursor.ready : 0)
    return staying.sort((one, other) => todo(one) - todo(other) || one.since - other.since).slice(0, Math.max(0, count - (all.length - staying.length)))
  }

  /** A partition that is ours there and not here was lost on the way; under our name it can only be one's who had it before. */
  #ownerOf({ owner }: SeenCursor, partition: number): string | null {
    const me = this.#owner.name
    if (this.#owned.has(partition) || this.#claiming.has(partition)) return me
    return owner === me ? null : owner
  }

  async #claim(partition: number, epoch: string): Promise<void> {
    const { name, membership, group } = this.#owner
    this.#claiming.add(partition)
    try {
      if (epoch === '') await this.#events.missing()
      const reply = await this.#store.run(claim, [this.#store.part(this.#request.topic, partition).log], [this.#topicId, group, name, membership, epoch])
      const row = Array.isArray(reply) && Array.isArray(reply[1]) ? decodeCursor(reply[1]) : undefined
      if (row) this.#begin(new Owned(this.#store, this.#request.topic, this.#owner, { partition, row }, { changed: () => this.#events.changed(), lapsed: (owned) => void this.#drop([owned]) }))
      else if (Array.isArray(reply)) void this.look()
      else this.#store.registry.look()
    } catch (error) {
      this.#report(error, `claiming partition ${partition}`)
    } finally {
      this.#claiming.delete(partition)
    }
  }

  #begin(owned: Owned): void {
    if (this.#isOver) {
      owned.release().catch((error: unknown) => this.#report(error, 'letting go of a partition'))
      return
    }
    this.#owned.set(owned.part.partition, owned)
    owned.load().catch((error: unknown) => {
      this.#report(error, `reading partition ${owned.part.partition}`)
      void this.#drop([owned])
    })
    this.#store.stir({ what: 'ready', topic: this.#request.topic, group: this.#request.group })
  }

  /** Until the consumer has let them go, its time is over, or the member ends; then they are anybody's. */
  async #drain(all: readonly Owned[]): Promise<void> {
    const abort = new AbortController()
    this.#drains.add(abort)
    for (const { part } of all) part.isDraining = true
    const cancel = this.#store.clock.after(this.#request.drainMs, () => abort.abort())
    const overdue = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()))
    await Promise.race([this.#request.revoke(all.map(({ part }) => part.partition), abort.signal).catch(() => undefined), overdue])
    cancel()
    this.#drains.delete(abort)
    if (this.#isOver) return
    const left = all.filter((owned) => this.#isHere(owned))
    await Promise.all(left.map((owned) => owned.release()))
    for (const owned of left) this.#forget(owned)
    this.#stirMembers()
    void this.look()
  }

  /** They are another's already. */
  async #drop(all: readonly Owned[]): Promise<void> {
    const lost = all.filter((owned) => this.#isHere(owned))
    if (lost.length === 0) return
    for (const owned of lost) this.#forget(owned)
    void this.look()
    await this.#request.revoke(lost.map(({ part }) => part.partition), AbortSignal.abort()).catch(() => undefined)
  }

  #isHere(owned: Owned): boolean {
    return this.#owned.get(owned.part.partition) === owned
  }

  #forget(owned: Owned): void {
    if (!this.#isHere(owned)) return
    this.#owned.delete(owned.part.partition)
    owned.stop()
    this.#events.forgotten(owned.part)
  }

  #report(error: unknown, what: string): void {
    const { topic, group } = this.#request
    if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `${what} of group ${group} of topic ${topic}`))
  }

  #stirMembers(): void {
    const { topic, group } = this.#request
    this.#store.stirAll(topic, { what: 'members', group })
  }
}
