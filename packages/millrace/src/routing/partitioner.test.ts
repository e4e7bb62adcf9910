import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2 } from './murmur2.js'
import { keyHash } from './partitioner.js'

describe('keyHash', () => {
  test('a key always goes to the partition that Kafka would choose', () => {
    const partitioner = keyHash()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1_024 }), (key, partitions) => {
        const expected = (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions
        expect(partitioner.partition({ topic: 't', key }, partitions)).toBe(expected)
      }),
    )
  })

  test('messages without a key take turns, topic by topic', () => {
    const partitioner = keyHash()
    const next = (topic: string): number => partitioner.partition({ topic, key: null }, 3)
    expect([next('a'), next('a'), next('b'), next('a'), next('a')]).toEqual([0, 1, 0, 2, 0])
  })

  test('messages without a key stay for a run when asked to', () => {
    const partitioner = keyHash({ run: 2 })
    const turns = Array.from({ length: 6 }, () => partitioner.partition({ topic: 'a', key: null }, 2))
    expect(turns).toEqual([0, 0, 1, 1, 0, 0])
  })
})
