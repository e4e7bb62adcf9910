import { describe, expect, it } from 'vitest'
import { decodeHeld, encodeHeld, type HeldRow } from './held-row.js'

const message = { id: 'm1', topic: 't', partition: 3, offset: 7_000n, key: 'ключ', value: Buffer.from([0, 255, 1]), headers: [['h', Buffer.from('x')]] as const, timestamp: 1.5, producerId: 'p', kind: 'normal' as const }
const retry: HeldRow = {
  state: 'r', heldAt: 99, blocks: true, park: true, alone: false, attempt: 4, message,
  hold: { why: 'retry', until: 1_795_000_000_000.25, then: 'release', group: 'g', attempt: 4, failure: { reason: 'no', kind: 'E', firstAt: 1, lastAt: 2 } },
}

describe('a held row as bytes', () => {
  it('comes back as it was, of a group', () => {
    expect(decodeHeld({ topic: 't', partition: 3, offset: 7_000n }, 'g', encodeHeld(retry))).toEqual({ ...retry, version: 0 })
  })

  it('comes back as it was, of a message that nobody has seen', () => {
    const row: HeldRow = {
      state: 'p', heldAt: 5, blocks: false, park: false, alone: false, attempt: 0,
      hold: { why: 'prepared', until: 'decided', then: { ask: 'billing', checks: 3, everyMs: 10, parkAt: 100 }, attempt: 0 },
      message: { ...message, offset: null, key: null, value: null, kind: 'transaction' },
    }
    expect(decodeHeld({ topic: 't', partition: 3, offset: null }, undefined, encodeHeld(row))).toEqual({ ...row, version: 0 })
  })

  it('keeps the reason of one that was released', () => {
    const lent: HeldRow = { ...retry, state: 'R', hold: { ...retry.hold, why: 'lent', token: 'secret', attempt: 4 } }
    expect(decodeHeld({ topic: 't', partition: 3, offset: 7_000n }, 'g', encodeHeld(lent))).toEqual({ ...lent, version: 0 })
  })
})
