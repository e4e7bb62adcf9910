import { MillraceError } from '../../../core/errors.js'
import { type Hold, messageHold } from '../../../core/hold.js'
import type { Millis } from '../../../core/clock.js'
import { recordId } from '../../../engine/record.js'
import * as dedup from './dedup.js'
import * as groups from './groups.js'
import * as holds from './holds.js'
import * as log from './log.js'
import type { TopicRow } from './rows.js'
import type { Txn } from './txn.js'

/** One draft as it reaches the store. */
export interface StoreDraft {
  readonly partition: number
  readonly bytes: number
  readonly record: Buffer
  readonly hold?: Hold
  readonly dedup?: { readonly id: string; readonly windowMs: Millis }
}

/** Where a draft went: an offset, or null while it is held. */
export type Stored = { readonly offset: number | null; readonly duplicate: boolean }

/** Stores one draft; who waits for it is the caller's to stir. Throws before anything is written. */
export function publish(txn: Txn, row: TopicRow, draft: StoreDraft, maxBytes: number): Stored {
  checkFits(draft, row)
  checkRoom(txn, draft, maxBytes)
  const id = draft.dedup && { topic: row.number, partition: draft.partition, id: draft.dedup.id }
  const first = id && dedup.firstOf(txn, id)
  if (first) return { offset: first.offset, duplicate: true }
  if (draft.hold) checkNotHeld(txn, row.topic.name, draft)
  else makeRoom(txn, row, draft)
  const offset = draft.hold ? null : log.append(txn, row.number, draft.partition, draft.record)
  if (draft.hold) holds.holdMessage(txn, row, { ...draft, hold: draft.hold })
  if (id && draft.dedup) dedup.remember(txn, id, { offset, until: txn.wall + draft.dedup.windowMs })
  return { offset, duplicate: false }
}

function checkFits(draft: StoreDraft, { topic }: TopicRow): void {
  if (draft.partition >= topic.partitions) {
    throw new MillraceError('INVALID', `partition ${draft.partition} does not exist: topic ${topic.name} has ${topic.partitions}`, { field: 'partition' })
  }
  if (draft.bytes > topic.maxMessageBytes) {
    throw new MillraceError('TOO_LARGE', `message ${recordId(draft.record)} has ${draft.bytes} bytes: topic ${topic.name} takes ${topic.maxMessageBytes} (maxMessageBytes)`, { field: 'value' })
  }
}

function checkRoom(txn: Txn, draft: StoreDraft, maxBytes: number): void {
  if (txn.weigh(0) + draft.record.length <= maxBytes) return
  throw new MillraceError('STORE_FULL', `the store holds ${txn.weigh(0)} of ${maxBytes} bytes (maxBytes): let groups catch up, shorten keep, or raise maxBytes`)
}

function checkNotHeld(txn: Txn, topic: string, draft: StoreDraft): void {
  const id = recordId(draft.record)
  if (!holds.isHeld(txn, messageHold(topic, id))) return
  throw new MillraceError('HELD_ALREADY', `a message ${id} is held in topic ${topic} already: reschedule or cancel it, or use another id`, { field: 'id' })
}

/** Keeps a topic under its cap: refuses, or trims the oldest unread. */
function makeRoom(txn: Txn, row: TopicRow, draft: StoreDraft): void {
  const { cap, name } = row.topic
  if (cap.count === undefined && cap.bytes === undefined) return
  const unread = groups.unread(txn, row)
  const isOver = (): boolean => unread.count + 1 > (cap.count ?? Infinity) || unread.bytes + draft.record.length > (cap.bytes ?? Infinity)
  if (!isOver()) return
  if (cap.whenFull === 'refuse') throw new MillraceError('FULL', `topic ${name} is full: ${unread.count} unread messages, ${unread.bytes} bytes (cap)`, { field: 'cap' })
  while (isOver()) {
    const gone = groups.trimOldest(txn, row)
    if (gone === undefined) return
    unread.count -= 1
    unread.bytes -= gone
  }
}
