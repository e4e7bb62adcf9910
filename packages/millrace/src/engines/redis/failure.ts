import { type ErrorCode, MillraceError } from '../../core/errors.js'
import type { RedisFailure } from './port.js'

export function isFailure(error: unknown): error is RedisFailure {
  return error instanceof Error && 'became' in error && 'code' in error
}

/** What a call that failed may have left behind. */
export function storedAfter(error: unknown): 'no' | 'unknown' {
  const failure = error instanceof MillraceError ? error.cause : error
  return isFailure(failure) && failure.became !== 'unknown' ? 'no' : 'unknown'
}

/** A failed call as an error of ours, which has it as its cause. */
export function asError(error: unknown, what: string): unknown {
  if (!isFailure(error)) return error
  const [code, hint] = meaning(error)
  return new MillraceError(code, `${what}: ${error.message}${hint}`, { cause: error })
}

function meaning({ became, code }: RedisFailure): readonly [code: ErrorCode, hint: string] {
  if (became === 'unknown') return ['UNKNOWN_OUTCOME', '']
  if (became === 'again') return ['TIMEOUT', '']
  if (became === 'full') return ['STORE_FULL', ': let groups catch up, shorten keep, or give Redis more maxmemory']
  if (code === 'NOPERM') return ['FORBIDDEN', ': the docs list what the user needs (docs/engines/redis.md)']
  if (code === 'NOAUTH' || code === 'WRONGPASS') return ['UNAUTHENTICATED', ': give the client a user and password']
  return ['ENGINE_FAILED', '']
}
