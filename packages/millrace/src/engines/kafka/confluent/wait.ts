import type { Cancel, Clock, Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { asError } from './codes.js'
import type { NativeAnswer, NativeError, NativeResult } from './structure.js'

/** What came within the time, or 'late'. */
export async function within<Value>(clock: Clock, ms: Millis, work: Promise<Value>): Promise<Value | 'late'> {
  let cancel: Cancel = () => undefined
  const late = new Promise<'late'>((resolve) => {
    cancel = clock.after(ms, () => resolve('late'))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}

export function pause(clock: Clock, ms: Millis): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/** A call that answers with an error only. */
export function told(call: (answer: NativeAnswer) => void): Promise<NativeError | undefined> {
  return new Promise((resolve, reject) => {
    try {
      call((error) => resolve(error ?? undefined))
    } catch (error) {
      reject(asError(error, 'the Kafka client refused a call'))
    }
  })
}

/** A call with an answer, which ends in time even when the client forgets it. */
export async function answered<Answer>(clock: Clock, ms: Millis, what: string, call: (answer: NativeResult<Answer>) => void): Promise<Answer> {
  const work = new Promise<Answer>((resolve, reject) => {
    try {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the client's own error: who asked goes by its code
      call((error, answer) => (error === null || error === undefined ? resolve(answer) : reject(error)))
    } catch (error) {
      reject(asError(error, what))
    }
  })
  const answer = await within(clock, ms, work)
  if (answer === 'late') throw new MillraceError('TIMEOUT', `${what}: the cluster has not answered for ${ms} ms`)
  return answer
}
