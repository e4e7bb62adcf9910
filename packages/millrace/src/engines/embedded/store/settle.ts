import type { Hold } from '../../../core/hold.js'
import type { Outcome } from '../../../engine/engine.js'
import { recordKey } from '../../../engine/record.js'
import * as again from './again.js'
import * as blocked from './blocked.js'
import * as holds from './holds.js'
import { contains, without } from './ranges.js'
import type { AgainId, GroupRow, TopicRow } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/** A verdict as it reaches the store. */
export interface StoreVerdict {
  readonly partition: number
  readonly offset: number
  readonly epoch: number
  readonly is: 'done' | 'back' | 'hold'
  readonly hold?: Hold
  readonly again?: AgainId
}

/** Whose verdicts they are. */
export interface Settler {
  readonly id: string
  readonly park: boolean
  readonly topic: TopicRow
  readonly group: GroupRow
}

/** Takes verdicts in order. Finished log entries are gathered and taken out of their ranges in one pass. */
export function settle(txn: Txn, by: Settler, verdicts: readonly StoreVerdict[]): Outcome[] {
  const finished = new Map<Cursor, Set<number>>()
  const outcomes = verdicts.map((verdict) => settleOne(txn, by, verdict, finished))
  for (const [cursor, offsets] of finished) {
    cursor.open = without(cursor.open, [...offsets].sort((one, other) => one - other))
    cursor.usedAt = txn.wall
    txn.change(cursor)
  }
  const { name, cap } = by.topic.topic
  if (cap.count !== undefined || cap.bytes !== undefined) txn.stir('room', name)
  return outcomes
}

function settleOne(txn: Txn, by: Settler, verdict: StoreVerdict, finished: Map<Cursor, Set<number>>): Outcome {
  const cursor = txn.cursor(by.topic.number, by.group.number, verdict.partition)
  if (cursor.epoch !== verdict.epoch || cursor.owner !== by.id) return 'lapsed'
  const entry = verdict.again && again.read(txn, cursor, verdict.again)
  if (verdict.again) {
    if (!entry || !closeAgain(cursor, verdict.again)) return 'lapsed'
    settleAgain(txn, by, cursor, verdict, entry)
  } else {
    const done = finished.get(cursor) ?? new Set()
    if (!contains(cursor.open, verdict.offset) || done.has(verdict.offset)) return 'lapsed'
    finished.set(cursor, done.add(verdict.offset))
    settleLog(txn, by, cursor, verdict)
  }
  if (verdict.is === 'done') cursor.settled += 1
  if (verdict.is === 'back' || entry) txn.stir('ready', by.topic.topic.name, by.group.name)
  txn.change(cursor)
  return 'settled'
}

function closeAgain(cursor: Cursor, [kind, order]: AgainId): boolean {
  const left = cursor.againOpen.filter((open) => open[0] !== kind || open[1] !== order)
  const isOpen = left.length < cursor.againOpen.length
  cursor.againOpen = left
  return isOpen
}

function settleLog(txn: Txn, by: Settler, cursor: Cursor, { is, offset, hold }: StoreVerdict): void {
  if (is === 'done') return
  const record = txn.record(cursor.topic, cursor.partition, offset)
  if (!record) {
    cursor.purged += 1
    return
  }
  if (hold) return putHold(txn, by, cursor, { offset, isHead: false, record, hold })
  const meta = { offset, attempt: 1, alone: false, head: false }
  const messageKey = recordKey(record)
  if (messageKey && blocked.isBlocked(txn, cursor, { messageKey, offset })) blocked.putBehind(txn, cursor, messageKey, meta, record)
  else again.putBack(txn, cursor, meta)
}

function settleAgain(txn: Txn, by: Settler, cursor: Cursor, { is, hold }: StoreVerdict, entry: again.AgainEntry): void {
  const { meta, own } = entry
  const record = own.length > 0 ? own : txn.record(cursor.topic, cursor.partition, meta.offset)
  if (is === 'back') {
    const messageKey = record && recordKey(record)
    if (!record || !messageKey || !blocked.isBlocked(txn, cursor, { messageKey, offset: meta.offset })) return
    again.remove(txn, cursor, entry)
    blocked.putBehind(txn, cursor, messageKey, meta, record)
    return
  }
  again.remove(txn, cursor, entry)
  if (!hold) blocked.endOf(txn, cursor, entry)
  else if (record) putHold(txn, by, cursor, { offset: meta.offset, isHead: meta.head, record, hold })
  else cursor.purged += 1
}

interface Holding {
  readonly offset: number
  readonly isHead: boolean
  readonly record: Buffer
  readonly hold: Hold
}

function putHold(txn: Txn, by: Settler, cursor: Cursor, { offset, isHead, record, hold }: Holding): void {
  const messageKey = recordKey(record)
  const blocks = hold.why === 'lent' || (hold.why === 'retry' && (by.park || isHead))
  const head = blocks && blocked.block(txn, cursor, { messageKey, offset })
  holds.holdForGroup(txn, cursor, { topic: by.topic.topic.name, offset, hold: { ...hold, group: by.group.name }, head, record })
  if (isHead && !head && messageKey) blocked.free(txn, cursor, messageKey, offset)
}
