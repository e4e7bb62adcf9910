import type { Failure } from '../../../core/hold.js'
import { recordKey } from '../../../engine/record.js'
import * as again from './again.js'
import * as blocked from './blocked.js'
import { leased } from './groups.js'
import * as log from './log.js'
import { append as appendRange } from './ranges.js'
import type { AgainId } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/** A message in a member's hands, on its way to the application's thread. */
export interface Leased {
  readonly partition: number
  readonly offset: number
  readonly attempt: number
  readonly epoch: number
  readonly alone: boolean
  readonly record: Buffer
  readonly failure?: Failure
  /** Absent for a message straight from the log. */
  readonly again?: AgainId
}

/**
 * Takes at most `max` messages for the owner of these cursors. A suspect, whose owner died with it, comes alone: once
 * the member's hands are empty, and only while no other member of the instance runs one.
 */
export function lease(txn: Txn, owned: readonly Cursor[], max: number, isAloneFree: boolean): Leased[] {
  if (owned.some(runsAlone)) return []
  const suspected = owned.filter(({ suspects }) => suspects > 0)
  if (suspected.length > 0) {
    const isIdle = owned.every((cursor) => leased(cursor) === 0)
    return isIdle && isAloneFree ? firstSuspect(txn, suspected) : []
  }
  const taken: Leased[] = []
  for (const cursor of owned) {
    if (taken.length >= max) break
    takeFrom(txn, cursor, max - taken.length, taken)
  }
  return taken
}

export function runsAlone(cursor: Cursor): boolean {
  return cursor.againOpen.some(([, , alone]) => alone === 1)
}

function firstSuspect(txn: Txn, suspected: readonly Cursor[]): Leased[] {
  for (const cursor of suspected) {
    for (const entry of again.waiting(txn, cursor, Number.MAX_SAFE_INTEGER)) {
      const taken = entry.meta.alone ? takeAgain(txn, cursor, entry) : undefined
      if (taken) return [taken]
    }
  }
  return []
}

function takeFrom(txn: Txn, cursor: Cursor, max: number, taken: Leased[]): void {
  const full = taken.length + max
  while (taken.length < full && takeWaiting(txn, cursor, full - taken.length, taken));
  while (taken.length < full && takeLog(txn, cursor, full - taken.length, taken));
}

/** Takes from the again queue; those of a blocked key go behind it. False when nothing is left there: only then is it the log's turn. */
function takeWaiting(txn: Txn, cursor: Cursor, max: number, taken: Leased[]): boolean {
  const waiting = again.waiting(txn, cursor, max)
  for (const entry of waiting) {
    const one = takeAgain(txn, cursor, entry)
    if (one) taken.push(one)
  }
  return waiting.length > 0
}

function takeAgain(txn: Txn, cursor: Cursor, entry: again.AgainEntry): Leased | undefined {
  const { meta, own, id } = entry
  const record = own.length > 0 ? own : txn.record(cursor.topic, cursor.partition, meta.offset)
  if (!record) {
    again.remove(txn, cursor, entry)
    cursor.purged += 1
    return undefined
  }
  const messageKey = recordKey(record)
  if (messageKey && blocked.isBlocked(txn, cursor, { messageKey, offset: meta.offset })) {
    again.remove(txn, cursor, entry)
    blocked.putBehind(txn, cursor, messageKey, meta, record)
    return undefined
  }
  cursor.againOpen = [...cursor.againOpen, [...id, meta.alone ? 1 : 0]]
  touch(txn, cursor)
  const failure = meta.failure ? { failure: meta.failure } : {}
  return { partition: cursor.partition, offset: meta.offset, attempt: meta.attempt, epoch: cursor.epoch, alone: meta.alone, record, again: id, ...failure }
}

/** Takes from the log. False when there is nothing left to read. */
function takeLog(txn: Txn, cursor: Cursor, max: number, taken: Leased[]): boolean {
  const part = txn.part(cursor.topic, cursor.partition)
  if (Math.max(cursor.next, part.start) >= part.end) return false
  for (const { offset, record } of log.read(txn, cursor.topic, cursor.partition, cursor.next, max)) {
    cursor.next = offset + 1
    cursor.passedBytes += record.length
    const messageKey = recordKey(record)
    if (messageKey && blocked.isBlocked(txn, cursor, { messageKey, offset })) {
      blocked.putBehind(txn, cursor, messageKey, { offset, attempt: 1, alone: false, head: false }, record)
      continue
    }
    cursor.open = appendRange(cursor.open, offset, offset + 1)
    taken.push({ partition: cursor.partition, offset, attempt: 1, epoch: cursor.epoch, alone: false, record })
  }
  touch(txn, cursor)
  return true
}

function touch(txn: Txn, cursor: Cursor): void {
  cursor.usedAt = txn.wall
  txn.change(cursor)
}
