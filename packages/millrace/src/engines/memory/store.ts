import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { ProducerGroup } from '../../core/hold.js'
import type { Stir } from '../../engine/engine.js'
import { HoldBook } from './hold-book.js'
import type { Keeper } from './keeper.js'
import type { TopicState } from './topic-state.js'
import { Wakes } from './wakes.js'

/** Where messages are kept. Several engines of one process may share a store, as processes share a broker. */
export class MemoryStore {
  readonly topics = new Map<string, TopicState>()
  readonly holds = new HoldBook()
  readonly keepers = new Set<Keeper>()
  readonly watchers = new Set<(stir: Stir) => void>()
  readonly wakes = new Wakes()

  /** Errors: UNKNOWN_TOPIC. */
  topic(name: string): TopicState {
    const topic = this.topics.get(name)
    if (topic) return topic
    throw unknownTopic(name)
  }

  stir(stir: Stir): void {
    for (const on of this.watchers) {
      try {
        on(stir)
      } catch (error) {
        // A listener's mistake is its own: it must not undo what has happened here.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  /** Something is held until then: keepers may have to look earlier. */
  heldUntil(until: Millis | 'decided'): void {
    if (until !== 'decided') for (const keeper of this.keepers) keeper.notice(until)
  }

  keeperFor(group: ProducerGroup): Keeper | undefined {
    for (const keeper of this.keepers) if (keeper.answersFor(group)) return keeper
    return undefined
  }
}

export function unknownTopic(name: string): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', `there is no topic ${name}: create it first`)
}

/** A store to hand to several engines: `memory({ store })`. */
export function memoryStore(): MemoryStore {
  return new MemoryStore()
}
