import type { Millis } from '../../core/clock.js'
import type { Hold } from '../../core/hold.js'
import type { Redelivery } from '../../engine/cursor/again.js'
import { type CursorLog, firstFrom } from '../../engine/cursor/cursor-log.js'
import { type CursorState, lowest, within } from '../../engine/cursor/cursor-state.js'

/** What a dead owner had in hand counts one delivery and runs alone. Everything up to where it stood is in the log. */
export function died(state: CursorState, log: CursorLog): CursorState {
  const again = new Map(state.again.map((each) => [each[0], each]))
  const wasLeased = within(state.leased)
  for (let offset = firstFrom(log, lowest(state)); offset < state.next; offset = firstFrom(log, offset + 1)) {
    if (wasLeased(offset)) again.set(offset, [offset, (again.get(offset)?.[1] ?? 1) + 1, 1])
  }
  return { ...state, again: [...again.values()] }
}

export function poisoned({ attempt, failure }: Redelivery, now: Millis): Hold {
  const reason = `its owner died ${attempt - 1} times before it was finished`
  return { why: 'dead', until: 'decided', then: 'release', attempt: attempt - 1, failure: { reason, kind: 'POISON', firstAt: failure?.firstAt ?? now, lastAt: now } }
}
