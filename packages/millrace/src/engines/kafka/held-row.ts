import type { Millis } from '../../core/clock.js'
import type { Ask, Hold } from '../../core/hold.js'
import type { Draft, MessageKind } from '../../core/message.js'
import { delayedUntil } from '../../engine/draft.js'
import type { Edit, Held } from '../../engine/engine.js'
import type { KeptHold } from './book.js'
import type { HeldRow } from './rows.js'

/** A draft as it is held before anybody has seen it. */
export function draftRow({ id, topic, partition, key, value, headers, timestamp, producerId }: Draft, hold: Hold, heldAt: Millis): HeldRow {
  const kind: MessageKind = hold.why === 'prepared' ? 'transaction' : 'delay'
  const message = { id, topic, partition, offset: null, key, value, headers, timestamp, producerId, kind, ...delayedUntil(kind, hold) }
  return { hold, heldAt, partition, offset: null, blocks: false, park: false, message }
}

/** Whether it is still held: who owns its partition may have it already. */
export function isHeld(row: HeldRow): boolean {
  return row.released === undefined
}

/** Whether later messages of the key wait behind a message that is held so. */
export function blocks({ why }: Hold, park: boolean, key: string | null): boolean {
  return key !== null && (why === 'lent' || (why === 'retry' && park))
}

export function edited(message: Held['message'], edit: Edit | undefined): Held['message'] {
  return edit ? { ...message, ...edit } : message
}

/** To its group. A dead letter starts with no attempts. */
export function released(row: HeldRow, message = row.message): HeldRow {
  const { why, attempt } = row.hold
  return { ...row, message, released: { attempt: why === 'dead' ? 1 : attempt + 1, alone: false } }
}

/** Only a mark, for the steward to count. */
export function dropped(row: HeldRow): HeldRow {
  const { hold, message } = row
  return { ...row, blocks: false, dropped: hold.why === 'lent' ? 'settled' : 'purged', message: { ...message, value: null, headers: [] } }
}

export function heldAnew({ order: _, ...row }: HeldRow, message: Held['message'], anew: Hold, heldAt: Millis): HeldRow {
  const hold = row.hold.group === undefined ? anew : { ...anew, group: row.hold.group }
  return { ...row, hold, heldAt, blocks: blocks(hold, row.park, message.key), message: { ...message, ...delayedUntil(message.kind, hold) } }
}

/** Claimed before it is asked about: whoever else looks finds it due only when this question had its time. */
export function claimed({ row, order }: KeptHold, ask: Ask, wall: Millis): HeldRow {
  return { ...row, order, hold: { ...row.hold, until: wall + ask.everyMs, then: { ...ask, checks: ask.checks - 1 } } }
}

/** Out of all that ripens: it waits until somebody decides. */
export function parked({ row, order }: KeptHold): HeldRow {
  return { ...row, order, hold: { ...row.hold, until: 'decided' } }
}

/** What to ask about it, while it is not parked. */
export function askOf({ hold: { then, until } }: HeldRow): Ask | undefined {
  return then === 'release' || until === 'decided' ? undefined : then
}
