import type { Draft } from '../../core/message.js'
import type { Published } from '../../engine/engine.js'
import type { Confirmation } from './durability.js'
import { Lane, type LaneStore } from './lane.js'

/** Drafts on their way, gathered by partition: those of one turn of the event loop are one run of a script. */
export class Sender {
  readonly #store: LaneStore
  readonly #lanes = new Map<string, Lane>()
  /** Lanes that have got something in this turn. */
  readonly #fresh = new Set<Lane>()
  #isSoon = false

  constructor(store: LaneStore) {
    this.#store = store
  }

  /** Stores drafts that fit their topics and are not held: one answer each, in order. */
  send(drafts: readonly Draft[], confirmationOf: (draft: Draft) => Confirmation | undefined): Promise<readonly Published[]> {
    if (drafts.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      const answers: Published[] = []
      let left = drafts.length
      drafts.forEach((draft, index) => {
        const lane = this.#lane(draft.topic, draft.partition, confirmationOf(draft))
        lane.add({
          draft,
          end: (answer) => {
            answers[index] = answer
            left -= 1
            if (left === 0) resolve(answers)
          },
        })
        this.#fresh.add(lane)
      })
      this.#soon()
    })
  }

  /** The topic is gone. */
  forget(topic: string): void {
    for (const [key, lane] of this.#lanes) if (lane.topic === topic && lane.isIdle) this.#lanes.delete(key)
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.atRest()))
  }

  #soon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    // Behind all that this turn's answers wake.
    setImmediate(() => {
      this.#isSoon = false
      const fresh = [...this.#fresh]
      this.#fresh.clear()
      for (const lane of fresh) lane.flush()
    })
  }

  #lane(topic: string, partition: number, confirmation: Confirmation | undefined): Lane {
    const key = confirmation ? `${topic}/${partition}/${confirmation.replicas}/${confirmation.fsync}` : `${topic}/${partition}`
    const known = this.#lanes.get(key)
    if (known) return known
    const lane = new Lane(this.#store, { topic, partition, confirmation, name: `${this.#store.instance.slice(0, 13)}${confirmation ? `:${confirmation.replicas}:${confirmation.fsync}` : ''}` })
    this.#lanes.set(key, lane)
    return lane
  }
}
