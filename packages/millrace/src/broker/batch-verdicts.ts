import { type Bookmark, emptyBookmark, mergeBookmarks, MillraceError } from '../core/index.js'
import { Ending } from './endings.js'
import { bookmarkOf } from './propagation.js'
import type { BatchVerdict } from './received.js'
import type { Run } from './run.js'

/** What a verdict that is not 'done' would have been as a throw. */
export function thrownBy(verdict: Exclude<BatchVerdict, 'done'>): unknown {
  if ('fail' in verdict) return verdict.fail
  if ('deadLetter' in verdict) return new Ending(verdict.deadLetter, { is: 'dead' })
  return new Ending(`again in ${verdict.retryLaterMs} ms`, { is: 'later', ms: verdict.retryLaterMs })
}

/** Throws INVALID unless there is one for each message. */
export function checkVerdicts(verdicts: readonly BatchVerdict[], expected: number): void {
  if (Array.isArray(verdicts) && verdicts.length === expected) return
  const given = Array.isArray(verdicts) ? `${verdicts.length} verdicts` : typeof verdicts
  throw new MillraceError('INVALID', `the batch handler gave ${given} for ${expected} messages: give one for each, or nothing when all are done`, { field: 'verdicts' })
}

/** The later of what the senders had written or seen. */
export function bookmarkOfAll(runs: readonly Run[]): Bookmark {
  let bookmark = emptyBookmark
  for (const { delivery } of runs) if (delivery.message.headers.length > 0) bookmark = mergeBookmarks(bookmark, bookmarkOf(delivery.message.headers))
  return bookmark
}
