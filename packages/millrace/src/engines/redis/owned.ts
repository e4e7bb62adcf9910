import type { Millis } from '../../core/clock.js'
import { lowest } from '../../engine/cursor/cursor-state.js'
import { Commits } from './commits.js'
import type { CursorRow } from './cursor-row.js'
import { Feed } from './feed.js'
import { decodeHeld, type KeptRow } from './held-row.js'
import type { PartNames } from './names.js'
import { Part, type PartOwner } from './part.js'
import type { Reply } from './port.js'
import { free } from './scripts/free.js'
import type { RedisStore } from './store.js'

/** Rows that are asked for at once. */
const rowsAtOnce = 200

export interface OwnedEvents {
  /** There may be something to lease. */
  changed(): void
  /** It is another's by now. */
  lapsed(owned: Owned): void
}

/** A part that a member owns, with what reads its log, writes where it stands and hears of it. */
export class Owned {
  readonly part: Part
  readonly feed: Feed
  readonly commits: Commits
  /** By the monotonic clock. */
  readonly since: Millis
  /** It is being let go of. */
  isReleasing = false
  readonly #store: RedisStore
  readonly #owner: PartOwner
  readonly #names: PartNames
  readonly #events: OwnedEvents
  #stopHearing: () => void = () => undefined

  constructor(store: RedisStore, topic: string, owner: PartOwner, claimed: { readonly partition: number; readonly row: CursorRow }, events: OwnedEvents) {
    this.#store = store
    this.#owner = owner
    this.#events = events
    this.since = store.clock.monotonic()
    this.#names = store.part(topic, claimed.partition)
    this.part = new Part(topic, owner, claimed.partition, claimed.row)
    this.feed = new Feed(store, this.part, () => events.changed())
    this.commits = new Commits(store, this.part, owner, { news: (about) => this.#told(about), lapsed: () => events.lapsed(this) })
  }

  /** Reads all that the group had before. */
  async load(): Promise<void> {
    this.#stopHearing = this.#store.hear(this.#names.channel, { heard: (text) => this.#heard(text), missed: () => this.look(true, true) })
    const { state } = this.part.row
    const [rows] = await Promise.all([this.#rows(), lowest(state) < state.next ? this.feed.readTo(state.next) : undefined])
    this.part.load(rows, this.#store.clock.wall())
    if (this.part.hasChanges) void this.commits.add()
    this.feed.stir()
    this.#events.changed()
  }

  /** There may be more in the log, or news. */
  look(isMore: boolean, hasNews: boolean): void {
    if (isMore) this.feed.stir()
    if (hasNews && this.part.cursor) void this.commits.add()
  }

  /** Hands back what is in hand, and lets go of it. */
  async release(): Promise<void> {
    this.isReleasing = true
    this.#quiet()
    if (!this.part.cursor) {
      this.commits.stop()
      await this.#store.run(free, [this.#names.log], [this.#owner.group, this.part.epoch, this.#owner.membership])
      return
    }
    this.part.handBack()
    await this.commits.release()
  }

  /** It is another's, or nobody's: reads and writes nothing more. */
  stop(): void {
    this.#quiet()
    this.commits.stop()
  }

  #quiet(): void {
    this.#stopHearing()
    this.feed.stop()
  }

  #heard(text: string): void {
    if (text === 'ready') this.feed.stir()
    else if (text === `news ${this.#owner.group}`) this.look(false, true)
  }

  #told(about: readonly (readonly [offset: number, row: Buffer | null])[]): void {
    for (const [offset, row] of about) this.part.changed(offset, row ? this.#decode(offset, row) : undefined)
    this.#events.changed()
  }

  /** Rows of the group that are released, wait, or let others wait. What changes meanwhile is told. */
  async #rows(): Promise<readonly KeptRow[]> {
    const { group } = this.#owner
    const known = this.#names.known(group)
    const held = this.#names.held(group)
    const offsets = listOf(await this.#store.command(['SMEMBERS', known], known)).map(String)
    const rows: KeptRow[] = []
    for (let from = 0; from < offsets.length; from += rowsAtOnce) {
      const asked = offsets.slice(from, from + rowsAtOnce)
      const replies = listOf(await this.#store.command(['HMGET', held, ...asked], held))
      for (const [index, row] of replies.entries()) if (Buffer.isBuffer(row)) rows.push(this.#decode(Number(asked[index]), row))
    }
    return rows
  }

  #decode(offset: number, row: Buffer): KeptRow {
    const { topic, partition } = this.part
    return decodeHeld({ topic, partition, offset: BigInt(offset) }, this.#owner.group, row)
  }
}

function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : []
}
