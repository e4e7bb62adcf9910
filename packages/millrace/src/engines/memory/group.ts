import type { Millis } from '../../core/clock.js'
import { groupHold, type Hold } from '../../core/hold.js'
import { assign } from '../../engine/assign.js'
import type { StartAt } from '../../engine/engine.js'
import type { Redelivery } from '../../engine/cursor/again.js'
import { GroupCursor } from '../../engine/cursor/group-cursor.js'
import { noHolds } from './held-record.js'
import type { Member } from './member.js'
import type { PartitionLog } from './partition-log.js'
import type { TopicState } from './topic-state.js'

/** A group of a topic: a cursor for each partition, and the members that share them. */
export class Group {
  readonly topic: TopicState
  readonly name: string
  readonly cursors: GroupCursor[] = []
  readonly members = new Map<string, Member>()
  readonly counts = noHolds()
  isPaused = false
  /** It has had no member for so long that it pins nothing. */
  isIdle = false
  settled = 0
  purged = 0
  /** By the monotonic clock; undefined while it has members. */
  idleSince: Millis | undefined
  #isRebalancing = false

  constructor(topic: TopicState, name: string, from: StartAt, monotonic: Millis) {
    this.topic = topic
    this.name = name
    this.idleSince = monotonic
    for (const log of topic.logs) this.addPartition(log, from)
  }

  get isStopped(): boolean {
    return this.isPaused || this.topic.meta.paused
  }

  addPartition(log: PartitionLog, from: StartAt): void {
    this.cursors.push(new GroupCursor(log, from === 'start' ? log.start : log.end))
  }

  enter(member: Member): void {
    const silent = this.members.get(member.id)
    if (silent) this.expel(silent)
    this.expelSilent(member.beatAt)
    this.members.set(member.id, member)
    this.idleSince = undefined
    this.isIdle = false
    this.rebalance()
    this.stirMembers()
  }

  /** A member goes and hands back what it has. */
  leave(member: Member, monotonic: Millis): void {
    if (this.members.get(member.id) === member) this.#remove(member, false, monotonic)
  }

  /** A member is dead: what it had in hand counts one delivery. */
  expel(member: Member): void {
    this.#remove(member, true, member.beatAt)
  }

  /** Expels who has been silent for its lease. */
  expelSilent(monotonic: Millis): void {
    for (const member of this.members.values()) {
      if (monotonic - member.beatAt >= member.request.leaseMs) this.expel(member)
    }
  }

  /** When the next member, but this one, is dead unless it beats. */
  nextSilence(but?: Member): Millis {
    let next = Infinity
    for (const member of this.members.values()) {
      if (member !== but) next = Math.min(next, member.beatAt + member.request.leaseMs)
    }
    return next
  }

  /** Lets every member claim and drain until none has anything to do. */
  rebalance(): void {
    if (this.#isRebalancing) return
    this.#isRebalancing = true
    try {
      for (let round = 0; round <= this.members.size; round += 1) if (!this.#moveAll()) return
    } finally {
      this.#isRebalancing = false
    }
  }

  /** Takes everything from everybody: the group or its topic is gone. */
  dissolve(): void {
    for (const member of [...this.members.values()]) {
      this.members.delete(member.id)
      member.end('lapsed', free(member, false))
    }
  }

  /** Holds a message for this group, which is out of hand already. */
  hold(cursor: GroupCursor, entry: Redelivery, hold: Hold, how: { readonly heldAt: Millis; readonly park: boolean }): void {
    const { holds } = this.topic.store
    const id = groupHold(this.topic.name, cursor.log.partition, entry.message.offset, this.name)
    const before = holds.get(id)
    if (before) {
      holds.remove(before)
      this.purged += 1
    }
    const counts = this.topic.broadcasts.has(this) ? this.topic.strays : this.counts
    holds.put({ topic: this.topic, hold: { ...hold, group: this.name }, message: entry.message, counts, ...how })
    this.topic.store.heldUntil(hold.until)
    if (blocks(hold, how.park)) cursor.block(entry)
    else cursor.ended(entry.message.key, entry.offset)
  }

  passTo(partition: number, offset: number): void {
    this.purged += this.cursors[partition]?.passTo(offset) ?? 0
  }

  /** Wakes every member that waits. */
  wake(): void {
    for (const member of this.members.values()) member.wakeSoon()
  }

  stirMembers(): void {
    this.topic.store.stir({ what: 'members', topic: this.topic.name, group: this.name })
  }

  #remove(member: Member, died: boolean, monotonic: Millis): void {
    this.members.delete(member.id)
    const lost = free(member, died)
    if (this.members.size === 0) this.idleSince = monotonic
    this.topic.broadcasts.delete(this)
    member.end(died ? 'lapsed' : 'left', lost)
    this.rebalance()
    this.stirMembers()
  }

  #moveAll(): boolean {
    let moved = false
    for (const member of this.members.values()) if (member.drives && this.#move(member)) moved = true
    return moved
  }

  #move(member: Member): boolean {
    const owners = this.cursors.map((cursor) => this.#ownerOf(cursor))
    const { claim, drain } = assign(member.id, { members: [...this.members.keys()], owners })
    for (const partition of claim) this.#claim(member, partition)
    const draining = drain.flatMap((partition) => this.cursors[partition] ?? []).filter((cursor) => !cursor.isDraining)
    if (draining.length > 0) member.drain(draining)
    return claim.length > 0 || draining.length > 0
  }

  #claim(member: Member, partition: number): void {
    const cursor = this.cursors[partition]
    if (cursor === undefined || cursor.owner !== null) return
    const poison = cursor.claim(member, member.request.maxDeliveries)
    member.owned.push(cursor)
    const now = member.instance.clock.wall()
    for (const entry of poison) this.hold(cursor, entry, poisoned(entry, now), { heldAt: now, park: false })
    member.wakeSoon()
  }

  #ownerOf(cursor: GroupCursor): string | null {
    // Only members own cursors; the cursor itself knows less of them.
    return (cursor.owner as Member | null)?.id ?? null
  }
}

/** Takes all partitions from a member; says which. */
function free(member: Member, died: boolean): readonly number[] {
  const owned = [...member.owned]
  for (const cursor of owned) cursor.free(died)
  return owned.map((cursor) => cursor.log.partition)
}

/** Whether later messages of the key wait behind a message that is held so. */
export function blocks(hold: Hold, park: boolean): boolean {
  return hold.why === 'lent' || (hold.why === 'retry' && park)
}

function poisoned({ attempt, failure }: Redelivery, now: Millis): Hold {
  const deliveries = attempt - 1
  return {
    why: 'dead',
    until: 'decided',
    then: 'release',
    attempt: deliveries,
    failure: { reason: `its consumer died in each of its last deliveries, ${deliveries} in all`, kind: 'POISON', firstAt: failure?.firstAt ?? now, lastAt: now },
  }
}
