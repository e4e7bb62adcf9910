import { type Cancel, isMillraceError, limits, messageHold, MillraceError, type Millis } from '../core/index.js'
import type { Page } from '../engine/index.js'
import { murmur2 } from '../routing/index.js'
import { backoffMs } from './backoff.js'
import type { Producer } from './producer.js'
import type { Runtime } from './runtime.js'
import { type Plan, planOf, type Schedule } from './schedule.js'
import { type Entry, ScheduleBook, scheduleTopic, slotId } from './schedule-book.js'
import { checked } from './schema-check.js'
import type { SendOptions } from './send.js'
import { contractOf, nameOf, type TopicRef } from './topic-contract.js'
import type { TopicBook } from './topics.js'

/** A schedule of the store. */
export interface Scheduled {
  readonly topic: string
  readonly name: string
  readonly everyMs?: Millis
  /** The slot that was planned last. In the past: no instance has the schedule set now. */
  readonly next: Date
}

/** A schedule that is set in this instance. */
interface Running {
  readonly plan: Plan
  /** The revision of the book's entry that it goes by. */
  revision: number
  /** The slot that it planned last. */
  planned: Millis
  /** When to look again, by the wall clock. */
  lookAt: Millis
  failures: number
  send(id: string, at: Millis, dedup: NonNullable<SendOptions['dedup']>): Promise<unknown>
}

/**
 * Messages that are sent again and again. A slot is a delayed message whose id and dedup id name its time, planned by
 * every instance that has the schedule set: however many they are, it is sent once. The book says which plan counts,
 * and is read again after each slot that was planned, so that a plan that was replaced meanwhile takes its slot back.
 */
export class Schedules {
  readonly #runtime: Runtime
  readonly #topics: TopicBook
  readonly #producer: Producer
  readonly #book: ScheduleBook
  readonly #running = new Map<string, Running>()
  #pass: Promise<void> | undefined
  #timer: Cancel | undefined
  #isStopped = false

  constructor(runtime: Runtime, topics: TopicBook, producer: Producer) {
    this.#runtime = runtime
    this.#topics = topics
    this.#producer = producer
    this.#book = new ScheduleBook(runtime)
  }

  /**
   * Sets the schedule here and plans its next slot; resolves when that is stored, with its time. Same again: nothing
   * changes. Another plan of this name gives way, in every instance. Errors: INVALID naming the field, and those of `send`.
   */
  async set<Input>(topic: TopicRef<Input, unknown>, schedule: Schedule<NoInfer<Input>>): Promise<Date> {
    const contract = contractOf(topic)
    const plan = planOf(contract, schedule)
    if (contract.schema) await checked(contract.schema, schedule.value, contract.name)
    const { partitions } = await this.#topics.find(contract)
    await this.#topics.ensure({ name: scheduleTopic, partitions: 1, description: 'Which schedules are set; never read.' })
    const first = plan.next(this.#runtime.clock.wall())
    if (first === undefined) throw new MillraceError('INVALID', 'cron has no time after now', { field: 'cron' })
    const partition = plan.key === null ? (murmur2(Buffer.from(plan.name)) >>> 0) % partitions : undefined
    const running: Running = {
      plan,
      revision: 0,
      planned: 0,
      lookAt: 0,
      failures: 0,
      send: (id, at, dedup) => this.#producer.send(contract, schedule.value, { id, at, dedup, key: plan.key, headers: plan.headers, ...(partition !== undefined && { partition }) }),
    }
    await this.#claim(running, first)
    await this.#planNext(running)
    if (this.#isStopped) throw closed()
    this.#running.set(keyOf(plan.topic, plan.name), running)
    this.#arm()
    return new Date(first)
  }

  /** Ends the schedule in every instance and cancels its slot. False when there was none in the store. */
  async remove(topic: TopicRef, name: string): Promise<boolean> {
    await this.#runtime.open()
    const topicName = nameOf(topic)
    this.#running.delete(keyOf(topicName, name))
    const removed = await this.#book.remove(topicName, name)
    await this.#book.sweep(topicName, name)
    return removed
  }

  /** The schedules of the store, whichever instance has set them. */
  async list({ limit = 100, cursor }: { readonly limit?: number; readonly cursor?: string } = {}): Promise<Page<Scheduled>> {
    await this.#runtime.open()
    const page = await this.#book.list(limit, cursor)
    return { ...page, items: page.items.map(({ topic, name, everyMs, next }) => ({ topic, name, next: new Date(next), ...(everyMs !== undefined && { everyMs }) })) }
  }

  /** Plans no more; what is planned stays. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.()
    await this.#pass
  }

  /** Makes the plan the one that counts. The slots of the one before are cancelled. */
  async #claim(running: Running, next: Millis): Promise<void> {
    const { topic, name, mark, everyMs } = running.plan
    const entry = { topic, name, mark, next, ...(everyMs !== undefined && { everyMs }) }
    running.planned = 0
    running.revision = this.#runtime.clock.wall()
    if (await this.#book.insert({ ...entry, revision: running.revision })) return
    const before = await this.#book.read(topic, name)
    if (!before) return this.#claim(running, next)
    const isSame = before.mark === mark
    const revision = isSame ? before.revision : before.revision + 1
    running.revision = revision
    if (isSame && !before.unswept) return
    if (!isSame) await this.#book.update({ ...entry, revision, unswept: true })
    await this.#book.sweep(topic, name, revision)
    await this.#book.update({ ...entry, revision })
  }

  /** False when the schedule has no slot any more. */
  async #planNext(running: Running): Promise<boolean> {
    const { plan, revision } = running
    const now = this.#runtime.clock.wall()
    const at = plan.next(Math.max(now, running.planned))
    if (at === undefined) return false
    const id = slotId(plan.name, at, revision)
    await running.send(id, at, { id, windowMs: at - now + limits.scheduleDedupMs }).catch(unlessHeld)
    const entry = await this.#book.read(plan.topic, plan.name)
    if (!entry || !follows(running, entry)) {
      await this.#runtime.engine.decide([{ hold: messageHold(plan.topic, id), to: 'drop' }])
      running.lookAt = now
      return true
    }
    if (entry.next < at) await this.#book.update({ ...entry, next: at })
    running.planned = at
    // Ahead of its due time, so that a handler that kills the process does not take the next slot with it.
    running.lookAt = at - Math.min(limits.safetyLookMs, (at - now) / 2)
    return true
  }

  /** False when the schedule is over for this instance. */
  async #look(running: Running): Promise<boolean> {
    const { plan, revision } = running
    const entry = await this.#book.read(plan.topic, plan.name)
    if (!entry) return false
    if (follows(running, entry)) return this.#planNext(running)
    if (entry.mark === plan.mark) {
      running.revision = entry.revision
      running.planned = 0
      return this.#planNext(running)
    }
    const now = this.#runtime.clock.wall()
    const takeOverAt = entry.revision < revision ? now : entry.next + limits.scheduleTakeOverMs
    if (takeOverAt > now) {
      running.lookAt = Math.min(takeOverAt, now + limits.scheduleTakeOverMs)
      return true
    }
    await this.#claim(running, plan.next(now) ?? now)
    return this.#planNext(running)
  }

  /** One timer for all. It looks at the wall clock once a safety look, as that may be set. */
  #arm(): void {
    this.#timer?.()
    if (this.#isStopped || this.#pass || this.#running.size === 0) return
    const { clock } = this.#runtime
    const first = Math.min(...[...this.#running.values()].map(({ lookAt }) => lookAt))
    this.#timer = clock.after(Math.min(Math.max(first - clock.wall(), 0), limits.safetyLookMs), () => {
      this.#pass = this.#lookAtDue().finally(() => {
        this.#pass = undefined
        this.#arm()
      })
    })
  }

  async #lookAtDue(): Promise<void> {
    for (const [key, running] of this.#running) {
      if (this.#isStopped) return
      if (running.lookAt > this.#runtime.clock.wall()) continue
      const goesOn = await this.#lookSafely(running)
      if (!goesOn && this.#running.get(key) === running) this.#running.delete(key)
    }
  }

  async #lookSafely(running: Running): Promise<boolean> {
    try {
      const goesOn = await this.#look(running)
      running.failures = 0
      return goesOn
    } catch (error) {
      this.#runtime.report(error)
      if (isMillraceError(error) && error.code === 'UNKNOWN_TOPIC') {
        const { topic, name } = running.plan
        await this.#book.remove(topic, name).catch((trouble: unknown) => this.#runtime.report(trouble))
        return false
      }
      running.failures += 1
      running.lookAt = this.#runtime.clock.wall() + backoffMs(running.failures, this.#runtime.random)
      return true
    }
  }
}

/** It is the plan that counts. */
function follows({ plan, revision }: Running, entry: Entry): boolean {
  return entry.mark === plan.mark && entry.revision === revision
}

/** Another instance has planned this slot. */
function unlessHeld(error: unknown): void {
  if (!isMillraceError(error) || error.code !== 'HELD_ALREADY') throw error
}

function keyOf(topic: string, name: string): string {
  return `${topic}:${name}`
}

function closed(): MillraceError {
  return new MillraceError('CLOSED', 'this Millrace is closed: make a new one')
}
