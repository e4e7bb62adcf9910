import { Alone } from '../../engine/cursor/alone.js'
import type { JoinRequest, Membership, StartAt } from '../../engine/engine.js'
import { RedisMember } from './member.js'
import type { Pulse } from './pulse.js'
import type { RedisStore } from './store.js'

/** What members need of groups. */
export interface GroupMaker {
  /** Makes a group with its cursors where there is none. */
  create(topic: string, group: string, from: StartAt): Promise<unknown>
  /** Makes the cursors that are missing, of a group that is there. */
  complete(topic: string, group: string): Promise<void>
}

/** The members of an instance. */
export class Memberships {
  readonly #store: RedisStore
  readonly #groups: GroupMaker
  readonly #members = new Set<RedisMember>()
  readonly #alone = new Alone()

  readonly #pulse: Pulse | undefined

  constructor(store: RedisStore, groups: GroupMaker, pulse?: Pulse) {
    this.#store = store
    this.#groups = groups
    this.#pulse = pulse
  }

  /** Errors: UNKNOWN_TOPIC. */
  async join(request: JoinRequest): Promise<Membership> {
    const { topic: name, group, mode, from } = request
    const topic = await this.#store.topic(name)
    if (mode === 'share') await this.#groups.create(name, group, from)
    const member = await RedisMember.join(this.#store, topic.id, request, {
      alone: this.#alone,
      over: (each) => this.#members.delete(each),
      missing: () => this.#groups.complete(name, group),
      pulse: this.#pulse,
    })
    this.#members.add(member)
    return member
  }

  /** A topic or one of its groups was altered or removed: resolves when all members here know it. */
  async changed(topic: string): Promise<void> {
    await Promise.all([...this.#members].flatMap((member) => (member.topic === topic ? member.look() : [])))
  }

  /** Every member leaves. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#members].map((member) => member.leave()))
    this.#pulse?.close()
  }

  /** For tests: as in a process that was killed. */
  quiet(): void {
    for (const member of [...this.#members]) member.die()
    this.#pulse?.close()
  }
}
