import { describe, expect, it } from 'vitest'
import { checkSettings } from './settings.js'

describe('settings of kafkajs', () => {
  it('are free where nothing is promised on them', () => {
    expect(() => checkSettings({ ssl: true, sasl: { mechanism: 'plain' }, requestTimeout: 5_000, clientId: 'shop' })).not.toThrow()
  })

  it.each(['brokers', 'retry', 'enforceRequestTimeout', 'idempotent', 'acks', 'readUncommitted', 'maxInFlightRequests'])('%s is refused by its name', (name) => {
    expect(() => checkSettings({ [name]: false })).toThrow(expect.objectContaining({ code: 'CONFIG', field: name }))
  })

  it('that are times must be times', () => {
    for (const requestTimeout of [0, -1, NaN, '5']) expect(() => checkSettings({ requestTimeout })).toThrow(expect.objectContaining({ code: 'CONFIG', field: 'requestTimeout' }))
  })
})
