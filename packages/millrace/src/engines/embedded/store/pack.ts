import type { LeaseAnswer } from '../protocol.js'
import type { Leased } from './lease.js'

/** Packs leased messages into one buffer that is handed over, not copied. */
export function packLease(leased: readonly Leased[]): LeaseAnswer {
  const size = leased.length
  const bytes = new ArrayBuffer(leased.reduce((sum, { record }) => sum + record.length, 0))
  const into = Buffer.from(bytes)
  const answer = {
    bytes,
    ends: new Uint32Array(size),
    partition: new Uint32Array(size),
    offset: new Float64Array(size),
    attempt: new Uint32Array(size),
    epoch: new Float64Array(size),
    special: new Map<number, Exclude<ReturnType<LeaseAnswer['special']['get']>, undefined>>(),
  }
  let end = 0
  leased.forEach((one, index) => {
    into.set(one.record, end)
    answer.ends[index] = end += one.record.length
    answer.partition[index] = one.partition
    answer.offset[index] = one.offset
    answer.attempt[index] = one.attempt
    answer.epoch[index] = one.epoch
    if (one.again) answer.special.set(index, { again: one.again, alone: one.alone, ...(one.failure ? { failure: one.failure } : {}) })
  })
  return answer
}
