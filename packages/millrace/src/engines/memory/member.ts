import type { Cancel, Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Delivery, JoinRequest, LeaseRequest } from '../../engine/engine.js'
import { startBeat } from './beat.js'
import { Drain } from './drain.js'
import type { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Owner } from '../../engine/cursor/owner.js'
import type { Group } from './group.js'
import type { Instance } from './instance.js'
import { Waiters } from '../../engine/waiters.js'

/** A member of a group: what it owns, and who waits for its messages. */
export class Member implements Owner {
  readonly id: string
  readonly request: JoinRequest
  readonly group: Group
  readonly instance: Instance
  readonly owned: GroupCursor[] = []
  /** By the monotonic clock. */
  beatAt: Millis
  readonly #waiters: Waiters
  readonly #drains = new Set<Drain>()
  readonly #stopBeat: Cancel
  /** Where the message is that runs alone. */
  #alone: { readonly cursor: GroupCursor; readonly offset: number } | undefined
  #over: 'left' | 'lapsed' | undefined
  #turn = 0

  constructor(instance: Instance, group: Group, request: JoinRequest) {
    this.id = request.member
    this.request = request
    this.group = group
    this.instance = instance
    this.beatAt = instance.clock.monotonic()
    this.#waiters = new Waiters(instance.clock)
    this.#stopBeat = startBeat(this)
    instance.members.add(this)
  }

  get isOver(): boolean {
    return this.#over !== undefined
  }

  /** It claims and drains: a member of a dead process does not. */
  get drives(): boolean {
    return !this.instance.isDead
  }

  async lease(ask: LeaseRequest): Promise<readonly Delivery[]> {
    if (this.#over) throw lapsed(this)
    if (this.instance.isDead) throw new MillraceError('CLOSED', 'the engine of this member is dead: make a new one')
    const deliveries = this.#collect(ask.max)
    if (deliveries.length > 0 || ask.waitMs <= 0 || ask.signal?.aborted) return deliveries
    return this.#waiters.wait(ask)
  }

  /** Gives to those who wait what there is. */
  wake(): void {
    for (let waiter = this.#waiters.first(); waiter; waiter = this.#waiters.first()) {
      const deliveries = this.#collect(waiter.max)
      if (deliveries.length === 0) return
      waiter.end(deliveries)
    }
  }

  wakeSoon(): void {
    if (!this.#waiters.isEmpty) this.group.topic.store.wakes.soon(this)
  }

  lost(cursor: GroupCursor): void {
    if (this.#alone?.cursor === cursor) this.#endAlone()
    const index = this.owned.indexOf(cursor)
    if (index >= 0 && cursor.owner !== this) this.owned.splice(index, 1)
  }

  /** The delivery has its verdict. */
  settled(cursor: GroupCursor, offset: number): void {
    if (this.#alone?.cursor === cursor && this.#alone.offset === offset) this.#endAlone()
  }

  drain(cursors: readonly GroupCursor[]): void {
    for (const cursor of cursors) cursor.isDraining = true
    const drain = new Drain(this, cursors, () => {
      this.#drains.delete(drain)
      for (const cursor of cursors) if (cursor.owner === this) cursor.free(false)
      this.group.rebalance()
      this.group.stirMembers()
    })
    this.#drains.add(drain)
  }

  /** Not a member any more: what it had is lost. One that did not leave by itself is told. */
  end(how: 'left' | 'lapsed', lost: readonly number[]): void {
    this.#over = how
    this.quiet()
    if (how === 'lapsed' && lost.length > 0 && !this.instance.isDead) void tellLost(this.request, lost)
    this.#waiters.endAll(how === 'lapsed' ? lapsed(this) : undefined)
    this.instance.members.delete(this)
  }

  /** Stops all that it does by itself, as its death does. */
  quiet(): void {
    this.#stopBeat()
    for (const drain of this.#drains) drain.cancel()
    this.#drains.clear()
    if (this.instance.isDead) this.#waiters.endAll()
  }

  #collect(max: number): Delivery[] {
    const out: Delivery[] = []
    if (this.#alone || this.instance.isDead || this.group.isStopped) return out
    const { owned, instance } = this
    const mayRunAlone = instance.alone === undefined
    const from = this.#turn
    this.#turn = (from + 1) % Math.max(1, owned.length)
    for (let index = 0; index < owned.length && out.length < max; index += 1) {
      const cursor = owned[(from + index) % owned.length]
      if (cursor === undefined || cursor.isDraining || !cursor.lease(out, max, mayRunAlone)) continue
      this.#alone = { cursor, offset: Number(out[0]?.message.offset) }
      instance.alone = this
      break
    }
    return out
  }

  #endAlone(): void {
    this.#alone = undefined
    this.instance.alone = undefined
    for (const member of this.instance.members) member.wakeSoon()
  }
}

async function tellLost(request: JoinRequest, lost: readonly number[]): Promise<void> {
  // Not inside the call that took them.
  await Promise.resolve()
  await request.revoke(lost, AbortSignal.abort()).catch(() => undefined)
}

function lapsed({ id, group }: Member): MillraceError {
  return new MillraceError('LAPSED', `member ${id} is not in group ${group.name} of topic ${group.topic.name} any more: join again`)
}
