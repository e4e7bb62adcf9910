import type { Cancel, Clock } from '../../core/clock.js'
import type { Keeper } from './keeper.js'
import type { Member } from './member.js'
import type { MemoryStore } from './store.js'

/** What one engine has in its store: it goes when the engine closes, and falls silent when it dies. */
export class Instance {
  readonly store: MemoryStore
  readonly clock: Clock
  readonly members = new Set<Member>()
  readonly keepers = new Set<Keeper>()
  readonly unwatch = new Set<Cancel>()
  /** The member with a message that runs alone: one at a time, since it may end the process. */
  alone: Member | undefined
  isDead = false

  constructor(store: MemoryStore, clock: Clock) {
    this.store = store
    this.clock = clock
  }
}
