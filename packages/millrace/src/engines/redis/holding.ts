import type { Topic } from '../../core/topic.js'
import type { Decided, Decision, Held, HoldQuery, Keeping, KeepRequest, Page, Published } from '../../engine/engine.js'
import { decide } from './decide.js'
import { holds } from './holds.js'
import { Keepers } from './keeper.js'
import { type HeldDraft, publishHeld, type StoringRun } from './publish-held.js'
import type { RedisStore } from './store.js'

/** What an instance does about held messages, in all topics that it knows. */
export class Holding {
  readonly #store: RedisStore
  readonly #keepers: Keepers

  constructor(store: RedisStore) {
    this.#store = store
    this.#keepers = new Keepers(store)
  }

  /** For each topic that there is, and again when it has more partitions. */
  follow(topic: Topic): void {
    this.#keepers.follow(topic)
  }

  forget(topic: Topic): void {
    this.#keepers.forget(topic.name)
  }

  /** Stores drafts of one topic that are held. */
  publish(topic: Topic, drafts: readonly HeldDraft[], run: StoringRun): Promise<readonly Published[]> {
    return publishHeld(this.#store, topic, drafts, run)
  }

  decide(decisions: readonly Decision[]): Promise<readonly Decided[]> {
    return decide(this.#store, decisions)
  }

  async keep(request: KeepRequest): Promise<Keeping> {
    return this.#keepers.keep(request)
  }

  holds(query: HoldQuery): Promise<Page<Held>> {
    return holds(this.#store, query)
  }

  /** Ends after what is under way. */
  close(): Promise<void> {
    return this.#keepers.close()
  }

  /** For tests: falls silent as in a process that was killed. */
  quiet(): void {
    this.#keepers.quiet()
  }
}
