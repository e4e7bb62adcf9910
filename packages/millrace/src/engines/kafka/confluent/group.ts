import { randomUUID } from 'node:crypto'
import type { Cancel, Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { GroupMember, GroupRequest } from '../port.js'
import { asError, codes } from './codes.js'
import { type CommitOutcome, Commits } from './commits.js'
import { type Base, connect, made } from './link.js'
import { Pump } from './pump.js'
import { groupSettings, type Settings } from './settings.js'
import type { NativeConsumer, NativeError, NativePlace } from './structure.js'
import { told, within } from './wait.js'

/** The log's end, where nothing can be read. */
const logEnd = -1
const longestBeatMs = 250
/** How often the client says how it stands with its group. */
const tellMs = 100
/** So many times in a row, as what it says may be a moment old. */
const toldOften = 2
/** It knows no name of its own yet that it could say goodbye with. */
const nameless = new Set(['init', 'wait-join', 'wait-metadata'])

/** It waits for the cluster's answer. */
const waiting = new Set(['init', 'wait-join', 'wait-metadata', 'wait-sync'])
/** So long beyond two sessions it may: an answer that was lost the client itself waits for as long as the group may wait for a busy member, which is minutes. */
const patienceMs = 20_000

/** How a client stands with its group, in its own words; without its coordinator it is in no group. */
interface Standing {
  readonly hasCoordinator: boolean
  readonly join: string
}

/** A member of a Kafka group that reads nothing, from when it joins until it leaves or is thrown out. */
export class ConfluentMember implements GroupMember {
  readonly #base: Base
  readonly #native: NativeConsumer
  readonly #request: GroupRequest
  readonly #pump: Pump
  readonly #commits: Commits
  /** The group knows it no more, and its client is of no more use: `leave` closes it. */
  readonly #onThrownOut: () => void
  readonly #owned = new Set<number>()
  /** Changes of the assignment, one after another. */
  #tail: Promise<unknown> = Promise.resolve()
  #state: 'member' | 'leaving' | 'dead' | 'thrown out' = 'member'
  #leaving: Promise<void> | undefined
  #death: Cancel | undefined
  /** Told each time the client says how it stands with its group. */
  #onTold: (standing: Standing) => void = () => undefined
  /** Since when it waits for the cluster to have it in the group, by the monotonic clock. */
  #waitsSince: Millis | undefined
  /** What the group asked back of a dead member. */
  #unanswered: readonly NativePlace[] = []

  private constructor(base: Base, native: NativeConsumer, request: GroupRequest, onThrownOut: () => void) {
    this.#base = base
    this.#native = native
    this.#request = request
    this.#onThrownOut = onThrownOut
    this.#pump = new Pump(native, base.clock, 1, { between: (error) => this.#heard(error) })
    this.#commits = new Commits(native, base.clock, request.topic, (partitions) => this.#mayCommit(partitions))
  }

  static async join(base: Base, request: GroupRequest, onThrownOut: () => void): Promise<ConfluentMember> {
    // The client takes its callbacks before there is a member to tell.
    const known: { member?: ConfluentMember } = {}
    const settings = {
      ...groupSettings,
      ...base.settings,
      ...timesOf(request),
      'client.id': request.member,
      'group.id': request.group,
      // A member that was out of reach for a session comes back under this name, and nobody waits for the one that it was. Whoever shares it is thrown out: it is never used again.
      'group.instance.id': randomUUID(),
      queue_non_empty_cb: () => known.member?.ring(),
      rebalance_cb: (error: NativeError | undefined, places: readonly NativePlace[]) => known.member?.rebalance(error?.code, places),
      offset_commit_cb: (error: NativeError | undefined, places: readonly NativePlace[]) => known.member?.committed(error, places),
    }
    const native = made(() => new base.library.KafkaConsumer(settings))
    const joined = new ConfluentMember(base, native, request, onThrownOut)
    known.member = joined
    native.on('event.stats', ({ message }) => joined.#toldStats(message))
    await connect(base, native, () => joined.#close())
    native.subscribe([request.topic])
    joined.ring()
    return joined
  }

  async commit(places: ReadonlyMap<number, Offset>): Promise<CommitOutcome> {
    return this.#mayCommit(places.keys()) ? this.#commits.commit(places) : 'stale'
  }

  leave(): Promise<void> {
    if (this.#state === 'dead') return this.#closeDead()
    this.#leaving ??= this.#state === 'thrown out' ? this.#close() : this.#leave()
    return this.#leaving
  }

  /**
   * The native client cannot end without leaving the group. So the member answers nothing from here on, as a dead one would, and is let go when its
   * session would have ended. In the meantime its heartbeats go on, which nobody can tell from a session that has not run out.
   */
  die(): void {
    if (this.#state !== 'member') return
    this.#state = 'dead'
    this.#owned.clear()
    this.#death = this.#base.clock.after(this.#request.sessionMs, () => void this.#closeDead())
  }

  readonly ring = (): void => {
    this.#pump.ring()
  }

  committed(error: NativeError | undefined, places: readonly NativePlace[]): void {
    this.#commits.ended(error, places)
  }

  rebalance(code: number | undefined, places: readonly NativePlace[]): void {
    if (this.#state === 'dead') {
      if (code === codes.revoke) this.#unanswered = places
      return
    }
    if (code === codes.assign) this.#next(() => this.#assign(places))
    else if (code === codes.revoke) this.#next(() => this.#revoke(places))
    else this.#heard({ code: code ?? 0, message: 'the group could not be balanced' })
  }

  #next(change: () => void | Promise<void>): void {
    this.#tail = this.#tail.then(change).catch((error: unknown) => {
      if (this.#state === 'member') this.#request.trouble(asError(error, 'Kafka group'))
    })
  }

  #assign(places: readonly NativePlace[]): void {
    if (this.#state !== 'member') return
    this.#native.incrementalAssign(places.map(({ topic, partition }) => ({ topic, partition, offset: logEnd })))
    if (places.length === 0) return
    this.#native.pause(places)
    const partitions = partitionsOf(places)
    for (const partition of partitions) this.#owned.add(partition)
    this.#request.assigned(partitions)
  }

  async #revoke(places: readonly NativePlace[]): Promise<void> {
    // While it leaves, `leave` has told already, and the client waits for this only.
    if (this.#state === 'member') await this.#tellRevoked(places)
    if (this.#native.isConnected() || this.#state === 'leaving') this.#native.incrementalUnassign(places)
  }

  async #tellRevoked(places: readonly NativePlace[]): Promise<void> {
    const partitions = partitionsOf(places).filter((partition) => this.#owned.has(partition))
    if (partitions.length === 0) return
    if (this.#native.assignmentLost()) {
      for (const partition of partitions) this.#owned.delete(partition)
      this.#request.lost(partitions)
      return
    }
    await this.#handBack(partitions)
  }

  /** Commits are allowed until `revoked` is done. After the stall's time the group goes on without us. */
  async #handBack(partitions: readonly number[]): Promise<void> {
    try {
      await within(this.#base.clock, this.#request.stallMs, this.#request.revoked(partitions))
    } catch (error) {
      this.#request.trouble(asError(error, 'handing partitions back'))
    }
    for (const partition of partitions) this.#owned.delete(partition)
  }

  async #leave(): Promise<void> {
    await within(this.#base.clock, this.#request.stallMs, this.#tail)
    if (this.#owned.size > 0) await this.#handBack([...this.#owned])
    await this.#unsubscribe()
    this.#state = 'leaving'
    await this.#close()
  }

  /**
   * Leaves the group before the client is closed: a static member that is closed says no goodbye, nor does one that does not know its name yet, and the others would wait for it until
   * its session ends. One without a subscription says it as soon as the rebalance is over.
   */
  async #unsubscribe(): Promise<void> {
    if (!this.#native.isConnected()) return
    await this.#stands(({ join }) => !nameless.has(join))
    if (!this.#native.isConnected()) return
    this.#native.unsubscribe()
    await this.#stands(({ join }) => join === 'init')
  }

  /** Until it stands so with its group, or has none, or a session's time is over. */
  async #stands(isSo: (standing: Standing) => boolean): Promise<void> {
    let times = 0
    const stood = new Promise<void>((resolve) => {
      this.#onTold = (standing) => {
        times = !standing.hasCoordinator || isSo(standing) ? times + 1 : 0
        if (times === toldOften) resolve()
      }
    })
    await within(this.#base.clock, this.#request.sessionMs, stood)
    this.#onTold = () => undefined
  }

  #toldStats(text: string): void {
    const { state, join = '' } = /"cgrp":\s*\{\s*"state":\s*"(?<state>[^"]*)".*?"join_state":\s*"(?<join>[^"]*)"/s.exec(text)?.groups ?? {}
    this.#onTold({ hasCoordinator: state === 'up', join })
    this.#watch(state === 'up' && waiting.has(join))
  }

  #watch(isWaiting: boolean): void {
    const now = this.#base.clock.monotonic()
    if (isWaiting) this.#waitsSince ??= now
    else this.#waitsSince = undefined
    const waitedMs = now - (this.#waitsSince ?? now)
    if (this.#state !== 'member' || this.#leaving !== undefined || waitedMs < 2 * this.#request.sessionMs + patienceMs) return
    this.#request.trouble(new MillraceError('TIMEOUT', `the Kafka group has not answered for ${Math.round(waitedMs)} ms: it is joined anew`))
    this.#thrownOut()
  }

  async #closeDead(): Promise<void> {
    this.#death?.()
    this.#leaving ??= this.#leaveDead()
    await this.#leaving
  }

  async #leaveDead(): Promise<void> {
    this.#state = 'leaving'
    if (this.#unanswered.length > 0 && this.#native.isConnected()) this.#native.incrementalUnassign(this.#unanswered)
    await this.#unsubscribe()
    await this.#close()
  }

  /** The client's goodbye serves its own rebalance, for which `rebalance` answers. */
  async #close(): Promise<void> {
    const ended = this.#pump.stop().then(() => (this.#native.isConnected() ? told((answer) => this.#native.disconnect(() => answer(null))) : undefined))
    await within(this.#base.clock, this.#base.closeMs, ended)
  }

  #mayCommit(partitions: Iterable<number>): boolean {
    if (this.#state !== 'member' || !this.#native.isConnected()) return false
    for (const partition of partitions) if (!this.#owned.has(partition)) return false
    return true
  }

  #heard(error: NativeError | undefined): void {
    if (error === undefined || this.#state !== 'member') return
    this.#request.trouble(asError(error, 'Kafka group'))
    if (error.code === codes.fatal) this.#thrownOut()
  }

  /** Nothing comes from the client any more, and nobody is told by it what became of the partitions. */
  #thrownOut(): void {
    this.#state = 'thrown out'
    const partitions = [...this.#owned]
    this.#owned.clear()
    if (partitions.length > 0) this.#request.lost(partitions)
    this.#onThrownOut()
  }
}

/** A heartbeat's answer is how a member learns of a rebalance, so that there are many in a session. The broker asks that a stall is not shorter than a session. */
function timesOf({ sessionMs, stallMs }: GroupRequest): Settings {
  return { 'statistics.interval.ms': tellMs, 'session.timeout.ms': sessionMs, 'heartbeat.interval.ms': Math.min(longestBeatMs, Math.ceil(sessionMs / 3)), 'max.poll.interval.ms': Math.max(stallMs, sessionMs) }
}

function partitionsOf(places: readonly NativePlace[]): readonly number[] {
  return places.map(({ partition }) => partition)
}
