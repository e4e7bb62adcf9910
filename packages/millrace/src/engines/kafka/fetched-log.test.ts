import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Message } from '../../core/message.js'
import { FetchedLog } from './fetched-log.js'

function message(offset: number): Message {
  return { id: `m${offset}`, topic: 't', partition: 0, offset: BigInt(offset), key: null, value: Buffer.alloc(3), headers: [], timestamp: 0, producerId: 'p', kind: 'normal' }
}

it('has each message at its offset, whatever is missing between and wherever it was cut', () => {
  const step = fc.oneof(fc.record({ skip: fc.nat(3_000), count: fc.nat(900) }), fc.record({ cut: fc.nat(5_000) }))
  fc.assert(fc.property(fc.array(step, { maxLength: 30, size: 'max' }), fc.nat(2 ** 33), (steps, start) => {
    const log = new FetchedLog(0, start)
    let kept = new Map<number, Message>()
    let low = start
    for (const each of steps) {
      if ('cut' in each) {
        low = Math.max(low, start + each.cut)
        log.cut(low)
        kept = new Map([...kept].filter(([offset]) => offset >= low))
      } else {
        for (let offset = log.end + each.skip, { count } = each; count > 0; offset += 1 + (offset % 7 === 0 ? 1 : 0), count -= 1) {
          kept.set(offset, message(offset))
          log.append(kept.get(offset) as Message)
        }
      }
      expect([log.size, log.bytes]).toEqual([kept.size, kept.size * 3])
    }
    for (const [offset, one] of kept) if (log.at(offset) !== one) throw new Error(`${offset} is not there`)
    for (let offset = low - 2; offset < Math.min(log.end, low + 4_000) + 2; offset += 1) if (log.at(offset) !== kept.get(offset)) throw new Error(`${offset} is made up`)
  }))
})

it('takes nothing twice, and nothing that was passed', () => {
  const log = new FetchedLog(0, 5)
  for (const offset of [4, 5, 5, 7]) log.append(message(offset))
  log.endAt(10)
  log.append(message(9))
  expect([log.size, log.end, log.at(4), log.at(6), log.at(9), log.at(5)?.id]).toEqual([2, 10, undefined, undefined, undefined, 'm5'])
})
