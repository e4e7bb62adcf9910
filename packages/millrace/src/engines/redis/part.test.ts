import { describe, expect, it } from 'vitest'
import type { Message } from '../../core/message.js'
import type { CursorState } from '../../engine/cursor/cursor-state.js'
import type { Delivery } from '../../engine/engine.js'
import { decodeHeld, encodeHeld, type HeldRow, type KeptRow } from './held-row.js'
import { Part, type PartOwner } from './part.js'

const place = 4_096
const owner: PartOwner = { name: 'm', group: 'g', park: true, maxDeliveries: 2, membership: 'this one', lost: () => undefined, wakeSoon: () => undefined }

function message(number: number, key: string | null = null): Message {
  return { id: `m${number}`, topic: 't', partition: 0, offset: BigInt(number * place), key, value: Buffer.from('v'), headers: [], timestamp: 0, producerId: 'p', kind: 'normal' }
}

interface Before {
  readonly state?: Partial<CursorState>
  readonly writer?: string
  readonly rows?: readonly KeptRow[]
  readonly keys?: readonly (string | null)[]
}

/** Messages 1 to 9, of which those before `state.next` were taken before. */
function claimed({ state, writer = 'one before', rows = [], keys = [] }: Before = {}): Part {
  const full = { next: 1, leased: [], waiting: [], again: [], copies: [], ...state }
  const left = (runs: readonly (readonly [number, number])[]): number => runs.reduce((sum, [from, to]) => sum + Math.ceil((to - from) / place), 0)
  const row = { epoch: 5, version: 1, owner: 'm', membership: 'this one', writer, state: full, read: Math.floor(full.next / place), leased: left(full.leased), waiting: left(full.waiting), copies: 0, settled: 0, purged: 0 }
  const part = new Part('t', owner, 0, row)
  for (let number = 1; number <= 9; number += 1) part.log.append(message(number, keys[number - 1] ?? null))
  part.load(rows, 1_000)
  return part
}

function lease(part: Part, max = 100): readonly Delivery[] {
  const out: Delivery[] = []
  part.cursor?.lease(out, max, true)
  return out
}

const names = (deliveries: readonly Delivery[]): readonly string[] => deliveries.map(({ message: { id }, attempt, alone }) => `${id}${attempt > 1 ? `#${attempt}` : ''}${alone ? '!' : ''}`)
const fieldsOf = (part: Part): Readonly<Record<string, unknown>> => Object.fromEntries(part.write().fields)

/** What was written of held messages: number and state. */
function heldOf(part: Part): readonly string[] {
  return part.write().held.map(({ offset, row }) => `${offset / place}${row ? row.toString('latin1', 0, 1) : ' gone'}`)
}

function rowOf(number: number, more: Partial<HeldRow>, version = 1): KeptRow {
  const row: HeldRow = { state: 'R', hold: { why: 'retry', until: 0, then: 'release', attempt: 1, group: 'g' }, heldAt: 0, blocks: false, park: true, alone: false, attempt: 2, message: message(number), ...more }
  return { ...decodeHeld({ topic: 't', partition: 0, offset: BigInt(number * place) }, 'g', encodeHeld(row)), version }
}

describe('a claimed partition', () => {
  it('counts what it reads, takes and finishes', () => {
    const part = claimed()
    const [first, second] = lease(part, 4)
    part.done(Number(first?.message.offset))
    part.back(Number(second?.message.offset))
    expect(fieldsOf(part)).toMatchObject({ next: 4 * place + 1, low: 2 * place, read: 4, leased: 2, waiting: 1, copies: 0, settled: 1, purged: 0 })
    expect(part.done(Number(first?.message.offset))).toBe(false)
  })

  it('counts as purged what was trimmed before it was read, and what was to come again and is gone', () => {
    const part = claimed({ state: { next: 5 * place, waiting: [[0, 1]] } })
    part.passed(3)
    lease(part, 1)
    expect(fieldsOf(part)).toMatchObject({ read: 9, purged: 4 })
  })

  it('of what a dead owner had in hand: each runs alone, with one delivery more', () => {
    const part = claimed({ state: { next: 4 * place, leased: [[2 * place, 3 * place + 1]], waiting: [[place, place + 1]] } })
    expect(names(lease(part))).toEqual(['m1'])
    expect(names(lease(part))).toEqual(['m2#2!'])
    part.done(2 * place)
    expect(names(lease(part))).toEqual(['m3#2!'])
  })

  it('what it had in hand itself before it lost the partition comes as if nothing had been', () => {
    const part = claimed({ writer: owner.membership, state: { next: 4 * place, leased: [[2 * place, 3 * place + 1]] } })
    expect(names(lease(part, 2))).toEqual(['m2', 'm3'])
  })

  it('makes a dead letter of what was delivered too often by owners that died', () => {
    const part = claimed({ state: { next: 2 * place, leased: [[place, place + 1]], again: [[place, 2, 1]] } })
    const [written] = part.write().held
    const dead = decodeHeld({ topic: 't', partition: 0, offset: BigInt(place) }, 'g', written?.row ?? Buffer.alloc(0))
    expect(dead).toMatchObject({ state: 'd', attempt: 2, hold: { why: 'dead', until: 'decided', failure: { kind: 'POISON' } }, message: { id: 'm1' } })
    expect(names(lease(part, 1))).toEqual(['m2'])
  })

  it('a released copy that a dead owner had in hand runs alone, and that is written', () => {
    const part = claimed({ state: { next: 3 * place, copies: [2 * place] }, rows: [rowOf(2, { attempt: 1 })] })
    expect(heldOf(part)).toEqual(['2R'])
    expect(names(lease(part))).toEqual(['m2#2!'])
  })

  it('released messages come in the order of their release, and their rows go when they are done', () => {
    const part = claimed({ state: { next: 4 * place }, rows: [rowOf(2, {}, 20), rowOf(3, {}, 10)] })
    expect(names(lease(part, 2))).toEqual(['m3#2', 'm2#2'])
    expect(part.done(3 * place)).toBe(true)
    expect(heldOf(part)).toEqual(['3 gone'])
  })

  it('a release that is told twice comes once, also while its end is being written', () => {
    const part = claimed({ state: { next: 9 * place + 1 } })
    part.changed(2 * place, rowOf(2, {}, 7))
    part.changed(2 * place, rowOf(2, {}, 7))
    expect(names(lease(part))).toEqual(['m2#2'])
    part.changed(2 * place, rowOf(2, {}, 7))
    part.done(2 * place)
    const write = part.write()
    part.changed(2 * place, rowOf(2, {}, 7))
    expect(lease(part)).toEqual([])
    part.written(write)
    part.changed(2 * place, rowOf(2, {}, 8))
    expect(names(lease(part))).toEqual(['m2#2'])
  })

  it('later messages of a key wait, written, until the held one has ended', () => {
    const part = claimed({ keys: ['k', null, 'k', 'other'] })
    lease(part, 1)
    part.held(place, { why: 'retry', until: 5_000, then: 'release', attempt: 1 }, 1_000)
    expect(names(lease(part, 2))).toEqual(['m2', 'm4'])
    expect(heldOf(part)).toEqual(['1r', '3w'])
    expect(fieldsOf(part)).toMatchObject({ low: 2 * place, leased: 2 })
    part.changed(place, rowOf(1, { message: message(1, 'k'), blocks: true }))
    expect(names(lease(part, 1))).toEqual(['m1#2'])
    expect(names(lease(part, 1))).toEqual(['m5'])
    part.done(place)
    expect(names(lease(part, 1))).toEqual(['m3'])
    expect(heldOf(part)).toEqual(['1 gone'])
  })

  it('a key is free when its held message was dropped, or became a dead letter', () => {
    for (const after of [undefined, rowOf(1, { state: 'd', message: message(1, 'k'), hold: { why: 'dead', until: 'decided', then: 'release', attempt: 1 } })]) {
      const part = claimed({ keys: ['k', 'k'] })
      lease(part, 1)
      part.held(place, { why: 'lent', until: 5_000, then: 'release', attempt: 1, token: 't' }, 1_000)
      expect(names(lease(part, 1))).toEqual(['m3'])
      part.changed(place, after)
      expect(names(lease(part, 1))).toEqual(['m2'])
    }
  })

  it('what waited behind a key waits on after a claim', () => {
    const rows = [rowOf(1, { state: 'r', message: message(1, 'k'), blocks: true }), rowOf(2, { state: 'w', attempt: 1, message: message(2, 'k') }, 2)]
    const part = claimed({ state: { next: 3 * place }, rows, keys: ['k', 'k', 'k'] })
    expect(names(lease(part, 1))).toEqual(['m4'])
    expect(heldOf(part)).toEqual(['3w'])
    part.changed(place, undefined)
    expect(names(lease(part, 2))).toEqual(['m2', 'm3'])
  })

  it('passes over what was trimmed before it was taken, and lets be finished what was in hand', () => {
    const part = claimed()
    lease(part, 2)
    part.back(2 * place)
    part.written(part.write())
    const [again, fresh] = lease(part, 2)
    expect(part.cut(5 * place)).toBe(true)
    expect([again, fresh].map((delivery) => part.passOver(Number(delivery?.message.offset)))).toEqual([true, true])
    expect(part.done(place)).toBe(true)
    expect(fieldsOf(part)).toMatchObject({ low: 5 * place, read: 4, leased: 0, waiting: 0, copies: 0, settled: 1, purged: 3 })
    expect(names(lease(part, 2))).toEqual(['m5', 'm6'])
    expect(part.cut(5 * place)).toBe(false)
  })

  it('hands back what is in hand when it is let go of', () => {
    const part = claimed({ rows: [rowOf(9, {}, 3)], state: { next: 2 } })
    lease(part, 3)
    part.handBack()
    expect(JSON.parse(String(fieldsOf(part)['s']))).toMatchObject({ next: 2 * place + 1, leased: [], waiting: [[place, 2 * place + 1]], copies: [] })
  })

  it('names the last entry that was read, until it is written that all was taken', () => {
    const part = claimed()
    expect(part.write().tail).toBe(9 * place)
    lease(part)
    const write = part.write()
    expect(write.tail).toBe(9 * place)
    part.written(write)
    expect(part.write().tail).toBeUndefined()
  })
})
