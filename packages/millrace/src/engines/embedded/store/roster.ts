import type { Clock } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { JoinRequest } from '../../../engine/engine.js'
import { startBroadcast } from './broadcast.js'
import * as groups from './groups.js'
import { runsAlone } from './lease.js'
import { Member } from './member.js'
import * as memberRows from './member-rows.js'
import * as members from './members.js'
import type { Txn } from './txn.js'

/** Looks in the time of a lease: two that come late, one after another, do not end it. */
const looksOfLease = 4
/** Twice as many as looks, so that each look beats. */
const beatsOfLease = 2 * looksOfLease

/** What the roster tells of its members. */
export interface RosterEvents {
  revoke(member: number, partitions: readonly number[]): void
  lost(member: number, partitions: readonly number[]): void
  /** Their time to drain is over. */
  overdue(member: number, partitions: readonly number[]): void
}

/** The memberships of this instance: they beat, notice who died, take free partitions and give surplus ones away. */
export class Roster {
  readonly #members = new Map<number, Member>()
  /** Joined in the commit that is being written. */
  #joining: number[] = []
  readonly #clock: Clock
  readonly #events: RosterEvents
  /** Monotonic time of the application thread's last sign of life. */
  readonly #alive: () => number
  #handles = 0

  constructor(clock: Clock, alive: () => number, events: RosterEvents) {
    this.#clock = clock
    this.#alive = alive
    this.#events = events
  }

  get all(): Iterable<Member> {
    return this.#members.values()
  }

  join(txn: Txn, request: Omit<JoinRequest, 'revoke'>): number {
    const topic = groups.topicRow(txn, request.topic)
    const handle = (this.#handles += 1)
    this.#joining.push(handle)
    if (request.mode === 'broadcast') {
      const member = new Member(handle, request, { topic, group: { number: 0, name: request.group, createdAt: 0, paused: false } })
      startBroadcast(txn, member, { topic, group: { number: 0, name: request.group, createdAt: 0, paused: false } })
      this.#members.set(handle, member)
      return handle
    }
    const of = { topic, group: groups.create(txn, topic, request.group, request.from).row }
    if (memberRows.isMember(txn, of, request.member)) {
      throw new MillraceError('INVALID', `member ${request.member} is in group ${request.group} already: give each member a name of its own`, { field: 'member' })
    }
    memberRows.beat(txn, of, request.member, request.leaseMs)
    const member = new Member(handle, request, of)
    member.lastBeat = txn.monotonic
    this.#members.set(handle, member)
    this.#look(txn, member)
    txn.stir('members', request.topic, request.group)
    return handle
  }

  committed(): void {
    this.#joining = []
  }

  /** The commit was not written: nobody joined, nor has anyone beaten. */
  undone(): void {
    for (const member of this.#members.values()) member.lastBeat = -Infinity
    for (const handle of this.#joining) this.#members.delete(handle)
    this.#joining = []
  }

  find(handle: number): Member | undefined {
    return this.#members.get(handle)
  }

  get(handle: number): Member {
    const member = this.#members.get(handle)
    if (!member) throw new MillraceError('LAPSED', 'this membership has left its group: join again')
    return member
  }

  leave(txn: Txn, handle: number): void {
    const member = this.#members.get(handle)
    const of = member?.of(txn)
    this.#members.delete(handle)
    if (!member || !of || member.broadcast || member.lapsed) return
    for (const cancel of member.draining.values()) cancel()
    for (const { owner, partition } of groups.cursors(txn, of.topic, of.group)) {
      if (owner === member.id) members.release(txn, of, member.id, partition)
    }
    memberRows.removeMember(txn, of, member.id)
    txn.stir('ready', member.request.topic, member.request.group)
  }

  /** A drained partition goes to whoever it is meant for. */
  released(txn: Txn, handle: number, partitions: readonly number[]): void {
    const member = this.#members.get(handle)
    const of = member?.of(txn)
    if (!member || !of) return
    for (const partition of partitions) {
      if (!member.draining.has(partition)) continue
      member.draining.get(partition)?.()
      member.draining.delete(partition)
      members.release(txn, of, member.id, partition)
    }
    member.owned = member.owned.filter((partition) => !partitions.includes(partition))
  }

  /** In every commit, for the beats that are owed: a member that commits is alive, however late its looks are. */
  beat(txn: Txn): void {
    for (const member of this.#members.values()) this.#beat(txn, member)
  }

  /** One look at all memberships. */
  look(txn: Txn): void {
    for (const member of this.#members.values()) this.#look(txn, member)
  }

  /** How long until the next look is owed. */
  lookEveryMs(longest: number): number {
    return Math.min(longest, ...[...this.#members.values()].map(({ request }) => request.leaseMs / looksOfLease))
  }

  /** Whether some other member of this instance runs a suspect. */
  isAloneFree(txn: Txn, asking: Member): boolean {
    return [...this.#members.values()].every((member) => {
      const of = member === asking || member.broadcast ? undefined : member.of(txn)
      return !of || !groups.cursors(txn, of.topic, of.group).some((cursor) => cursor.owner === member.id && runsAlone(cursor))
    })
  }

  #look(txn: Txn, member: Member): void {
    if (member.lapsed) return
    const of = member.of(txn)
    if (!of || (!member.broadcast && !memberRows.isMember(txn, of, member.id))) return this.#lapse(member)
    if (member.broadcast) return
    for (const { id } of memberRows.dead(txn, of)) if (id !== member.id) members.bury(txn, of, id, member.request.maxDeliveries)
    const { claim, drain } = members.plan(txn, of, member.id)
    for (const partition of claim) members.claim(txn, of, member.id, partition)
    if (claim.length > 0) txn.stir('ready', member.request.topic, member.request.group)
    this.#drain(member, drain)
    member.owned = groups.cursors(txn, of.topic, of.group).filter(({ owner }) => owner === member.id).map(({ partition }) => partition)
  }

  /** Beats while the application's thread gives signs of life, or has not been silent for longer than a handler may take. */
  #beat(txn: Txn, member: Member): void {
    const { leaseMs, stallMs } = member.request
    if (txn.monotonic - member.lastBeat < leaseMs / beatsOfLease || txn.monotonic - this.#alive() > stallMs) return
    const of = member.lapsed || member.broadcast ? undefined : member.of(txn)
    if (!of || !memberRows.isMember(txn, of, member.id)) return
    memberRows.beat(txn, of, member.id, leaseMs)
    member.lastBeat = txn.monotonic
  }

  #drain(member: Member, partitions: readonly number[]): void {
    const fresh = partitions.filter((partition) => !member.draining.has(partition))
    if (fresh.length === 0) return
    const cancel = this.#clock.after(member.request.drainMs, () => this.#events.overdue(member.handle, fresh))
    for (const partition of fresh) member.draining.set(partition, cancel)
    this.#events.revoke(member.handle, fresh)
  }

  #lapse(member: Member): void {
    member.lapsed = true
    for (const cancel of member.draining.values()) cancel()
    this.#events.lost(member.handle, member.owned)
  }
}
