import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Topic } from '../../core/topic.js'
import { hasBound } from './batch.js'
import { type Living, livingGroups } from './census.js'
import { countsOf, readParts } from './counts.js'
import { type Groups, groupRow } from './groups.js'
import { partitionsOf } from './place.js'
import type { Reply } from './port.js'
import { cut } from './scripts/cut.js'
import { forget, giveUp, lease } from './scripts/keeping.js'
import type { RedisStore } from './store.js'
import type { Topics } from './topics.js'

/** Of several instances one looks after a topic; another takes over when it is so late with its next look. */
const leaseMs = 3_000
/** Between two looks at a topic in which nothing happens, at most. */
const longestMs = 10_000
/** Of one that keeps by age alone looks come so often in that age, and no more rarely than this. */
const looksInAge = 10
const longestForAgeMs = 60_000
/** Removed from a partition at once. */
const cutMost = 5_000
/** What is known of batches is gone over so often, and kept for so long. */
const forgetEveryMs = 3_600_000
const seenS = 86_400

/** A cursor without a group that is no older may be of one that is being made. */
const freshS = 60

interface Cut {
  readonly gone: number
  readonly isMore: boolean
  /** Groups without a cursor. */
  readonly missing: readonly string[]
  /** Cursors without a group. */
  readonly left: readonly string[]
}

interface Watched {
  waitMs: Millis
  due: Millis
  forgetDue: Millis
  /** We look after it. */
  isOurs: boolean
}

/** Removes from logs what every group has finished and `keep` does not ask for, and shows groups to people as groups of Redis. */
export class Janitor {
  readonly #store: RedisStore
  readonly #watched = new Map<string, Watched>()
  readonly #topics: Topics
  readonly #groups: Groups
  #cancel: Cancel = () => undefined
  #looking: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(store: RedisStore, topics: Topics, groups: Groups) {
    this.#store = store
    this.#topics = topics
    this.#groups = groups
    this.#arm()
  }

  /** Messages have come or were finished: look soon. */
  soon(name: string): void {
    const topic = this.#store.topics.get(name)
    const watched = this.#watched.get(name)
    if (!topic || !watched) return
    watched.waitMs = pace(topic)
    watched.due = Math.min(watched.due, this.#store.clock.monotonic() + watched.waitMs)
  }

  quiet(): void {
    this.#isOver = true
    this.#cancel()
  }

  /** Ends after what is under way. */
  async close(): Promise<void> {
    this.quiet()
    await this.#looking
    const ours = [...this.#watched].flatMap(([name, { isOurs }]) => (isOurs ? [this.#store.names.topic(name).janitor] : []))
    await Promise.allSettled(ours.map((janitor) => this.#store.run(giveUp, [janitor], [this.#store.instance])))
  }

  #arm(): void {
    if (this.#isOver) return
    this.#cancel = this.#store.clock.after(limits.safetyLookMs, () => {
      this.#looking = this.#look().finally(() => this.#arm())
    })
  }

  async #look(): Promise<void> {
    const now = this.#store.clock.monotonic()
    for (const name of this.#watched.keys()) if (!this.#store.topics.has(name)) this.#watched.delete(name)
    const isDue = (name: string): boolean => (this.#watched.get(name)?.due ?? 0) <= now
    // Where the server has lost its groups nothing pins: they have to be put back first.
    const isKnown = [...this.#store.topics.keys()].some(isDue) && (await this.#store.registry.check().then(() => true, (error: unknown) => this.#unknown(error)))
    for (const topic of isKnown ? [...this.#store.topics.values()] : []) {
      const watched = this.#watched.get(topic.name) ?? { waitMs: limits.safetyLookMs, due: now, forgetDue: now + forgetEveryMs, isOurs: false }
      this.#watched.set(topic.name, watched)
      if (this.#isOver || now < watched.due) continue
      await this.#lookAt(topic, watched).catch((error: unknown) => this.#failed(topic.name, error))
    }
    if ([...this.#store.registry.rows.values()].some(({ row }) => row.removing)) await this.#topics.endRemovals().catch((error: unknown) => this.#failed('being removed', error))
  }

  #unknown(error: unknown): false {
    if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', 'reading the topics'))
    return false
  }

  #failed(topic: string, error: unknown): void {
    if (!this.#isOver && this.#store.topics.has(topic)) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `cleaning topic ${topic}`))
  }

  async #lookAt(topic: Topic, watched: Watched): Promise<void> {
    const { clock, instance } = this.#store
    watched.waitMs = Math.max(pace(topic), Math.min(watched.waitMs * 2, longestMs))
    watched.due = clock.monotonic() + watched.waitMs
    const { janitor } = this.#store.names.topic(topic.name)
    watched.isOurs = (await this.#store.run(lease, [janitor], [instance, Math.ceil(watched.waitMs + leaseMs)])) === 1
    if (!watched.isOurs) return
    const living = await livingGroups(this.#store, topic.name)
    const idle = topic.groupIdleMs === undefined ? [] : await this.#idle(topic, topic.groupIdleMs, living)
    this.#store.idleGroups.set(topic.name, idle)
    const names = living.groups.map(({ name }) => name)
    const answers = await Promise.all(partitionsOf(topic).map((partition) => this.#cut(topic, partition, idle, names)))
    await this.#mend(topic, new Set(answers.flatMap(({ missing }) => missing)), new Set(answers.flatMap(({ left }) => left)), living.now)
    if (answers.some(({ isMore }) => isMore)) watched.due = clock.monotonic()
    if (answers.some(({ gone }) => gone > 0)) {
      watched.waitMs = pace(topic)
      if (hasBound(topic)) this.#store.stirAll(topic.name, { what: 'room' })
    }
    if (clock.monotonic() >= watched.forgetDue) await this.#forget(topic, watched)
  }

  async #cut({ name, id, keep, mayPassUnread }: Topic, partition: number, idle: readonly string[], groups: readonly string[]): Promise<Cut> {
    const { log } = this.#store.part(name, partition)
    for (let sum = 0; ; ) {
      const args = [id, keep.ageMs ?? '', keep.count ?? '', keep.bytes ?? '', mayPassUnread ? 1 : 0, cutMost, idle.length, ...idle, ...groups]
      const answer = await this.#store.run(cut, [log], args)
      const [gone, isMore, missing, left] = Array.isArray(answer) ? (answer as readonly Reply[]) : []
      sum += Number(gone)
      if (isMore !== 1 || gone === 0 || this.#isOver) return { gone: sum, isMore: isMore === 1 && gone !== 0, missing: namesIn(missing), left: namesIn(left) }
    }
  }

  /** Ends what somebody began with a group and did not end. */
  async #mend(topic: Topic, missing: ReadonlySet<string>, left: ReadonlySet<string>, now: Millis): Promise<void> {
    for (const group of missing) await this.#groups.complete(topic.name, group).catch(() => undefined)
    for (const group of left) if (!(await groupRow(this.#store, topic.name, group))) await this.#groups.clear(topic, group, Math.floor(now / 1_000) - freshS)
  }

  /** Groups that nobody has used for so long. */
  async #idle(topic: Topic, idleMs: Millis, { now, groups }: Living): Promise<readonly string[]> {
    const without = groups.filter(({ members }) => members === 0)
    if (without.length === 0) return []
    const parts = await readParts(this.#store, topic, without.map(({ name }) => name))
    return without.flatMap(({ name, until }, index) => {
      const used = Math.max(until, ...parts.map((part) => countsOf(part, part.groups[index]).used))
      return now - used >= idleMs ? [name] : []
    })
  }

  async #forget(topic: Topic, watched: Watched): Promise<void> {
    watched.forgetDue = this.#store.clock.monotonic() + forgetEveryMs
    for (const partition of partitionsOf(topic)) await this.#store.run(forget, [this.#store.part(topic.name, partition).seen], [seenS])
  }
}

/** The shortest wait between two looks. */
function pace({ keep: { ageMs, bytes, count }, cap, groupIdleMs }: Topic): Millis {
  if (bytes !== undefined || count !== undefined || groupIdleMs !== undefined || hasBound({ cap }) || ageMs === undefined) return limits.safetyLookMs
  return Math.min(Math.max(ageMs / looksInAge, limits.safetyLookMs), longestForAgeMs)
}

function namesIn(reply: Reply | undefined): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
