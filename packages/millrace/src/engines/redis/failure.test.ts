import { expect, it } from 'vitest'
import { asError, storedAfter } from './failure.js'
import type { RedisFailure } from './port.js'

const failure = (became: RedisFailure['became'], code: string): RedisFailure => Object.assign(new Error('no'), { became, code })

it('says what became of a call that failed, and whether it may be stored', () => {
  const cases = [
    [failure('again', 'LOADING'), 'TIMEOUT', 'no'],
    [failure('unknown', 'CONNECTION'), 'UNKNOWN_OUTCOME', 'unknown'],
    [failure('full', 'OOM'), 'STORE_FULL', 'no'],
    [failure('refused', 'NOPERM'), 'FORBIDDEN', 'no'],
    [failure('refused', 'WRONGTYPE'), 'ENGINE_FAILED', 'no'],
  ] as const
  for (const [error, code, stored] of cases) {
    const told = asError(error, 'publish')
    expect([told, storedAfter(told)]).toEqual([expect.objectContaining({ code, cause: error }), stored])
  }
})
