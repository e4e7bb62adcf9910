import { describe, expect, it } from 'vitest'
import { lagOf, leasedOf, lowOf, passedBy, readyOf, seekRow, startRow } from './cursor-row.js'
import type { CursorRow } from './rows.js'

/** Of 20 offsets it has 10, 11 and 15 in hand, 12 and 13 waiting, all others before 18 finished. */
const busy: CursorRow = { ...startRow(18n), owner: 'me', leased: [[10, 12], [15, 16]], waiting: [[12, 14]], again: [[13, 2, 1]], copies: [3], settled: 13, purged: 1 }
const bounds = { start: 0n, end: 20n }

describe('the row of a cursor', () => {
  it('stands before the lowest that is not finished', () => {
    expect(lowOf(busy)).toBe(10n)
    expect(lowOf(startRow(7n))).toBe(7n)
  })

  it('owes what is in hand, what waits, and what was never taken', () => {
    expect([leasedOf(busy), readyOf(busy, bounds), lagOf(busy, bounds)]).toEqual([3, 4, 7])
  })

  it('owes nothing that was removed before it was taken', () => {
    expect(lagOf(startRow(0n), { start: 5n, end: 8n })).toBe(3)
    expect(lagOf(startRow(9n), { start: 5n, end: 8n })).toBe(0)
  })
})

describe('a cursor that is moved', () => {
  it('belongs to nobody, has nothing in hand, and reads on from the place', () => {
    expect(seekRow(busy, 20n, 0)).toMatchObject({ owner: null, next: 20, leased: [], copies: [] })
  })

  it('keeps what waits before the place, with its attempts, and drops the rest', () => {
    expect(seekRow(busy, 13n, 0)).toMatchObject({ waiting: [[12, 13]], again: [] })
    expect(seekRow(busy, 14n, 0)).toMatchObject({ waiting: [[12, 14]], again: [[13, 2, 1]] })
    expect(seekRow(busy, 5n, 0)).toMatchObject({ waiting: [], again: [] })
  })

  it('counts as passed what it never took, and what was in hand before the place', () => {
    expect(passedBy(busy, 20n, 0n)).toBe(2 + 3)
    expect(passedBy(busy, 11n, 0n)).toBe(1)
    expect(passedBy(busy, 0n, 0n)).toBe(0)
    expect(passedBy(startRow(0n), 8n, 5n)).toBe(3)
    expect(seekRow(busy, 20n, 5)).toMatchObject({ settled: 13, purged: 6 })
  })
})
