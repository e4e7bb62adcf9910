import { asMillraceError, type Draft, type Durability, isMillraceError, limits, MillraceError, type Cancel } from '../core/index.js'
import type { Published } from '../engine/index.js'
import { traced } from './diagnostics.js'
import type { BufferOptions } from './options.js'
import type { Runtime } from './runtime.js'

/** Drafts that were sent together and are answered together. */
export interface Parcel {
  /** Undefined while it is still being made: what comes after it waits, so that order is kept. */
  drafts: readonly Draft[] | undefined
  /** Messages and bytes that count against the buffer. */
  readonly messages: number
  bytes: number
  readonly level: Durability | undefined
  /** The first so many were dropped to make room. */
  dropped: number
  state: 'line' | 'buffer' | 'under-way' | 'over'
  readonly answered: (answers: readonly Published[]) => void
}

interface Waiter {
  readonly parcel: Parcel
  readonly cancel: Cancel
  readonly let: () => void
}

/** The bounded buffer between senders and the engine. What is put in one tick goes out in one call. */
export class Outbox {
  readonly #runtime: Runtime
  readonly #options: Required<BufferOptions>
  readonly #parcels: Parcel[] = []
  readonly #line: Waiter[] = []
  readonly #idle: (() => void)[] = []
  #messages = 0
  #bytes = 0
  #underWay = 0
  #scheduled = false

  constructor(runtime: Runtime, options: BufferOptions = {}) {
    this.#runtime = runtime
    this.#options = {
      maxMessages: limits.sendBufferMessages,
      maxBytes: limits.sendBufferBytes,
      whenFull: 'wait',
      timeoutMs: limits.sendWaitMs,
      ...options,
    }
  }

  /** The most messages that one parcel should have. */
  get parcelSize(): number {
    return Math.min(limits.publishBatch, this.#options.maxMessages)
  }

  /** Takes a parcel in, at once or when there is room; a promise only when it has to wait. A refused one is answered FULL. */
  put(parcel: Parcel): void | Promise<void> {
    if (this.#line.length === 0 && this.#fits(parcel)) return this.#accept(parcel)
    if (this.#options.whenFull === 'drop-oldest') {
      this.#dropUntil(parcel)
      return this.#accept(parcel)
    }
    if (this.#options.whenFull === 'reject' || this.#line.length >= limits.sendWaiters) return end(parcel, this.#full('is full'))
    return this.#wait(parcel)
  }

  /** A parcel that was put while still being made is ready, or its making has failed. */
  ready(parcel: Parcel, made: readonly Draft[] | MillraceError): void {
    if (parcel.state === 'over') return
    if (Array.isArray(made)) parcel.drafts = made as readonly Draft[] // Array.isArray forgets readonly
    else this.withdraw(parcel, made as MillraceError)
    this.#schedule()
  }

  /** Takes a parcel out that is not under way. False when it is too late. */
  withdraw(parcel: Parcel, error: MillraceError): boolean {
    if (parcel.state === 'under-way' || parcel.state === 'over') return false
    if (parcel.state === 'buffer') {
      this.#parcels.splice(this.#parcels.indexOf(parcel), 1)
      this.#free(parcel)
    } else this.#leaveLine(parcel)
    end(parcel, error)
    this.#letIn()
    return true
  }

  /** Resolves when all that was put has been answered. */
  async drained(): Promise<void> {
    while (this.#parcels.length > 0 || this.#line.length > 0 || this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Answers all that is not under way with an error. */
  refuseAll(error: MillraceError): void {
    for (const { parcel } of this.#line.slice()) this.withdraw(parcel, error)
    for (const parcel of this.#parcels.slice()) this.withdraw(parcel, error)
    this.#tellIdle()
  }

  #fits(parcel: Parcel): boolean {
    if (this.#messages === 0) return true
    return this.#messages + parcel.messages <= this.#options.maxMessages && this.#bytes + parcel.bytes <= this.#options.maxBytes
  }

  #accept(parcel: Parcel): void {
    parcel.state = 'buffer'
    this.#parcels.push(parcel)
    this.#messages += parcel.messages
    this.#bytes += parcel.bytes
    if (this.#messages >= limits.publishBatch && parcel.drafts) this.#flush()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#underWay < limits.publishesUnderWay) {
      const parcels = this.#take()
      if (parcels.length === 0) break
      void this.#publish(parcels)
    }
    this.#letIn()
    this.#tellIdle()
  }

  /** The next parcels that can go in one call: made, of one level, within the batch. */
  #take(): Parcel[] {
    let count = 0
    let messages = 0
    const level = this.#parcels[0]?.level
    for (const parcel of this.#parcels) {
      const more = parcel.messages - parcel.dropped
      if (!parcel.drafts || parcel.level !== level || (count > 0 && messages + more > limits.publishBatch)) break
      messages += more
      count += 1
    }
    const taken = this.#parcels.splice(0, count)
    for (const parcel of taken) {
      parcel.state = 'under-way'
      this.#free(parcel)
    }
    return taken
  }

  async #publish(parcels: readonly Parcel[]): Promise<void> {
    this.#underWay += 1
    const drafts = draftsOf(parcels)
    const answers = await this.#ask(drafts, parcels[0]?.level)
    this.#underWay -= 1
    let at = 0
    for (const parcel of parcels) {
      const count = (parcel.drafts?.length ?? 0) - parcel.dropped
      const own = parcels.length === 1 ? answers : answers.slice(at, at + count)
      at += count
      parcel.state = 'over'
      parcel.answered(parcel.dropped > 0 ? [...this.#droppedAnswers(parcel.dropped), ...own] : own)
    }
    this.#flush()
  }

  async #ask(drafts: readonly Draft[], level: Durability | undefined): Promise<readonly Published[]> {
    if (drafts.length === 0) return []
    const { engine } = this.#runtime
    try {
      return await traced('send', () => ({ engine: engine.name, drafts, level }), async (operation) => {
        const answers = await engine.publish(drafts, level)
        if (operation) operation.answers = answers
        return answers
      })
    } catch (cause) {
      const error = asMillraceError(cause, 'ENGINE_FAILED', `engine ${engine.name} failed to publish`)
      const stored = refusals.has(error.code) ? 'no' : 'unknown'
      return drafts.map(() => ({ error, stored }))
    }
  }

  #dropUntil(parcel: Parcel): void {
    for (const oldest of this.#parcels.slice()) {
      if (this.#fits(parcel)) return
      const spare = this.#messages + parcel.messages - this.#options.maxMessages
      const left = oldest.messages - oldest.dropped
      if (spare > 0 && spare < left && oldest.drafts) this.#dropPart(oldest, spare)
      else this.withdraw(oldest, this.#full('was full: it made room for newer ones'))
    }
  }

  #dropPart(parcel: Parcel, count: number): void {
    const bytes = draftsBytes(parcel.drafts?.slice(parcel.dropped, parcel.dropped + count) ?? [])
    parcel.dropped += count
    parcel.bytes -= bytes
    this.#messages -= count
    this.#bytes -= bytes
  }

  #droppedAnswers(count: number): Published[] {
    const error = this.#full('was full: it made room for newer ones')
    return Array.from({ length: count }, () => ({ error, stored: 'no' as const }))
  }

  #wait(parcel: Parcel): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#runtime.clock.after(this.#options.timeoutMs, () => this.withdraw(parcel, this.#full(`had no room for ${this.#options.timeoutMs} ms`)))
      this.#line.push({ parcel, cancel, let: resolve })
    })
  }

  #letIn(): void {
    for (let first = this.#line[0]; first && this.#fits(first.parcel); first = this.#line[0]) {
      this.#leaveLine(first.parcel)
      this.#accept(first.parcel)
    }
  }

  #leaveLine(parcel: Parcel): void {
    const at = this.#line.findIndex((waiter) => waiter.parcel === parcel)
    const [waiter] = at < 0 ? [] : this.#line.splice(at, 1)
    waiter?.cancel()
    waiter?.let()
  }

  #free(parcel: Parcel): void {
    this.#messages -= parcel.messages - parcel.dropped
    this.#bytes -= parcel.bytes
  }

  #tellIdle(): void {
    if (this.#parcels.length > 0 || this.#line.length > 0 || this.#underWay > 0) return
    for (const tell of this.#idle.splice(0)) tell()
  }

  #full(how: string): MillraceError {
    const { maxMessages, maxBytes } = this.#options
    return new MillraceError('FULL', `the send buffer ${how} (${maxMessages} messages, ${maxBytes} bytes): send less at once, or raise buffer`, { field: 'buffer' })
  }
}

/** What an engine throws before it has touched anything. */
const refusals: ReadonlySet<string> = new Set(['INVALID', 'UNSUPPORTED', 'NOT_OPEN', 'CLOSED'])

export function draftsBytes(drafts: readonly Draft[]): number {
  let bytes = 0
  for (const { value } of drafts) bytes += value?.byteLength ?? 0
  return bytes
}

function draftsOf(parcels: readonly Parcel[]): readonly Draft[] {
  const [first] = parcels
  if (parcels.length === 1 && first && first.dropped === 0) return first.drafts ?? []
  return parcels.flatMap((parcel) => (parcel.dropped > 0 ? (parcel.drafts ?? []).slice(parcel.dropped) : (parcel.drafts ?? [])))
}

function end(parcel: Parcel, error: MillraceError): void {
  parcel.state = 'over'
  parcel.answered(Array.from({ length: parcel.messages }, () => ({ error, stored: 'no' as const })))
}

/** The error that a single send throws for an answer that is none. */
export function sendError(answer: Published): MillraceError | undefined {
  if (!('error' in answer)) return undefined
  const { error, stored } = answer
  if (stored !== 'unknown' || (isMillraceError(error) && error.code === 'UNKNOWN_OUTCOME')) return error
  return new MillraceError('UNKNOWN_OUTCOME', `it may or may not have been stored: ${error.message}`, { cause: error })
}
