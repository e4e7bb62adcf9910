import type { Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import type { Book } from './book.js'
import { lowOf, startRow } from './cursor-row.js'
import type { Bounds } from './port.js'
import type { KafkaStore } from './store.js'

/** How long what was heard of other consumer groups counts. A place of theirs that is older keeps more than it has to. */
const foreignMs = 10_000
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
  readonly #uses = new Map<string, Use>()
  readonly #idle = new Set<string>()
  #foreign: { readonly at: Millis; readonly places: ReadonlyMap<number, Offset> } | undefined

  constructor(store: KafkaStore, book: Book) {
    this.#store = store
    this.#book = book
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

  /** The same for consumer groups that are none of ours. */
  async ofOthers({ partition, end }: Bounds): Promise<Offset> {
    const now = this.#store.clock.monotonic()
    if (!this.#foreign || now - this.#foreign.at >= foreignMs) this.#foreign = { at: now, places: await this.#askOthers() }
    const place = this.#foreign.places.get(partition)
    return place !== undefined && place < end ? place : end
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

  async #askOthers(): Promise<ReadonlyMap<number, Offset>> {
    const { client, names } = this.#store
    const committed = await client.admin.committed(names.topic(this.#book.topic))
    // Of a group that was removed there are still cursors.
    const ours = new Set([...this.#book.groups.keys(), ...[...this.#book.cursors.keys()].map(groupOfCursor)].map((group) => names.group(group)))
    const places = new Map<number, Offset>()
    for (const [group, offsets] of committed) {
      if (ours.has(group)) continue
      for (const [partition, offset] of offsets) if (offset < (places.get(partition) ?? offset + 1n)) places.set(partition, offset)
    }
    return places
  }
}

function groupOfCursor(id: string): string {
  return id.split('/')[1] ?? ''
}
