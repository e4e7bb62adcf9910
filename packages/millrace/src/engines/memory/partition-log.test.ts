import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartitionLog } from './partition-log.js'

function message(offset: number) {
  return { id: `m${offset}`, topic: 't', partition: 0, offset: BigInt(offset), key: null, value: null, headers: [], timestamp: offset, producerId: 'p', kind: 'normal' } as const
}

describe('partition log', () => {
  it('finds every message that is not cut, and counts bytes, over many chunks', () => {
    const step = fc.record({ append: fc.nat(1_500), cut: fc.nat(2_000) })
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }), (steps) => {
      const log = new PartitionLog(0)
      for (const { append, cut } of steps) {
        for (let count = 0; count < append; count += 1) log.append(message(log.end), (log.end % 7) + 1)
        log.cut(log.start + cut)
        expect(log.at(log.start - 1)).toBeUndefined()
        expect(log.at(log.end)).toBeUndefined()
        let bytes = 0
        for (let offset = log.start; offset < log.end; offset += 1) {
          if (log.at(offset)?.timestamp !== offset) throw new Error(`${offset} is not in its place`)
          bytes += (offset % 7) + 1
        }
        expect(log.bytes).toBe(bytes)
      }
    })
    fc.assert(property, { numRuns: 30 })
  })

  it('goes on at the same offset after everything was cut', () => {
    const log = new PartitionLog(0)
    for (let count = 0; count < 2_048; count += 1) log.append(message(log.end), 1)
    log.cut(5_000)
    expect([log.start, log.end, log.bytes]).toEqual([2_048, 2_048, 0])
    log.append(message(log.end), 1)
    expect(log.at(2_048)?.id).toBe('m2048')
    expect(log.find(0, ({ timestamp }) => timestamp > 9_000)).toBe(2_049)
  })
})
