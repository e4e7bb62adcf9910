import { setMaxListeners } from 'node:events'
import { setTimeout as timer } from 'node:timers/promises'
import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'

/** After a busy thread wakes up its timers run first, though answers lie in its sockets. */
const wakingMs = 250

/** The answer, or TIMEOUT. */
export async function within<T>(ms: Millis, what: string, work: Promise<T>): Promise<T> {
  let timeout: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const due = now() + ms
    const over = (): void => {
      if (now() - due > wakingMs) timeout = setTimeout(fail, wakingMs)
      else fail()
    }
    const fail = (): void => reject(new MillraceError('TIMEOUT', `${what}: no answer for ${Math.round(ms)} ms`))
    timeout = setTimeout(over, ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timeout)
  }
}

/** Waits, or is woken by the signal. True when the time is over. */
export async function rest(ms: Millis, signal: AbortSignal): Promise<boolean> {
  try {
    await timer(ms, undefined, { signal })
    return true
  } catch {
    return false
  }
}

/** Ends waits. Any number may listen. */
export function stopper(): AbortController {
  const made = new AbortController()
  setMaxListeners(0, made.signal)
  return made
}

/** Milliseconds that never go backwards. */
export function now(): Millis {
  return performance.now()
}

/** Grows from attempt to attempt, with some chance so that many do not come at once. */
export function backoff(attempt: number, firstMs: Millis = 20, mostMs: Millis = 500): Millis {
  return Math.min(firstMs * 2 ** attempt, mostMs) * (0.75 + Math.random() / 2)
}
