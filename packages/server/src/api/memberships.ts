import { randomUUID } from 'node:crypto'
import { type Clock, type Millis, MillraceError, type StartAt, isMillraceError, limits } from 'millrace'
import type { Engine, Membership } from 'millrace/engine'
import { Turns } from './turns.js'

interface Entry {
  readonly membership: Promise<Membership>
  readonly turns: Turns
  users: number
  idleSince: Millis
}

/** Work as a member, and whose turn it is to lease: two at a time would break the order of keys. */
type Use<T> = (membership: Membership, turns: Turns) => Promise<T>

export interface MembershipLimits {
  readonly most: number
  readonly idleMs: Millis
  /** Deliveries in all, after which a message whose holder died is parked. */
  readonly maxDeliveries: number
}

/**
 * The groups that this server is a member of because somebody pulls from them. It joins at the first pull and leaves
 * when nobody has pulled for a while, so that other servers get its partitions.
 */
export class Memberships {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #limits: MembershipLimits
  readonly #entries = new Map<string, Entry>()
  #cancelSweep: (() => void) | undefined
  readonly #closing = new AbortController()

  constructor(engine: Engine, clock: Clock, membershipLimits: MembershipLimits) {
    this.#engine = engine
    this.#clock = clock
    this.#limits = membershipLimits
  }

  /** Aborts when the server leaves its groups for good. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  get size(): number {
    return this.#entries.size
  }

  /** Runs `use` as a member of the group; once more as a new one when the membership has lapsed. */
  async with<T>(topic: string, group: string, from: StartAt, use: Use<T>): Promise<T> {
    try {
      return await this.#once(topic, group, from, use)
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'LAPSED' || this.#closing.signal.aborted) throw error
      this.#entries.delete(keyOf(topic, group))
      return this.#once(topic, group, from, use)
    }
  }

  /** Leaves every group. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelSweep?.()
    await Promise.all([...this.#entries.keys()].map((key) => this.#leave(key)))
  }

  async #once<T>(topic: string, group: string, from: StartAt, use: Use<T>): Promise<T> {
    const key = keyOf(topic, group)
    const entry = this.#entries.get(key) ?? this.#join(key, topic, group, from)
    entry.users += 1
    try {
      return await use(await entry.membership, entry.turns)
    } finally {
      entry.users -= 1
      entry.idleSince = this.#clock.monotonic()
    }
  }

  #join(key: string, topic: string, group: string, from: StartAt): Entry {
    if (this.#closing.signal.aborted) throw new MillraceError('CLOSED', 'the server is shutting down: ask another, or again when it is back')
    if (this.#entries.size >= this.#limits.most && !this.#leaveLongestIdle()) {
      throw new MillraceError('FULL', `this server pulls for ${this.#limits.most} groups already (limits.memberships): try again later`, { field: 'groupId' })
    }
    const membership = this.#engine.join({
      topic,
      group,
      member: `server-${randomUUID()}`,
      mode: 'share',
      from,
      leaseMs: limits.leaseMs,
      stallMs: limits.stallMs,
      drainMs: limits.drainMs,
      maxDeliveries: this.#limits.maxDeliveries,
      park: true,
      // What a pull has in hand it lends within the same turn; the rest may go at once.
      revoke: () => Promise.resolve(),
    })
    const entry: Entry = { membership, turns: new Turns(this.#clock), users: 0, idleSince: this.#clock.monotonic() }
    this.#entries.set(key, entry)
    membership.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    this.#sweepLater()
    return entry
  }

  #leaveLongestIdle(): boolean {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0).sort(([, one], [, other]) => one.idleSince - other.idleSince)
    const longest = idle[0]?.[0]
    if (longest !== undefined) void this.#leave(longest)
    return longest !== undefined
  }

  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.after(this.#limits.idleMs, () => {
      this.#cancelSweep = undefined
      this.#sweep()
    })
  }

  #sweep(): void {
    const old = this.#clock.monotonic() - this.#limits.idleMs
    for (const [key, entry] of this.#entries) if (entry.users === 0 && entry.idleSince <= old) void this.#leave(key)
    if (this.#entries.size > 0 && !this.#closing.signal.aborted) this.#sweepLater()
  }

  /** Never fails: who cannot leave is silent, and dead after its lease. */
  async #leave(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    this.#entries.delete(key)
    await entry?.membership.then((membership) => membership.leave()).catch(() => undefined)
  }
}

function keyOf(topic: string, group: string): string {
  return `${topic}/${group}`
}
