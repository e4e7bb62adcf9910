import { type Bookmark, emptyBookmark, type Millis, type Trace } from '../core/index.js'
import { deadLetter, retryLater } from './endings.js'
import { bookmarkOf, traceOf } from './propagation.js'
import type { Context } from './received.js'
import type { Send } from './send.js'
import type { Run } from './run.js'

/** Aborts late or never: the signal is made when somebody asks for it. */
export class LazySignal {
  #controller: AbortController | undefined
  #reason: { readonly why: unknown } | undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason) this.#controller.abort(this.#reason.why)
    return this.#controller.signal
  }

  abort(why: unknown): void {
    this.#reason ??= { why }
    this.#controller?.abort(why)
  }
}

/** One run of a handler for one message, and the context it gets. */
export class Attempt implements Context {
  readonly attempt: number
  readonly group: string
  readonly bookmark: Bookmark
  readonly trace: Trace | undefined
  readonly send: Send
  readonly deadLetter = deadLetter
  readonly retryLater = retryLater
  /** Monotonic time of its deadline. */
  readonly due: Millis
  readonly run: Run
  /** Most handlers never ask. */
  #signal: LazySignal | undefined

  constructor(run: Run, group: string, send: Send, due: Millis) {
    const { headers } = run.delivery.message
    this.run = run
    this.attempt = run.attempt
    this.group = group
    this.send = send
    this.due = due
    this.bookmark = headers.length === 0 ? emptyBookmark : bookmarkOf(headers)
    this.trace = headers.length === 0 ? undefined : traceOf(headers)
  }

  get signal(): AbortSignal {
    this.#signal ??= new LazySignal()
    return this.#signal.signal
  }

  abort(why: unknown): void {
    this.#signal ??= new LazySignal()
    this.#signal.abort(why)
  }
}
