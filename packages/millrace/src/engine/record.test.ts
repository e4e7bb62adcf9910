import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Draft } from '../core/message.js'
import { editRecord, packDrafts, readRecord, recordKey, recordTimestamp } from './record.js'

const bytes = fc.uint8Array({ maxLength: 300 })
const place = { topic: 't', partition: 3, offset: 12n }
const drafts = fc.array(fc.record({
  id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
  key: fc.option(fc.string({ unit: 'grapheme', maxLength: 50 })),
  value: fc.option(bytes),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), bytes), { maxLength: 5 }),
  timestamp: fc.double({ noNaN: true }),
  producerId: fc.string({ maxLength: 30 }),
  until: fc.option(fc.nat()),
}), { minLength: 1, maxLength: 5 })

type Plain = Pick<Draft, 'id' | 'key' | 'value' | 'headers' | 'timestamp' | 'producerId'> & { readonly until: number | null }

function draftOf({ until, ...plain }: Plain): Draft {
  const draft = { ...plain, topic: place.topic, partition: place.partition }
  return until === null ? draft : { ...draft, hold: { why: 'delay', until, then: 'release', attempt: 0 } }
}

/** What must be read back of it. Values and headers are compared as bytes. */
function messageOf({ until, value, headers, ...plain }: Plain): unknown {
  return {
    ...plain, ...place,
    value: value && Buffer.from(value),
    headers: headers.map(([name, each]) => [name, Buffer.from(each)]),
    kind: until === null ? 'normal' : 'delay',
    ...(until === null ? {} : { delayedUntil: until }),
  }
}

function recordsOf(plain: readonly Plain[]): Buffer[] {
  const packed = packDrafts(plain.map(draftOf))
  return Array.from(packed.ends, (end, index) => Buffer.from(packed.bytes).subarray(packed.ends[index - 1] ?? 0, end))
}

describe('a record', () => {
  it('comes back as it was packed, among others', () => {
    fc.assert(fc.property(drafts, (plain) => {
      for (const [index, record] of recordsOf(plain).entries()) {
        const each = plain[index]!
        expect(readRecord(record, place)).toEqual(messageOf(each))
        expect(recordKey(record)?.toString()).toBe(each.key ?? undefined)
        expect(recordTimestamp(record)).toBe(each.timestamp)
      }
    }))
  })

  it('that was edited differs in what the edit says, and stays whole', () => {
    fc.assert(fc.property(drafts, fc.option(bytes), fc.option(fc.array(fc.tuple(fc.string({ maxLength: 20 }), bytes), { maxLength: 3 }), { nil: undefined }), ([first], value, headers) => {
      if (!first) return
      const [record] = recordsOf([first])
      const edited = editRecord(record!, place, headers ? { value, headers } : { value })
      expect(readRecord(edited, place)).toEqual(messageOf({ ...first, value, ...(headers ? { headers } : {}) }))
    }))
  })

  it('with a flipped bit anywhere is STORE_DAMAGED and names its place', () => {
    fc.assert(fc.property(drafts, fc.nat(), fc.nat(7), ([first], at, bit) => {
      const record = Buffer.from(recordsOf([first!])[0]!)
      const position = at % record.length
      record[position] = (record[position] ?? 0) ^ (1 << bit)
      expect(() => readRecord(record, place)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('t/3/12') }))
    }))
  })

  it('that is cut short is STORE_DAMAGED', () => {
    fc.assert(fc.property(drafts, fc.nat(), ([first], at) => {
      const record = recordsOf([first!])[0]!
      expect(() => readRecord(record.subarray(0, at % record.length), place)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }))
    }))
  })
})
