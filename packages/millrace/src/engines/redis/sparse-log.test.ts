import { expect, it } from 'vitest'
import type { Message } from '../../core/message.js'
import { SparseLog } from './sparse-log.js'

function message(offset: number, bytes = 10): Message {
  return { id: `m${offset}`, topic: 't', partition: 0, offset: BigInt(offset), key: null, value: Buffer.alloc(bytes), headers: [], timestamp: 0, producerId: 'p', kind: 'normal' }
}

function logOf(...offsets: readonly number[]): SparseLog {
  const log = new SparseLog(0, 7)
  for (const offset of offsets) log.append(message(offset))
  return log
}

it('finds messages by their offsets, wherever it looked before', () => {
  const log = logOf(4_096, 4_097, 90_000, 8_000_000_000_000)
  for (const [place, first, left] of [[0, 4_096, 4], [4_097, 4_097, 3], [4_098, 90_000, 2], [4_096, 4_096, 4], [90_001, 8_000_000_000_000, 1], [8_000_000_000_001, log.end, 0], [1, 4_096, 4]] as const) {
    expect([log.sparse.next(place), log.sparse.count(place)]).toEqual([first, left])
  }
  expect([log.at(90_000)?.id, log.at(90_001), log.end, log.last]).toEqual(['m90000', undefined, 8_000_000_000_001, 8_000_000_000_000])
})

it('keeps nothing of what is finished: bodies at once, places when all before them are finished', () => {
  const log = new SparseLog(0, 0)
  for (let offset = 1; offset <= 10_000; offset += 1) {
    log.append(message(offset * 4_096))
    if (offset > 5) log.drop((offset - 5) * 4_096)
    if (offset > 50) log.cut((offset - 50) * 4_096)
    expect(log.bytes).toBe(Math.min(offset, 5) * 10)
  }
  expect([log.at(9_990 * 4_096), log.at(9_998 * 4_096)?.id, log.sparse.next(0), log.sparse.count(0), log.appended]).toEqual([undefined, `m${9_998 * 4_096}`, 9_950 * 4_096, 51, 10_000])
})

it('takes nothing twice, and nothing before the place where it reads on', () => {
  const log = logOf(3, 8, 8, 5)
  log.endAt(20)
  log.append(message(19))
  expect([log.sparse.count(0), log.appended, log.end]).toEqual([1, 1, 20])
})
