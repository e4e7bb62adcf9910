import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyBytes, keyText } from '../../core/key-bytes.js'
import type { Header, MessageKind } from '../../core/message.js'
import { messageOf, recordOf } from './message-codec.js'

const bytes = fc.uint8Array({ maxLength: 8 }).map((each) => Buffer.from(each))
const names = fc.oneof(fc.constantFrom('millrace-id', 'millrace-producer', 'millrace-kind', 'millrace-delayed-until', 'h'), fc.string({ maxLength: 5 }))
const headers: fc.Arbitrary<readonly Header[]> = fc.array(fc.tuple(names, bytes), { maxLength: 5 })
const message = fc.record({
  id: fc.string({ minLength: 1, maxLength: 20 }),
  partition: fc.nat(9),
  key: fc.option(bytes.map((each) => keyText(each))),
  value: fc.option(bytes),
  headers,
  timestamp: fc.nat(),
  producerId: fc.string({ maxLength: 9 }),
  kind: fc.constantFrom<MessageKind>('normal', 'delay', 'transaction'),
  until: fc.option(fc.nat(), { nil: undefined }),
})

describe('a message as a record of Kafka', () => {
  it('comes back as it was, though the user has headers of the same names', () => {
    const property = fc.property(message, ({ until, ...sent }) => {
      const whole = { ...sent, ...(sent.kind === 'delay' && until !== undefined ? { delayedUntil: until } : {}) }
      const record = recordOf('x.t', whole)
      const read = messageOf({ ...record, timestamp: sent.timestamp, offset: 7n }, 't')
      expect(read).toEqual({ ...whole, topic: 't', offset: 7n })
    })
    fc.assert(property)
  })

  it('has key, value and headers of the user as Kafka has them', () => {
    const record = recordOf('x.t', { id: 'a', partition: 3, key: 'k', value: Buffer.from('v'), headers: [['h', Buffer.from('1')], ['h', Buffer.from('2')]], timestamp: 5, producerId: 'p' })
    expect([record.topic, record.partition, record.key, record.value, record.timestamp]).toEqual(['x.t', 3, keyBytes('k'), Buffer.from('v'), 5])
    expect(record.headers.slice(-2).map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([['h', '1'], ['h', '2']])
  })

  it('of another producer has its place for an id, and all of its headers', () => {
    const foreign: readonly Header[] = [['h', Buffer.from('1')], ['millrace-id', Buffer.from('x')]]
    const read = messageOf({ topic: 'x.t', partition: 2, offset: 40n, key: null, value: null, headers: foreign, timestamp: 1 }, 't')
    expect([read.id, read.producerId, read.kind, read.key, read.value, read.headers]).toEqual(['t-2-40', '', 'normal', null, null, foreign])
  })
})
