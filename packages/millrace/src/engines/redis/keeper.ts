import type { Cancel, Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { ProducerGroup } from '../../core/hold.js'
import { limits } from '../../core/limits.js'
import type { Topic } from '../../core/topic.js'
import type { Check, Keeping, KeepRequest } from '../../engine/engine.js'
import { type Timed, Wheel } from '../../engine/wheel.js'
import { Asker } from './asker.js'
import { partitionsOf } from './held-id.js'
import type { Reply } from './port.js'
import { ripen } from './scripts/ripen.js'
import { soonest } from './scripts/soonest.js'
import type { RedisStore } from './store.js'

/** Released by one run of the script: it keeps the server busy meanwhile. */
const ripeAtOnce = 500
/** Partitions that are looked at at once. */
const partsAtOnce = 8
/** Before a partition is looked at again whose prepared messages nobody could ask about. */
const againMs = 100
/** Partitions that one command of the safety look asks about. */
const partsOfLook = 250

/** A partition whose holds ripen. */
interface Part {
  readonly topic: string
  readonly partition: number
  /** When to look at it, by the server's clock. */
  timed: Timed<Part> | undefined
  unhear: (() => void) | undefined
  isGone: boolean
}

/**
 * What an instance does as a keeper. It looks at a partition when something ripens there: it is told by whoever holds, and once a second it asks, in case
 * it was not.
 */
export class Keepers {
  readonly #store: RedisStore
  readonly #keepings = new Set<KeepRequest>()
  readonly #parts = new Map<string, readonly Part[]>()
  readonly #asker: Asker
  #wheel = new Wheel<Part>()
  readonly #due: Part[] = []
  readonly #looking = new Set<Promise<void>>()
  #cancel: Cancel | undefined
  #cancelSafety: Cancel | undefined
  /** The server's clock is so far ahead of ours. */
  #ahead: Millis = 0
  /** Where the safety look goes on. */
  #turn = 0
  #isOver = false

  constructor(store: RedisStore) {
    this.#store = store
    this.#asker = new Asker(store, (group) => this.#checkOf(group))
  }

  /** For each topic that there is, and again when it has more partitions. */
  follow(topic: Topic): void {
    const known = this.#parts.get(topic.name) ?? []
    const parts = partitionsOf(topic).map((partition): Part => known[partition] ?? { topic: topic.name, partition, timed: undefined, unhear: undefined, isGone: false })
    this.#parts.set(topic.name, parts)
    if (this.#isKeeping) this.#begin(parts.slice(known.length))
  }

  forget(topic: string): void {
    for (const part of this.#parts.get(topic) ?? []) {
      this.#end(part)
      part.isGone = true
    }
    this.#parts.delete(topic)
  }

  keep(request: KeepRequest): Keeping {
    this.#keepings.add(request)
    this.#begin(this.#all())
    this.#armSafety()
    return {
      stop: async () => {
        this.#keepings.delete(request)
        if (!this.#isKeeping) this.#rest()
        await Promise.all(this.#looking)
      },
    }
  }

  /** Ends after what is under way. */
  async close(): Promise<void> {
    this.#stop()
    await Promise.all(this.#looking)
    await this.#asker.close()
  }

  /** Stops at once, as in a process that was killed. */
  quiet(): void {
    this.#asker.quiet()
    this.#stop()
  }

  #stop(): void {
    this.#isOver = true
    this.#keepings.clear()
    this.#rest()
  }

  #rest(): void {
    this.#cancel?.()
    this.#cancelSafety?.()
    this.#due.length = 0
    for (const part of this.#all()) this.#end(part)
  }

  /** Looks at once, and listens: something may be due already. */
  #begin(parts: readonly Part[]): void {
    for (const part of parts) {
      part.unhear ??= this.#store.hear(this.#store.names.part(part.topic, part.partition).channel, {
        heard: (text) => text.startsWith('due ') && this.#notice(part, Number(text.slice(4))),
        missed: () => this.#notice(part, 0),
      })
      this.#time(part, 0)
    }
  }

  #end(part: Part): void {
    this.#untime(part)
    part.unhear?.()
    part.unhear = undefined
  }

  /** Something ripens there at `due`, by the server's clock. */
  #notice(part: Part, due: Millis): void {
    if (this.#isKeeping && !part.isGone && due < (part.timed?.dueMs ?? Infinity)) this.#time(part, due)
  }

  get #isKeeping(): boolean {
    return this.#keepings.size > 0 && !this.#isOver
  }

  #checkOf(group: ProducerGroup): Check | undefined {
    for (const { answers } of this.#keepings) if (answers.has(group)) return answers.get(group)
    return undefined
  }

  get #asked(): readonly ProducerGroup[] {
    return [...new Set([...this.#keepings].flatMap(({ answers }) => [...answers.keys()]))]
  }

  #all(): readonly Part[] {
    return [...this.#parts.values()].flat()
  }

  get #now(): Millis {
    return this.#store.clock.wall() + this.#ahead
  }

  #time(part: Part, due: Millis): void {
    this.#untime(part)
    part.timed = this.#wheel.add(due, part)
    this.#arm()
  }

  #untime(part: Part): void {
    if (part.timed) this.#wheel.remove(part.timed)
    part.timed = undefined
  }

  #arm(): void {
    this.#cancel?.()
    const due = this.#wheel.nextDue()
    if (due === undefined || !this.#isKeeping) return
    this.#cancel = this.#store.clock.after(Math.min(Math.max(0, due - this.#now), limits.safetyLookMs), () => this.#lookAtDue())
  }

  #lookAtDue(): void {
    for (const part of this.#wheel.advance(this.#now)) {
      part.timed = undefined
      this.#due.push(part)
    }
    this.#arm()
    while (this.#looking.size < partsAtOnce && this.#due.length > 0) this.#lookInLane()
  }

  #lookInLane(): void {
    const lane = async (): Promise<void> => {
      for (let part = this.#due.shift(); part; part = this.#due.shift()) await this.#look(part)
    }
    const looking = lane().finally(() => this.#looking.delete(looking))
    this.#looking.add(looking)
  }

  async #look(part: Part): Promise<void> {
    if (part.isGone || !this.#isKeeping) return
    try {
      const next = await this.#ripen(part)
      if (next !== undefined && !part.isGone && this.#isKeeping) this.#time(part, Math.min(next, part.timed?.dueMs ?? Infinity))
    } catch (error) {
      this.#failed(error)
      if (!part.isGone && this.#isKeeping) this.#time(part, this.#now + limits.safetyLookMs)
    }
  }

  /** Says when to look again, by the server's clock. */
  async #ripen({ topic, partition }: Part): Promise<Millis | undefined> {
    const { log } = this.#store.names.part(topic, partition)
    const reply = await this.#store.run(ripen, [log], [this.#store.publishes, ripeAtOnce, ...this.#asked])
    const [released, parks, asked, next, wall] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
    this.#ahead = Number(wall) - this.#store.clock.wall()
    const drafts = [...strings(parks), ...strings(asked)]
    await this.#asker.take(topic, partition, drafts, Number(wall))
    if (released === ripeAtOnce) return 0
    if (drafts.length > 0) return this.#now + againMs
    return next === null || next === undefined ? undefined : Number(next)
  }

  #failed(error: unknown): void {
    if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', 'looking for what is due'))
  }

  #armSafety(): void {
    this.#cancelSafety?.()
    this.#cancelSafety = this.#store.clock.after(limits.safetyLookMs, () => {
      void this.#lookAtAll().catch((error: unknown) => this.#failed(error)).finally(() => this.#isKeeping && this.#armSafety())
    })
  }

  /** One command a second at most: with very many partitions some have their turn later. On a cluster each partition is on a node of its own. */
  async #lookAtAll(): Promise<void> {
    const all = this.#all()
    const most = this.#store.client.isCluster ? Math.ceil(all.length / 10) : partsOfLook
    const parts = [...all, ...all].slice(this.#turn, this.#turn + Math.min(most, all.length))
    this.#turn = all.length === 0 ? 0 : (this.#turn + parts.length) % all.length
    if (this.#store.client.isCluster) return parts.forEach((part) => this.#notice(part, 0))
    const [first, ...rest] = parts.map(({ topic, partition }) => this.#store.names.part(topic, partition).log)
    const reply = first === undefined ? [] : await this.#store.run(soonest, [first, ...rest], this.#asked)
    parts.forEach((part, index) => {
      const due = Array.isArray(reply) ? (reply[index] as Reply) : null
      if (due !== null) this.#notice(part, Number(due))
    })
  }
}

function strings(reply: Reply | undefined): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
