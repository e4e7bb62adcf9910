import type { Millis } from '../core/index.js'

/** How often to try, and how long to wait between. Plain data, but for a custom `delayMs`. */
export interface Retry {
  /** Runs in all, the first included. */
  readonly attempts: number
  readonly firstMs: Millis
  /** Each wait is this many times the one before. */
  readonly factor: number
  readonly maxMs: Millis
  /** `full`: anything from 0 to the wait; `equal`: from half of it to the whole. */
  readonly jitter: 'none' | 'full' | 'equal'
  /** Instead of the arithmetic above: the wait after each attempt, the last one repeating. */
  readonly stepsMs?: readonly Millis[]
  /** Instead of all that: computed. Not data any more. */
  readonly delayMs?: (attempt: number, error: unknown) => Millis
}

/** Fields that are given must all fit: `name` and `code` exactly, `message` as a regular expression. */
export interface ErrorMatch {
  readonly name?: string
  readonly code?: string
  readonly message?: string | RegExp
}

/** What becomes of a message whose handler failed. The first rule that matches counts; one without `match` matches all. */
export type ErrorRule = { readonly match?: ErrorMatch } & (
  | {
      readonly retry: Retry
      /** `in-place` keeps the key's order and the message in hand; `later` gives it back until its time. Default `in-place`. */
      readonly when?: 'in-place' | 'later'
    }
  | { readonly deadLetter: true }
)

/** A retry for every error, or rules. What no rule matches is retried by the default. */
export type RetryPolicy = Retry | readonly ErrorRule[]
