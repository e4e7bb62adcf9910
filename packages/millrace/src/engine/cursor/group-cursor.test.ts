import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Message } from '../../core/message.js'
import type { Redelivery } from './again.js'
import type { CursorLog } from './cursor-log.js'
import type { CursorState } from './cursor-state.js'
import { GroupCursor } from './group-cursor.js'

const owner = { lost: () => undefined, wakeSoon: () => undefined }

/** A log in which some places are empty, as transactions and compaction leave them. */
function logOf(gaps: ReadonlySet<number>, end: number): CursorLog {
  const message = (offset: number): Message => ({ id: `m${offset}`, topic: 't', partition: 0, offset: BigInt(offset), key: null, value: null, headers: [], timestamp: 0, producerId: 'p', kind: 'normal' })
  return { partition: 0, end, at: (offset) => (gaps.has(offset) || offset >= end ? undefined : message(offset)) }
}

function claimed(log: CursorLog, at = 0, onWait?: (entry: Redelivery) => void): GroupCursor {
  const cursor = new GroupCursor(log, at, onWait)
  cursor.claim(owner, 9)
  return cursor
}

function leaseAll(cursor: GroupCursor): number[] {
  const out: Parameters<GroupCursor['lease']>[0] = []
  cursor.lease(out, 1_000, true)
  return out.map(({ message }) => Number(message.offset))
}

const step = fc.oneof(
  fc.record({ do: fc.constant('lease' as const), count: fc.nat(6) }),
  fc.record({ do: fc.constant('done' as const), offset: fc.nat(39) }),
  fc.record({ do: fc.constant('back' as const), offset: fc.nat(39) }),
)

it('what is stored and restored goes on where it was: unfinished messages come, each once, and finished ones never', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.uniqueArray(fc.nat(39)), (steps, gaps) => {
    const log = logOf(new Set(gaps), 40)
    const cursor = claimed(log)
    const finished = new Set<number>()
    for (const each of steps) {
      if (each.do === 'lease') cursor.lease([], each.count, true)
      else if (each.do === 'back') cursor.back(each.offset)
      else if (cursor.done(each.offset)) finished.add(each.offset)
    }
    const stored = JSON.parse(JSON.stringify(cursor.state())) as CursorState
    cursor.free(false)
    const restored = GroupCursor.restore(log, stored, 7)
    restored.claim(owner, 9)
    expect(restored.epoch).toBe(8)
    const left = Array.from({ length: 40 }, (_, offset) => offset).filter((offset) => !finished.has(offset) && !gaps.includes(offset))
    expect(leaseAll(restored)).toEqual(left)
    for (const offset of left) restored.done(offset)
    expect(restored.flight.low).toBe(40)
    expect(restored.state()).toEqual({ next: 40, leased: [], waiting: [], again: [], copies: [] })
  }))
})

it('what waits behind an earlier message of its key goes out of the log, and who stores it is told', () => {
  const keyed = logOf(new Set(), 3)
  const log: CursorLog = { ...keyed, end: 3, at: (offset) => ({ ...(keyed.at(offset) as Message), key: 'k' }) }
  const waiting: number[] = []
  const cursor = claimed(log, 0, ({ offset }) => waiting.push(offset))
  cursor.lease([], 1, true)
  const first = cursor.finish(0)
  if (first) cursor.block(first)
  expect(leaseAll(cursor)).toEqual([])
  expect(waiting).toEqual([1, 2])
  expect(cursor.state()).toEqual({ next: 3, leased: [], waiting: [], again: [], copies: [] })
  cursor.ended('k', 0)
  expect(leaseAll(cursor)).toEqual([1, 2])
  expect(cursor.state().copies).toEqual([1, 2])
})

it('attempts, and that a message runs alone, are stored', () => {
  const log = logOf(new Set(), 2)
  const stored: CursorState = { next: 2, leased: [], waiting: [[0, 2]], again: [[1, 3, 1]], copies: [] }
  const cursor = GroupCursor.restore(log, stored, 0)
  expect(cursor.state()).toEqual(stored)
  cursor.claim(owner, 3)
  const out: Parameters<GroupCursor['lease']>[0] = []
  expect(cursor.lease(out, 9, true)).toBe(false)
  expect(cursor.lease((out.length = 0, out), 9, true)).toBe(true)
  expect(out).toEqual([expect.objectContaining({ attempt: 3, alone: true })])
})
