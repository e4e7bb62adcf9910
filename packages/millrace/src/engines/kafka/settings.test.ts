import { describe, expect, it } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import { changedSettings, topicSettings } from './settings.js'

const settings = (draft: Partial<Parameters<typeof topicConfig>[0]> = {}): Readonly<Record<string, string>> => topicSettings(topicConfig({ name: 'answers', ...draft }))

describe("a topic's settings on Kafka", () => {
  it('let Kafka remove nothing by itself, whatever is kept', () => {
    expect(settings({ keep: { ageMs: 1_000, bytes: 1_000 } })).toMatchObject({ 'retention.ms': '-1', 'retention.bytes': '-1' })
  })

  it('have room for the largest message with its key and headers, and for a batch of small ones', () => {
    expect(Number(settings({ maxMessageBytes: 4_000_000 })['max.message.bytes'])).toBeGreaterThan(4_000_000)
    expect(Number(settings({ maxMessageBytes: 100 })['max.message.bytes'])).toBeGreaterThan(1_000_000)
  })

  it('ask for two brokers in sync where there are copies, unless told otherwise', () => {
    expect(settings({ replicationFactor: 3 })).toMatchObject({ 'min.insync.replicas': '2' })
    expect(settings({ replicationFactor: 3, config: { 'min.insync.replicas': '1' } })).toMatchObject({ 'min.insync.replicas': '1' })
    expect(settings()).not.toHaveProperty('min.insync.replicas')
  })

  it('flush each message where a power loss is to be survived', () => {
    expect(settings({ durability: 'fsync' })).toMatchObject({ 'flush.messages': '1' })
  })

  it('let a sender\'s clock be ahead, unless told otherwise', () => {
    expect(settings()).toMatchObject({ 'message.timestamp.after.max.ms': '9223372036854775807' })
    expect(settings({ config: { 'message.timestamp.after.max.ms': '1000' } })).toMatchObject({ 'message.timestamp.after.max.ms': '1000' })
  })

  it('pass on what Kafka knows, and leave out what it does not', () => {
    const passed = settings({ config: { 'cleanup.policy': 'compact,delete', 'compression.type': 'zstd', team: 'blue' } })
    expect(passed).toMatchObject({ 'cleanup.policy': 'compact,delete', 'compression.type': 'zstd' })
    expect(passed).not.toHaveProperty('team')
  })

  it('refuse those that a field of the topic is for, and name it', () => {
    expect(() => settings({ config: { 'retention.ms': '1000' } })).toThrowError(/keep\.ageMs/u)
    expect(() => settings({ config: { 'max.message.bytes': '1000' } })).toThrowError(/maxMessageBytes/u)
  })

  it('are sent again only where they changed', () => {
    expect(changedSettings(settings(), settings({ config: { 'compression.type': 'lz4' } }))).toEqual({ 'compression.type': 'lz4' })
    expect(changedSettings(settings(), settings())).toEqual({})
  })
})
