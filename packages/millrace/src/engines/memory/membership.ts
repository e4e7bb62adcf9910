import type { Delivery, LeaseRequest, Membership, Outcome, Verdict } from '../../engine/engine.js'
import type { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Member } from './member.js'
import { noticePassed } from './retention.js'

/** What a member's holder calls. */
export class MemoryMembership implements Membership {
  readonly #member: Member
  readonly #onSettled: () => void

  constructor(member: Member, onSettled: () => void) {
    this.#member = member
    this.#onSettled = onSettled
  }

  lease(ask: LeaseRequest): Promise<readonly Delivery[]> {
    return this.#member.lease(ask)
  }

  async settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]> {
    if (this.#member.instance.isDead) return verdicts.map(() => 'lapsed')
    const outcomes = verdicts.map((verdict) => this.#settle(verdict))
    const { topic } = this.#member.group
    noticePassed(topic, verdicts.length, this.#member.instance.clock.wall())
    if (topic.capacity.hasRoomAgain()) topic.store.stir({ what: 'room', topic: topic.name })
    this.#member.wakeSoon()
    this.#onSettled()
    return outcomes
  }

  async leave(): Promise<void> {
    const { group, instance } = this.#member
    if (instance.isDead) return
    group.leave(this.#member, instance.clock.monotonic())
    this.#onSettled()
  }

  #settle(verdict: Verdict): Outcome {
    const { message, epoch } = verdict.delivery
    const cursor = this.#member.group.cursors[message.partition]
    if (cursor === undefined || cursor.owner !== this.#member || cursor.epoch !== epoch) return 'lapsed'
    const offset = Number(message.offset)
    if (!this.#apply(verdict, cursor, offset)) return 'lapsed'
    this.#member.settled(cursor, offset)
    return 'settled'
  }

  #apply(verdict: Verdict, cursor: GroupCursor, offset: number): boolean {
    const { group } = this.#member
    if (verdict.is === 'back') return cursor.back(offset)
    if (verdict.is === 'done') {
      const isDone = cursor.done(offset)
      if (isDone) group.settled += 1
      return isDone
    }
    const entry = cursor.finish(offset)
    if (entry === undefined) return false
    group.hold(cursor, entry, verdict.hold, { heldAt: this.#member.instance.clock.wall(), park: this.#member.request.park })
    group.topic.store.stir({ what: 'held', topic: group.topic.name, group: group.name })
    return true
  }
}
