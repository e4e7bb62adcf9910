import { checkWhole, limits, MillraceError, type Millis } from '../core/index.js'

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

/** A retry for every error, in place, or rules. What no rule matches is retried by the default. */
export type RetryPolicy = Retry | readonly ErrorRule[]

type ExponentialOptions = Pick<Retry, 'attempts'> & Partial<Pick<Retry, 'firstMs' | 'factor' | 'maxMs' | 'jitter'>>

/** Waits that grow: `firstMs`, then `factor` times as long each, up to `maxMs`; any part of it by default (full jitter). */
export function exponential({ attempts, firstMs = 100, factor = 2, maxMs = 60_000, jitter = 'full' }: ExponentialOptions): Retry {
  return { attempts, firstMs, factor, maxMs, jitter }
}

/** The same wait each time. */
export function fixed({ attempts, everyMs, jitter = 'none' }: Pick<Retry, 'attempts'> & Partial<Pick<Retry, 'jitter'>> & { readonly everyMs: Millis }): Retry {
  return { attempts, firstMs: everyMs, factor: 1, maxMs: everyMs, jitter }
}

/** These waits, one after another; one attempt more than there are waits. */
export function steps(stepsMs: readonly Millis[], { jitter = 'none' }: Partial<Pick<Retry, 'jitter'>> = {}): Retry {
  return { attempts: stepsMs.length + 1, firstMs: 0, factor: 1, maxMs: limits.maxBackoffMs, jitter, stepsMs }
}

/** A wait computed from the attempt that failed (1 at first) and its error. Cannot be shown or sent as data. */
export function custom({ attempts, delayMs }: Pick<Retry, 'attempts'> & { readonly delayMs: NonNullable<Retry['delayMs']> }): Retry {
  return { attempts, firstMs: 0, factor: 1, maxMs: limits.maxBackoffMs, jitter: 'none', delayMs }
}

/** Five attempts in place: 100 ms, 200 ms, 400 ms, 800 ms at most between them. */
export const defaultRetry: Retry = exponential({ attempts: 5 })

/** The policy as rules. Throws INVALID naming the field. */
export function errorRules(policy: RetryPolicy = defaultRetry): readonly ErrorRule[] {
  const rules: readonly ErrorRule[] = isRetry(policy) ? [{ retry: policy }] : policy
  rules.forEach((rule, index) => {
    if ('retry' in rule) checkRetry(`retry.${index}`, rule.retry)
    if (typeof rule.match?.message === 'string') checkPattern(`retry.${index}.match.message`, rule.match.message)
  })
  return rules
}

/** Rules as data: patterns become their text. Errors: INVALID for a computed wait, and for a pattern with flags. */
export function policyData(policy: RetryPolicy): readonly ErrorRule[] {
  return errorRules(policy).map((rule) => {
    if ('retry' in rule && rule.retry.delayMs) throw new MillraceError('INVALID', 'a computed wait is not data: use exponential, fixed or steps', { field: 'retry.delayMs' })
    const message = rule.match?.message
    if (message instanceof RegExp && message.flags !== '') throw new MillraceError('INVALID', `pattern ${message} has flags, which data has not`, { field: 'retry.match.message' })
    return message instanceof RegExp ? { ...rule, match: { ...rule.match, message: message.source } } : rule
  })
}

export type Judgement = { readonly is: 'dead' } | { readonly is: 'again'; readonly when: 'in-place' | 'later'; readonly delayMs: Millis }

/** What becomes of a message whose run number `attempt` threw `error`. */
export function judge(rules: readonly ErrorRule[], error: unknown, attempt: number, random: () => number): Judgement {
  const rule = rules.find(({ match }) => match === undefined || matches(match, error)) ?? { retry: defaultRetry }
  if (!('retry' in rule) || attempt >= rule.retry.attempts) return { is: 'dead' }
  return { is: 'again', when: rule.when ?? 'in-place', delayMs: delayOf(rule.retry, attempt, error, random) }
}

/** The wait after run number `attempt`, in whole milliseconds from 0 to the longest. */
export function delayOf(retry: Retry, attempt: number, error: unknown, random: () => number): Millis {
  const whole = retry.delayMs?.(attempt, error) ?? retry.stepsMs?.[Math.min(attempt, retry.stepsMs.length) - 1] ?? retry.firstMs * retry.factor ** (attempt - 1)
  const bounded = Math.min(Number.isNaN(whole) ? retry.maxMs : Math.max(whole, 0), retry.maxMs, limits.maxBackoffMs)
  return Math.round(jittered(bounded, retry.jitter, random))
}

function jittered(whole: Millis, jitter: Retry['jitter'], random: () => number): Millis {
  if (jitter === 'none') return whole
  return jitter === 'full' ? whole * random() : whole / 2 + (whole / 2) * random()
}

function matches(match: ErrorMatch, error: unknown): boolean {
  const { name, code, message } = errorFields(error)
  if (match.name !== undefined && match.name !== name) return false
  if (match.code !== undefined && match.code !== code) return false
  return match.message === undefined || message.search(match.message) !== -1
}

/** Name, code and message of whatever was thrown. */
export function errorFields(error: unknown): { readonly name: string; readonly code: string | undefined; readonly message: string; readonly stack: string | undefined } {
  if (typeof error !== 'object' || error === null) return { name: typeof error, code: undefined, message: String(error), stack: undefined }
  const { name, code, message, stack } = error as { readonly [field: string]: unknown } // each is checked below
  return {
    name: typeof name === 'string' ? name : 'Object',
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : undefined,
    message: typeof message === 'string' ? message : plain(error),
    stack: typeof stack === 'string' ? stack : undefined,
  }
}

function plain(error: object): string {
  try {
    return JSON.stringify(error) ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

function isRetry(policy: RetryPolicy): policy is Retry {
  return 'attempts' in policy
}

function checkRetry(field: string, retry: Retry): void {
  checkWhole(`${field}.attempts`, retry.attempts, 1, limits.maxAttempts)
  for (const wait of [retry.firstMs, retry.maxMs, ...(retry.stepsMs ?? [])]) {
    if (!(wait >= 0)) throw new MillraceError('INVALID', `${field} waits ${wait} ms: give 0 or more`, { field })
  }
}

function checkPattern(field: string, pattern: string): void {
  try {
    new RegExp(pattern) // oxlint-disable-line no-new -- only whether it is one
  } catch (cause) {
    throw new MillraceError('INVALID', `${field} ${JSON.stringify(pattern)} is not a regular expression`, { field, cause })
  }
}
