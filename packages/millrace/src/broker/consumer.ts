import { isMillraceError, limits, MillraceError, type Millis } from '../core/index.js'
import { backoffMs } from './backoff.js'
import type { Runtime } from './runtime.js'
import { Session, type SessionOptions } from './session.js'
import { within } from './waiting.js'

export interface CloseOptions {
  /** Time for handlers that run to finish; what is unfinished then is handed back. Default 30 s. */
  readonly deadlineMs?: Millis
}

/** A member of a group at work, from `consume` until `close`. Keeps the process alive. */
export interface Consumer {
  readonly topic: string
  readonly group: string
  readonly member: string
  /** 'failed': its first join was refused, and `ready` says why; or its engine was closed under it, and `onError` has heard of it. */
  readonly state: 'joining' | 'running' | 'paused' | 'closing' | 'closed' | 'failed'
  /** Resolves when it has joined its group. Rejects when it never can: UNKNOWN_TOPIC, INVALID, UNSUPPORTED. */
  readonly ready: Promise<void>
  /** Messages in hand: waiting, running, or not yet settled. */
  readonly inHand: number
  /** Leases and starts nothing; what runs goes on. */
  pause(): void
  resume(): void
  /** Stops leasing, lets what runs finish until the deadline, hands the rest back at once. Nothing unfinished is acknowledged. */
  close(options?: CloseOptions): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface GroupConsumerOptions {
  readonly session: SessionOptions
  /** Before each join: throws UNKNOWN_TOPIC, or creates the topic. */
  readonly prepare: () => Promise<unknown>
  readonly closed: (consumer: Consumer) => void
}

/** Joins, and joins again whenever its session lapses, until it is closed. */
export class GroupConsumer implements Consumer {
  readonly topic: string
  readonly group: string
  readonly member: string
  readonly ready: Promise<void>
  readonly #runtime: Runtime
  readonly #options: GroupConsumerOptions
  readonly #keepAlive: NodeJS.Timeout
  readonly #living: Promise<void>
  #session: Session | undefined
  #hasJoined = false
  #isPaused = false
  #isOver: 'closed' | 'failed' | undefined
  #closing: Promise<void> | undefined
  #endSleep: (() => void) | undefined

  constructor(runtime: Runtime, options: GroupConsumerOptions) {
    const { request } = options.session
    this.topic = request.topic
    this.group = request.group
    this.member = request.member
    this.#runtime = runtime
    this.#options = options
    // Not a time: a handle that keeps the process from ending while there may be work.
    this.#keepAlive = setInterval(() => undefined, 2 ** 30)
    let live: Promise<void> = Promise.resolve()
    this.ready = new Promise((resolve, reject) => {
      live = this.#live(resolve, reject)
    })
    this.ready.catch(() => undefined)
    this.#living = live
  }

  get state(): Consumer['state'] {
    if (this.#isOver) return this.#isOver
    if (this.#closing) return 'closing'
    if (!this.#hasJoined) return 'joining'
    return this.#isPaused ? 'paused' : 'running'
  }

  get inHand(): number {
    return this.#session?.inHand ?? 0
  }

  pause(): void {
    this.#isPaused = true
    this.#session?.pause(true)
  }

  resume(): void {
    this.#isPaused = false
    this.#session?.pause(false)
  }

  close({ deadlineMs = limits.closeMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(deadlineMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(deadlineMs: Millis): Promise<void> {
    const why = new MillraceError('ABORTED', 'the consumer is closing')
    this.#endSleep?.()
    try {
      await this.#session?.stop(deadlineMs, why)
    } catch (error) {
      this.#runtime.report(error)
    }
    await within(this.#runtime.clock, this.#living, deadlineMs)
    this.#end('closed')
  }

  async #live(joined: () => void, refused: (error: unknown) => void): Promise<void> {
    for (let failures = 0; !this.#closing && !this.#isOver; ) {
      try {
        await this.#sitOnce(joined)
      } catch (error) {
        const session = this.#session
        this.#session = undefined
        if (this.#closing) break
        this.#runtime.report(error)
        failures = session?.hasLeased ? 1 : failures + 1
        const sleep = this.#sleep(backoffMs(failures, this.#runtime.random))
        await this.#part(session, error)
        if (this.#isFatal(error)) {
          refused(error)
          this.#end('failed')
          return
        }
        await sleep
      }
    }
    joined()
  }

  /** One session, until it lapses or the consumer closes. */
  async #sitOnce(joined: () => void): Promise<void> {
    await this.#options.prepare()
    const session = new Session(this.#runtime, this.#options.session, this.#isPaused)
    await session.join()
    this.#session = session
    if (this.#closing) return session.stop(0, new MillraceError('ABORTED', 'the consumer is closing'))
    this.#hasJoined = true
    session.pause(this.#isPaused)
    joined()
    return session.lease()
  }

  /** A membership that is over is thrown away; any other is left in order, and what it has in hand is handed back. */
  async #part(session: Session | undefined, error: unknown): Promise<void> {
    if (isOver(error)) session?.abandon(error)
    else await session?.stop(this.#options.session.request.drainMs, error).catch((trouble: unknown) => this.#runtime.report(trouble))
  }

  #isFatal(error: unknown): boolean {
    if (!isMillraceError(error)) return false
    return error.code === 'CLOSED' || (!this.#hasJoined && hopeless.has(error.code))
  }

  #end(state: 'closed' | 'failed'): void {
    if (this.#isOver) return
    this.#isOver = state
    clearInterval(this.#keepAlive)
    this.#options.closed(this)
  }

  async #sleep(ms: Millis): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#runtime.clock.after(ms, resolve)
      this.#endSleep = () => {
        cancel()
        resolve()
      }
    })
  }
}

/** What no later try of the first join can help. */
const hopeless: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC', 'INVALID', 'UNSUPPORTED', 'CONFIG', 'STORE_FOREIGN', 'STORE_DAMAGED'])

function isOver(error: unknown): boolean {
  return isMillraceError(error) && (error.code === 'LAPSED' || error.code === 'CLOSED' || error.code === 'NOT_OPEN')
}
