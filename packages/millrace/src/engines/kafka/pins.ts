import type { Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import type { Book } from './book.js'
import { lowOf, startRow } from './cursor-row.js'
import type { Foreigners } from './foreigners.js'
import type { Bounds } from './port.js'
import type { KafkaStore } from './store.js'

/** Looks for members in the time after which a group is idle. */
const looksWhileIdle = 10

interface Use {
  /** By the monotonic clock; undefined while it has members, or nobody has looked. */
  emptySince: Millis | undefined
  lookedAt: Millis
}

/** Who has not read what of a topic: its groups, but the idle ones, and consumer groups of others that have committed a place in it. */
export class Pins {
  readonly #store: KafkaStore
  readonly #book: Book
  readonly #foreigners: Foreigners
  readonly #uses = new Map<string, Use>()
  readonly #idle = new Set<string>()

  constructor(store: KafkaStore, book: Book, foreigners: Foreigners) {
    this.#store = store
    this.#book = book
    this.#foreigners = foreigners
  }

  /** The group has come, gone, leased or settled. */
  used(group: string): void {
    this.#uses.delete(group)
    this.#idle.delete(group)
  }

  /** What groups have not read begins here; the end where all was read, or there is no group. */
  ofGroups({ partition, start, end }: Bounds): Offset {
    let pin = end
    for (const group of this.#book.groups.keys()) {
      if (this.#idle.has(group)) continue
      const low = lowOf(this.#book.cursor(group, partition)?.row ?? startRow(start))
      if (low < pin) pin = low
    }
    return pin
  }

  /** The same for consumer groups that are none of ours, by partition; none where they have committed nothing. */
  ofOthers(): Promise<ReadonlyMap<number, Offset>> {
    const { groups, cursors, topic } = this.#book
    // Of a group that was removed there are still cursors.
    const ours = new Set([...groups.keys(), ...[...cursors.keys()].map(groupOfCursor)].map((group) => this.#store.names.group(group)))
    return this.#foreigners.lowest(this.#store.names.topic(topic), ours)
  }

  /** Finds out which groups have had no member for so long. */
  async lookForIdle(idleMs: Millis | undefined): Promise<void> {
    this.#idle.clear()
    if (idleMs === undefined) return
    const now = this.#store.clock.monotonic()
    for (const group of this.#book.groups.keys()) {
      const use = this.#uses.get(group) ?? { emptySince: undefined, lookedAt: -Infinity }
      this.#uses.set(group, use)
      if (now - use.lookedAt >= idleMs / looksWhileIdle) {
        const isEmpty = await this.#isEmpty(group)
        use.lookedAt = now
        use.emptySince = isEmpty ? (use.emptySince ?? now) : undefined
      }
      // Used meanwhile, it has another entry.
      if (use.emptySince !== undefined && now - use.emptySince >= idleMs && this.#uses.get(group) === use) this.#idle.add(group)
    }
  }

  async #isEmpty(group: string): Promise<boolean> {
    return (await this.#store.client.admin.members(this.#store.names.group(group))) === 0
  }
}

function groupOfCursor(id: string): string {
  return id.split('/')[1] ?? ''
}
