import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyText } from '../../core/key-bytes.js'
import type { MessageKind } from '../../core/message.js'
import { entryMessage, fieldsOf, messageOf, pack, packedBytes, type Unplaced } from './entry.js'
import { idBefore, offsetOf, streamId } from './offset.js'

const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
const unplaced: fc.Arbitrary<Unplaced> = fc.record({
  id: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
  key: fc.option(bytes.map(keyText), { nil: null }),
  value: fc.option(bytes, { nil: null }),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 9, unit: 'grapheme' }), bytes), { maxLength: 4 }),
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  producerId: fc.string({ maxLength: 9 }),
  kind: fc.constantFrom<MessageKind>('normal', 'delay', 'transaction'),
}, { noNullPrototype: true })
const delayed = fc.tuple(unplaced, fc.option(fc.integer({ min: 0, max: 2 ** 45 }))).map(([each, until]): Unplaced => (until === null ? each : { ...each, delayedUntil: until }))
const place = { topic: 't', partition: 3, offset: 7_000_000_000_001n }

describe('entry', () => {
  it('a message comes back from its fields as it was', () => {
    fc.assert(fc.property(delayed, (message) => {
      const fields = fieldsOf(message)
      expect(messageOf(place, fields)).toEqual({ ...message, ...place })
      const reply = (['value', 'key', 'meta'] as const).flatMap((name) => [Buffer.from(name), fields[name]])
      expect(entryMessage(place, reply)).toEqual({ ...message, ...place })
    }))
  })

  it('a packed entry is its three fields, each behind its length, and no longer than was said', () => {
    fc.assert(fc.property(delayed, (message) => {
      const into = Buffer.alloc(packedBytes(message) + 3)
      const end = pack(into, 3, message)
      expect(end).toBeLessThanOrEqual(into.length)
      const { value, key, meta } = fieldsOf(message)
      const length = (of: Buffer): Buffer => Buffer.from(Uint32Array.of(of.length).buffer)
      expect(into.subarray(3, end)).toEqual(Buffer.concat([length(value), value, length(key), key, length(meta), meta]))
    }))
  })

  it('an entry of another producer is read by the names of its fields', () => {
    const fields = (...words: string[]): readonly Buffer[] => words.map((each) => Buffer.from(each))
    const [ms, offset] = [1_800_000_000_000, 1_800_000_000_000n * 4_096n + 5n]
    const plain = { topic: 't', partition: 0, offset, producerId: '', kind: 'normal', timestamp: ms }
    const at = { topic: 't', partition: 0, offset }
    expect(entryMessage(at, fields('body', 'x'))).toEqual({ ...plain, id: `t-0-${ms}-5`, key: null, value: Buffer.from('x'), headers: [] })
    expect(entryMessage(at, fields('id', 'i', 'value', 'x', 'key', 'k', 'shop', 's'))).toEqual({ ...plain, id: 'i', key: 'k', value: Buffer.from('x'), headers: [['shop', Buffer.from('s')]] })
    expect(entryMessage(at, fields('value', 'x', 'key', 'k', 'meta', 'not of ours at all'))).toMatchObject({ key: 'k', headers: [['meta', Buffer.from('not of ours at all')]] })
    expect(entryMessage(at, fields('shop', 's', 'id', ''))).toMatchObject({ id: `t-0-${ms}-5`, value: null, headers: [['shop', Buffer.from('s')]] })
  })
})

describe('offset', () => {
  it('is the id of an entry, both ways, and orders as ids do', () => {
    const id = fc.tuple(fc.integer({ min: 0, max: 2 ** 41 - 1 }), fc.nat(4_095))
    fc.assert(fc.property(id, id, ([ms, seq], [otherMs, otherSeq]) => {
      const [one = -1, other = -1] = [offsetOf(`${ms}-${seq}`), offsetOf(Buffer.from(`${otherMs}-${otherSeq}`))]
      expect(streamId(one)).toBe(`${ms}-${seq}`)
      expect(streamId(BigInt(one))).toBe(`${ms}-${seq}`)
      expect(Math.sign(one - other)).toBe(Math.sign(ms - otherMs) || Math.sign(seq - otherSeq))
    }))
  })

  it('an entry whose seq is too high has none', () => {
    expect([offsetOf('5-4095'), offsetOf('5-4096')]).toEqual([5 * 4_096 + 4_095, undefined])
  })

  it('what is read after the id before a place begins with the place', () => {
    expect([idBefore(0), idBefore(5), idBefore(4_096n), idBefore(2 * 4_096)]).toEqual(['0-0', '0-4', '0-18446744073709551615', '1-18446744073709551615'])
  })
})
