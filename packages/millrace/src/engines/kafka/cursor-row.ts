import type { Offset } from '../../core/message.js'
import { cursorAt, lowest, type Run } from '../../engine/cursor/cursor-state.js'
import type { Bounds } from './port.js'
import type { CursorRow } from './rows.js'

/** A cursor that nobody has, before everything from `at` on. */
export function startRow(at: Offset): CursorRow {
  return { ...cursorAt(Number(at)), owner: null, settled: 0, purged: 0 }
}

/** Everything before it is finished. */
export function lowOf(row: CursorRow): Offset {
  return BigInt(lowest(row))
}

/** Offsets in hand and waiting, and those not yet taken. Markers and what was compacted away count as messages. */
export function lagOf(row: CursorRow, bounds: Pick<Bounds, 'start' | 'end'>): number {
  return leasedOf(row) + readyOf(row, bounds)
}

/** In the owner's hands, without released copies. */
export function leasedOf({ leased }: CursorRow): number {
  return lengthOf(leased)
}

/** To be taken from the log, for the first time or again. */
export function readyOf({ next, waiting }: CursorRow, { start, end }: Pick<Bounds, 'start' | 'end'>): number {
  return lengthOf(waiting) + Math.max(0, Number(end) - Math.max(next, Number(start)))
}

/** How many the group will not see when it reads on from `place`: never taken, or in hand before it. */
export function passedBy({ next, leased }: CursorRow, place: Offset, start: Offset): number {
  const to = Number(place)
  return Math.max(0, to - Math.max(next, Number(start))) + lengthOf(before(leased, to))
}

/** Reads on from `place`. What is in hand lapses; what waits before the place goes on waiting. */
export function seekRow(row: CursorRow, place: Offset, passed: number): CursorRow {
  const to = Number(place)
  const waiting = before(row.waiting, to)
  const again = row.again.filter(([offset]) => waiting.some(([from, end]) => from <= offset && offset < end))
  return { ...startRow(place), waiting, again, settled: row.settled, purged: row.purged + passed }
}

function before(runs: readonly Run[], place: number): readonly Run[] {
  return runs.flatMap(([from, to]): Run[] => (from < place ? [[from, Math.min(to, place)]] : []))
}

function lengthOf(runs: readonly Run[]): number {
  return runs.reduce((sum, [from, to]) => sum + to - from, 0)
}
