import { expect, it } from 'vitest'
import { Calls } from './calls.mjs'

it('knows how long the longest call took that was answered, whoever else has a call of the same number', () => {
  const calls = new Calls()
  const events = [
    { kind: 'invoke', process: 'a', call: 1, at: 0 },
    { kind: 'invoke', process: 'b', call: 1, at: 1_000 },
    { kind: 'delivered', process: 'a', at: 2_000 },
    { kind: 'info', process: 'b', call: 1, at: 8_000 },
    { kind: 'ok', process: 'a', call: 1, at: 5_000 },
    { kind: 'invoke', process: 'a', call: 2, at: 6_000 },
  ]
  for (const event of events) calls.take(event)
  expect(calls.longestMs).toBe(7)
})
