import type { Cancel, Clock, Millis } from '../../../core/clock.js'
import type { NativeConsumer, NativeError, NativeMessage } from './structure.js'

/** Only for a ring that got lost. */
const lookMs = 200
/** How much is taken at a time, and how long the rest is between, while the application has enough: so that no partition waits for ever behind what another cannot get rid of. */
const eased = { max: 100, restMs: 100 }

/**
 * Takes what a native consumer has ready whenever it says that there is something, so much at a time, and never waits inside the client: that would hold a
 * thread of libuv's pool, and the client's own endless loop ends without a word at its first error and knows no bound.
 * While a call is out the consumer's partitions must not change: `between` runs then, before the next call.
 */
export class Pump {
  readonly #consumer: NativeConsumer
  readonly #clock: Clock
  readonly #max: number
  readonly #on: PumpEvents
  #isOut = false
  #isRung = false
  #isEased = false
  #isStopped = false
  #look: Cancel | undefined
  #outSince: Millis = 0
  #stopped: (() => void) | undefined

  constructor(consumer: NativeConsumer, clock: Clock, max: number, on: PumpEvents) {
    this.#consumer = consumer
    this.#clock = clock
    this.#max = max
    this.#on = on
    consumer.setDefaultConsumeTimeout(0)
  }

  readonly ring = (): void => {
    const wasRung = this.#isRung
    this.#isRung = true
    if (this.#isOut || this.#isStopped) return
    if (!this.#isEased) this.#take()
    else if (!wasRung) this.#lookIn(eased.restMs)
  }

  /** The application has enough: what comes goes on waiting in the client, which bounds it, and is taken little by little. */
  ease(isEased: boolean): void {
    this.#isEased = isEased
    if (!isEased && this.#isRung && !this.#isOut && !this.#isStopped) this.#take()
  }

  /** Milliseconds that the call under way has taken. */
  get outMs(): Millis {
    return this.#isOut ? this.#clock.monotonic() - this.#outSince : 0
  }

  get isOut(): boolean {
    return this.#isOut
  }

  /** No event comes from the call on. Resolves when no call is out. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#look?.()
    return this.#isOut ? new Promise((resolve) => (this.#stopped = resolve)) : Promise.resolve()
  }

  #take(): void {
    this.#look?.()
    this.#look = undefined
    if (!this.#consumer.isConnected()) return
    this.#isOut = true
    this.#isRung = false
    this.#outSince = this.#clock.monotonic()
    this.#took = false
    this.#consumer.consume(this.#isEased ? eased.max : this.#max, (error, messages = []) => this.#taken(error ?? undefined, messages))
  }

  /** Told by the owner when something came that is no message. */
  #took = false
  took(): void {
    this.#took = true
  }

  #taken(error: NativeError | undefined, messages: readonly NativeMessage[]): void {
    this.#isOut = false
    this.#stopped?.()
    if (this.#isStopped) return
    this.#on.between(error, messages)
    if (this.#isStopped || this.#isOut) return
    this.#isRung ||= this.#took || messages.length > 0
    if (this.#isEased) this.#lookIn(eased.restMs)
    else if (this.#isRung) setImmediate(() => this.#isStopped || this.#isOut || this.#take())
    else this.#lookIn(lookMs)
  }

  #lookIn(ms: Millis): void {
    this.#look?.()
    this.#look = this.#clock.after(ms, () => this.#isStopped || this.#isOut || this.#take())
  }
}

export interface PumpEvents {
  /** A call came back with these; nothing is out. */
  between(error: NativeError | undefined, messages: readonly NativeMessage[]): void
}
