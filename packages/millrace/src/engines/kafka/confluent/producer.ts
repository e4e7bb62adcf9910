import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { NewRecord, Sent } from '../port.js'
import { asError, isNativeError } from './codes.js'
import { type Base, connect, everywhere, made } from './link.js'
import { closed, Outbox } from './outbox.js'
import { producerSettings, type Settings } from './settings.js'
import type { NativeProducer, NativeSettings } from './structure.js'
import { pause, told, within } from './wait.js'

const fatalText = /fatal/i
/** One look for a broker, which holds a thread of libuv's pool, and the time before the next. */
const reachMs = 500
const reachLookMs = 100

/** One native producer and what is on its way through it. */
export class Line {
  readonly native: NativeProducer
  readonly outbox: Outbox
  readonly #base: Base
  #isOver = false

  private constructor(base: Base, native: NativeProducer, confirmMs: number, fatal: (error: unknown) => void) {
    this.#base = base
    this.native = native
    this.outbox = new Outbox(native, base.clock, confirmMs, fatal)
  }

  static async open(base: Base, own: Settings, fatal: (error: unknown) => void): Promise<Line> {
    const settings: NativeSettings = { ...producerSettings, ...base.settings, ...own, dr_cb: true }
    const native = made(() => new base.library.Producer(settings))
    native.on('event.error', (error) => {
      if (fatalText.test(error.message)) fatal(error)
    })
    // A report that the client forgot must not keep a call for ever.
    const line = new Line(base, native, Number(settings['message.timeout.ms']) + 2_000, fatal)
    await connect(base, native, () => line.close(0))
    native.setPollInBackground(true)
    return line
  }

  get isOver(): boolean {
    return this.#isOver
  }

  async close(flushMs: number): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    if (this.native.isConnected()) {
      const done = told((answer) => this.native.disconnect(flushMs, () => answer(null)))
      await within(this.#base.clock, flushMs + this.#base.closeMs, done)
    }
    this.outbox.end(closed())
  }
}

/** The producer of everything outside transactions. After a fatal error it is built anew. */
export class ConfluentProducer {
  readonly #base: Base
  #line: Promise<Line> | undefined
  #reaching: Promise<boolean> | undefined
  #isClosed = false

  constructor(base: Base) {
    this.#base = base
  }

  async open(): Promise<void> {
    await this.#current()
  }

  async send(records: readonly NewRecord[]): Promise<readonly Sent[]> {
    try {
      const line = await this.#current()
      return await line.outbox.send(records)
    } catch (error) {
      const failure = asError(error, 'nothing was sent')
      return records.map(() => ({ error: failure, stored: 'no' }))
    }
  }

  /** What is remembered of a topic is old. */
  forget(topic: string): void {
    void this.#line?.then((line) => line.outbox.forget(topic)).catch(() => undefined)
  }

  /** Resolves when a broker answers: at once where one does, and when all is closed, where nobody should wait. Rejects when none does until `due`. */
  async reached(due: Millis): Promise<void> {
    while (!this.#isClosed) {
      this.#reaching ??= this.#reach().finally(() => (this.#reaching = undefined))
      if (await this.#reaching) return
      if (this.#base.clock.monotonic() >= due) throw new MillraceError('TIMEOUT', `no broker answers at ${this.#base.brokers.join(', ')}`)
      await pause(this.#base.clock, reachLookMs)
    }
  }

  async #reach(): Promise<boolean> {
    const line = await this.#current()
    if (line.isOver || !line.native.isConnected()) return true
    const error = await within(this.#base.clock, reachMs + 1_000, told((answer) => line.native.getMetadata({ topic: everywhere, allTopics: false, timeout: reachMs }, answer)))
    // What a broker says about the topic is an answer too; the client's own errors are below zero.
    return error === undefined || (error !== 'late' && error.code >= 0)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const line = await this.#line?.catch(() => undefined)
    await line?.close(this.#base.closeMs)
  }

  #current(): Promise<Line> {
    if (this.#isClosed) return Promise.reject(closed())
    if (this.#line !== undefined) return this.#line
    const opening: Promise<Line> = Line.open(this.#base, {}, (error) => this.#replace(opening, error))
    this.#line = opening
    opening.catch(() => {
      if (this.#line === opening) this.#line = undefined
    })
    return opening
  }

  /** What was on its way through a producer that is of no more use gets its answers while that one is closed. */
  #replace(broken: Promise<Line>, error: unknown): void {
    if (this.#line !== broken || !isNativeError(error)) return
    this.#line = undefined
    void broken.then((line) => line.close(0))
  }
}
