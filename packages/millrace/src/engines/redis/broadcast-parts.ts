import { asMillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import { cursorAt } from '../../engine/cursor/cursor-state.js'
import type { JoinRequest } from '../../engine/engine.js'
import type { Committed } from './commits.js'
import { entriesOf, Feed } from './feed.js'
import { offsetOf } from './offset.js'
import { Part, type PartOwner } from './part.js'
import type { Parts, PartsEvents } from './parts.js'
import type { Reply } from './port.js'
import { lookScript } from './scripts/roster.js'
import { stray } from './scripts/stray.js'
import type { RedisStore } from './store.js'

interface Followed {
  readonly part: Part
  readonly feed: Feed
  readonly stopHearing: () => void
}

/** All partitions of a topic, from their ends on, for one member alone: where it stands is kept here and nowhere else. */
export class BroadcastParts implements Parts {
  readonly #store: RedisStore
  readonly #request: JoinRequest
  readonly #topicId: string
  readonly #owner: PartOwner
  readonly #events: PartsEvents
  readonly #followed: Followed[] = []
  #isOver = false
  #isLooking = false
  #stopTimer: () => void = () => undefined
  #wasPaused = false

  constructor(store: RedisStore, topicId: string, request: JoinRequest, owner: PartOwner, events: PartsEvents) {
    this.#store = store
    this.#topicId = topicId
    this.#request = request
    this.#owner = owner
    this.#events = events
  }

  async start(): Promise<void> {
    await this.#followAll(true)
    this.#arm()
  }

  get(partition: number): Part | undefined {
    return this.#followed[partition]?.part
  }

  get open(): readonly Part[] {
    return this.#followed.map(({ part }) => part)
  }

  get isPaused(): boolean {
    return this.#store.topics.get(this.#request.topic)?.paused === true
  }

  /** Nobody waits for it. */
  get isSilent(): boolean {
    return false
  }

  /** Nothing but its dead letters is kept. */
  async commit(part: Part): Promise<Committed> {
    const held = part.takeHeld()
    if (held.length === 0) return 'stored'
    const { publishes } = this.#store
    const rows = held.flatMap(({ offset, row }) => (row ? [offset, row] : []))
    const reply = await this.#store.run(stray, [this.#store.part(part.topic, part.partition).log], [publishes, this.#topicId, this.#owner.group, ...rows]).catch((error: unknown) => {
      this.#report(error, 'holding a message')
      return null
    })
    part.written({ held })
    return reply === 1 ? 'stored' : 'unknown'
  }

  taken(part: Part): void {
    this.#followed[part.partition]?.feed.pump()
  }

  async look(): Promise<void> {
    if (this.#store.topics.get(this.#request.topic)?.id !== this.#topicId) return this.#events.lapsed()
    if (this.#wasPaused && !this.isPaused) this.#events.changed()
    this.#wasPaused = this.isPaused
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      await this.#followAll(false)
      await this.#lookForMore()
    } catch (error) {
      this.#report(error, 'looking for more')
    }
    this.#isLooking = false
  }

  async leave(): Promise<void> {
    this.die()
  }

  async lapse(): Promise<void> {
    const partitions = this.#followed.map((_, partition) => partition)
    this.die()
    await this.#request.revoke(partitions, AbortSignal.abort()).catch(() => undefined)
  }

  die(): void {
    this.#isOver = true
    this.#stopTimer()
    for (const { feed, stopHearing } of this.#followed) {
      feed.stop()
      stopHearing()
    }
    this.#followed.length = 0
  }

  /** Those that were added later are new as a whole. */
  async #followAll(fromEnd: boolean): Promise<void> {
    const topic = this.#store.topics.get(this.#request.topic)
    const wanted = Array.from({ length: topic?.partitions ?? 0 }, (_, partition) => partition).slice(this.#followed.length)
    const starts = await Promise.all(wanted.map((partition) => (fromEnd ? this.#endOf(partition) : Promise.resolve(0))))
    if (this.#isOver) return
    for (const [index, partition] of wanted.entries()) this.#follow(partition, starts[index] ?? 0)
  }

  #follow(partition: number, start: number): void {
    const row = { epoch: 1, version: 0, owner: null, membership: '', writer: '', state: cursorAt(start), read: 0, leased: 0, waiting: 0, copies: 0, settled: 0, purged: 0 }
    const part = new Part(this.#request.topic, this.#owner, partition, row)
    part.load([], 0)
    const feed = new Feed(this.#store, part, () => this.#events.changed())
    const hearer = { heard: (text: string) => (text === 'ready' ? feed.stir() : undefined), missed: () => feed.stir() }
    this.#followed[partition] = { part, feed, stopHearing: this.#store.hear(this.#store.part(this.#request.topic, partition).channel, hearer) }
    feed.pump()
  }

  /** After the last message that there is. */
  async #endOf(partition: number): Promise<number> {
    const { log } = this.#store.part(this.#request.topic, partition)
    const [last] = entriesOf(await this.#store.command(['XREVRANGE', log, '+', '-', 'COUNT', 1], log))
    if (!last) return 0
    const [ms = 0] = last[0].toString('latin1').split('-').map(Number)
    return (offsetOf(last[0]) ?? (ms + 1) * 4_096 - 1) + 1
  }

  async #lookForMore(): Promise<void> {
    const logs = this.#followed.map((_, partition) => this.#store.part(this.#request.topic, partition).log)
    const ask = async (keys: readonly string[], feeds: readonly Feed[]): Promise<readonly Reply[]> => {
      const [first, ...others] = keys
      const reply = first === undefined ? [] : await this.#store.run(lookScript, [first, ...others], [this.#owner.group, ...feeds.map(({ after }) => after)])
      return Array.isArray(reply) ? (reply as readonly Reply[]) : []
    }
    const feeds = this.#followed.map(({ feed }) => feed)
    const asked = this.#store.client.isCluster ? (await Promise.all(logs.map((log, at) => ask([log], feeds.slice(at, at + 1))))).flat() : await ask(logs, feeds)
    for (const [at, cursor] of asked.entries()) if (Array.isArray(cursor) && Number(cursor[4]) > 0) feeds[at]?.stir()
  }

  #arm(): void {
    if (this.#isOver) return
    this.#stopTimer = this.#store.clock.after(limits.safetyLookMs, () => {
      void this.look()
      this.#arm()
    })
  }

  #report(error: unknown, what: string): void {
    if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `${what} of group ${this.#request.group} of topic ${this.#request.topic}`))
  }
}
