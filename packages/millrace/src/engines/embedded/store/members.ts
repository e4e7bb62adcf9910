import { assign, type Move } from '../../../engine/assign.js'
import * as again from './again.js'
import { endOf } from './blocked.js'
import * as groups from './groups.js'
import * as holds from './holds.js'
import { type GroupOf, living, removeMember } from './member-rows.js'
import type { AgainMeta } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/** What a member should do next, as the store stands. */
export function plan(txn: Txn, of: GroupOf, id: string): Move {
  const owners = groups.cursors(txn, of.topic, of.group).map(({ owner }) => owner)
  return assign(id, { members: living(txn, of).map((member) => member.id), owners })
}

/** Takes a partition that nobody owns. */
export function claim(txn: Txn, of: GroupOf, id: string, partition: number): void {
  const cursor = txn.cursor(of.topic.number, of.group.number, partition)
  cursor.owner = id
  cursor.epoch += 1
  txn.change(cursor)
}

/** Lets a partition go: what is unfinished is handed back, uncounted. */
export function release(txn: Txn, of: GroupOf, id: string, partition: number): void {
  const cursor = txn.cursor(of.topic.number, of.group.number, partition)
  if (cursor.owner !== id) return
  giveBack(txn, cursor)
  disown(txn, cursor)
  txn.stir('members', of.topic.topic.name, of.group.name)
}

/**
 * Takes a dead member out of its group. What it had unfinished counts one delivery. Its partitions go in the same commit: should it
 * live after all and join again under its name, what it then has forgotten is not its own any more.
 */
export function bury(txn: Txn, of: GroupOf, id: string, maxDeliveries: number): void {
  for (const cursor of groups.cursors(txn, of.topic, of.group)) {
    if (cursor.owner !== id) continue
    countDeliveries(txn, of, cursor, maxDeliveries)
    disown(txn, cursor)
  }
  removeMember(txn, of, id)
}

function disown(txn: Txn, cursor: Cursor): void {
  cursor.owner = null
  cursor.epoch += 1
  txn.change(cursor)
}

function giveBack(txn: Txn, cursor: Cursor): void {
  for (const offset of offsets(cursor)) again.putBack(txn, cursor, { offset, attempt: 1, alone: false, head: false })
  cursor.open = []
  cursor.againOpen = []
}

function countDeliveries(txn: Txn, of: GroupOf, cursor: Cursor, maxDeliveries: number): void {
  for (const [kind, order] of cursor.againOpen) {
    const entry = again.read(txn, cursor, [kind, order])
    if (!entry) continue
    if (entry.meta.attempt >= maxDeliveries) {
      again.remove(txn, cursor, entry)
      poison(txn, of, cursor, entry.meta, entry.own)
      endOf(txn, cursor, entry)
    } else again.rewrite(txn, cursor, entry, { ...entry.meta, attempt: entry.meta.attempt + 1, alone: true })
  }
  for (const offset of offsets(cursor)) {
    const meta = { offset, attempt: 1, alone: false, head: false }
    if (maxDeliveries <= 1) poison(txn, of, cursor, meta, Buffer.alloc(0))
    else again.putBack(txn, cursor, { ...meta, attempt: 2, alone: true })
  }
  cursor.open = []
  cursor.againOpen = []
}

function poison(txn: Txn, of: GroupOf, cursor: Cursor, { offset, attempt }: AgainMeta, own: Buffer): void {
  const record = own.length > 0 ? own : txn.record(cursor.topic, cursor.partition, offset)
  if (!record) {
    cursor.purged += 1
    return
  }
  const reason = `its owner died ${attempt} times before it was finished`
  const failure = { reason, kind: 'POISON', firstAt: txn.wall, lastAt: txn.wall }
  const hold = { why: 'dead', until: 'decided', then: 'release', group: of.group.name, attempt, failure } as const
  holds.holdForGroup(txn, cursor, { topic: of.topic.topic.name, offset, hold, head: false, record })
}

function offsets(cursor: Cursor): number[] {
  return cursor.open.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index))
}
