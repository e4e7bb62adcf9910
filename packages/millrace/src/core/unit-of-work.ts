import { AsyncLocalStorage } from 'node:async_hooks'
import { type Bookmark, emptyBookmark, mergeBookmarks } from './bookmark.js'

/** A W3C trace context: the `traceparent` and `tracestate` headers as they stand. */
export interface Trace {
  readonly traceparent: string
  readonly tracestate?: string
}

/**
 * What one request or one handler run carries along. The one place where bookmark, trace and transaction live:
 * broker, data, cache and events ask here and none of them guesses.
 */
export interface UnitOfWork {
  /** All that this unit has written or seen. */
  readonly bookmark: Bookmark
  readonly trace: Trace | undefined
  readonly inTransaction: boolean
  /** Adds what was written or seen. */
  saw(bookmark: Bookmark): void
  /** Runs after the open transaction has committed, at once when none is open; never after a rollback. */
  afterCommit(callback: () => void | Promise<void>): Promise<void>
  /** Runs `work` with a transaction open. Its callbacks run when it returns, are dropped when it throws. A nested one joins. */
  transaction<T>(work: () => Promise<T>): Promise<T>
}

const current = new AsyncLocalStorage<UnitOfWork>()

/** The unit of work that the caller runs in, or undefined outside of one. */
export function currentUnit(): UnitOfWork | undefined {
  return current.getStore()
}

/** Runs `work` inside a new unit of work. */
export function runUnit<T>(start: { bookmark?: Bookmark; trace?: Trace | undefined }, work: () => T): T {
  return current.run(new Unit(start.bookmark ?? emptyBookmark, start.trace), work)
}

class Unit implements UnitOfWork {
  bookmark: Bookmark
  readonly trace: Trace | undefined
  #callbacks: (() => void | Promise<void>)[] | undefined

  constructor(bookmark: Bookmark, trace: Trace | undefined) {
    this.bookmark = bookmark
    this.trace = trace
  }

  get inTransaction(): boolean {
    return this.#callbacks !== undefined
  }

  saw(bookmark: Bookmark): void {
    this.bookmark = mergeBookmarks(this.bookmark, bookmark)
  }

  async afterCommit(callback: () => void | Promise<void>): Promise<void> {
    if (this.#callbacks) this.#callbacks.push(callback)
    else await callback()
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    if (this.#callbacks) return work()
    const callbacks: (() => void | Promise<void>)[] = []
    this.#callbacks = callbacks
    let result: T
    try {
      result = await work()
    } finally {
      this.#callbacks = undefined
    }
    for (const callback of callbacks) await callback()
    return result
  }
}
