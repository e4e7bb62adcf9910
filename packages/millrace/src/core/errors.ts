const brand = Symbol.for('millrace.error')

/** Every code, and whether trying the same call again can help. `docs/errors.md` has a line for each. */
export const errorCodes = {
  INVALID: false,
  UNSUPPORTED: false,
  NOT_OPEN: false,
  CLOSED: false,
  UNKNOWN_TOPIC: false,
  TOPIC_EXISTS: false,
  UNKNOWN_GROUP: false,
  UNKNOWN_HOLD: false,
  HELD_ALREADY: false,
  TOO_LARGE: false,
  FULL: true,
  STORE_FULL: true,
  STORE_BUSY: true,
  STORE_FOREIGN: false,
  STORE_DAMAGED: false,
  STORE_LOST: false,
  LAPSED: false,
  TIMEOUT: true,
  ABORTED: false,
  UNKNOWN_OUTCOME: true,
  SCHEMA: false,
  CODEC: false,
  POISON: false,
  ENGINE_FAILED: true,
  UNAUTHENTICATED: false,
  FORBIDDEN: false,
  CONFIG: false,
} as const

export type ErrorCode = keyof typeof errorCodes

export interface ErrorDetail {
  /** The field or setting that was wrong. */
  readonly field?: string
  readonly cause?: unknown
}

/** The one error class. Known by its brand, so that two copies of the package understand each other. */
export class MillraceError extends Error {
  readonly code: ErrorCode
  /** True when trying the same call again can help. */
  readonly retryable: boolean
  readonly field?: string
  readonly [brand] = true

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, 'cause' in detail ? { cause: detail.cause } : undefined)
    this.name = 'MillraceError'
    this.code = code
    this.retryable = errorCodes[code]
    if (detail.field !== undefined) this.field = detail.field
  }
}

export function isMillraceError(error: unknown): error is MillraceError {
  return typeof error === 'object' && error !== null && brand in error
}

/** The error itself when it is ours, otherwise it as the cause of one with this code. */
export function asMillraceError(error: unknown, code: ErrorCode, what: string): MillraceError {
  if (isMillraceError(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new MillraceError(code, `${what}: ${reason}`, { cause: error })
}
