import { describe, expect, it } from 'vitest'
import type { MillraceError } from '../../core/errors.js'
import { checkLevel, survives, survivesInOurs } from './durability.js'

describe('what a Kafka topic survives', () => {
  it('is a killed broker process, with one copy and with settings that say nothing', () => {
    expect(survives({ replicationFactor: 1, config: {} })).toEqual(['memory', 'os'])
  })

  it('is a power loss only where each message is flushed', () => {
    expect(survives({ replicationFactor: 1, config: { 'flush.messages': '1' } })).toEqual(['memory', 'os', 'fsync'])
    expect(survives({ replicationFactor: 1, config: { 'flush.messages': '9223372036854775807' } })).not.toContain('fsync')
  })

  it('is the loss of a broker only where two are in sync when a message is answered', () => {
    expect(survives({ replicationFactor: 3, config: { 'min.insync.replicas': '2' } })).toEqual(['memory', 'os', 'replicated'])
    expect(survives({ replicationFactor: 3, config: { 'min.insync.replicas': '1' } })).not.toContain('replicated')
    expect(survives({ replicationFactor: 3, config: {} })).not.toContain('replicated')
    expect(survives({ replicationFactor: 1, config: { 'min.insync.replicas': '2' } })).not.toContain('replicated')
  })

  it('is a set: copies without flushes, and flushes without copies', () => {
    expect(survives({ replicationFactor: 2, config: { 'min.insync.replicas': '2' } })).not.toContain('fsync')
    expect(survives({ replicationFactor: 2, config: { 'flush.messages': '1' } })).not.toContain('replicated')
    expect(survives({ replicationFactor: 3, config: { 'flush.messages': '1', 'min.insync.replicas': '2' } })).toEqual(['memory', 'os', 'fsync', 'replicated'])
  })
})

describe('a level that a topic does not meet', () => {
  it('is refused, with what would meet it', () => {
    const refusal = (): void => checkLevel('replicated', 'answers', { replicationFactor: 1, config: {} })
    expect(refusal).toThrowError(/min\.insync\.replicas of 2/u)
    expect(refusal).toThrowError(expect.objectContaining<Partial<MillraceError>>({ code: 'UNSUPPORTED', field: 'durability' }))
  })

  it('is not one that it meets, nor none at all', () => {
    expect(() => checkLevel('os', 'answers', { replicationFactor: 1, config: {} })).not.toThrow()
    expect(() => checkLevel(undefined, 'answers', { replicationFactor: 1, config: {} })).not.toThrow()
  })
})

it('what the engine promises is what its own topics survive, in which verdicts and holds are', () => {
  expect(survivesInOurs(1, {})).toEqual(['memory', 'os'])
  expect(survivesInOurs(3, {})).toEqual(['memory', 'os', 'replicated'])
  expect(survivesInOurs(3, { 'flush.messages': '1', 'min.insync.replicas': '1' })).toEqual(['memory', 'os', 'fsync'])
})
