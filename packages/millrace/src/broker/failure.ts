import { type Failure, limits, type Millis } from '../core/index.js'
import { errorFields } from './retry-policy.js'

/** What is kept of an error with a retry or a dead letter: `kind` is its code, else its class. */
export function failureOf(error: unknown, before: Failure | undefined, now: Millis): Failure {
  const { name, code, message, stack } = errorFields(error)
  return {
    reason: (message.split('\n', 1)[0] ?? '').slice(0, limits.maxReasonChars),
    kind: code ?? name,
    ...(stack !== undefined && { stack: stack.slice(0, limits.maxStackChars) }),
    firstAt: before?.firstAt ?? now,
    lastAt: now,
  }
}
