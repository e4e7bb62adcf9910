import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { backoff, now, rest } from './deadline.js'
import { failure, isPassing } from './failure.js'

export interface Patience {
  readonly ms: Millis
  readonly signal: AbortSignal
}

/** Tries until it works, fails for good, or the time is over; then in our own words. */
export async function insist<T>(patience: Patience, what: string, work: () => Promise<T>, again: (error: unknown) => boolean = isPassing): Promise<T> {
  const due = now() + patience.ms
  for (let attempt = 0; ; attempt += 1) {
    if (patience.signal.aborted) throw new MillraceError('CLOSED', `${what}: the client is closed`)
    try {
      return await work()
    } catch (error) {
      if (patience.signal.aborted) throw new MillraceError('CLOSED', `${what}: the client is closed`, { cause: error })
      if (!again(error)) throw failure(error, what)
      if (now() >= due) throw failure(error, what, 'TIMEOUT')
    }
    await rest(backoff(attempt), patience.signal)
  }
}

/** Looks until there is an answer other than undefined. */
export async function until<T>(patience: Patience, what: string, look: () => Promise<T | undefined>): Promise<T> {
  return insist(
    patience,
    what,
    async () => {
      const found = await look()
      if (found === undefined) throw new NotYet(`${what}: it has not come about in ${patience.ms} ms`)
      return found
    },
    (error) => error instanceof NotYet || isPassing(error),
  )
}

class NotYet extends Error {}
