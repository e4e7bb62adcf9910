import { after, key, lastNumber, within } from './keys.js'
import { type AgainId, type AgainMeta, decodeWithRecord, encode, hasRecord } from './rows.js'
import type { Cursor, Txn } from './txn.js'

const nothing = Buffer.alloc(0)

export interface AgainEntry {
  readonly id: AgainId
  readonly meta: AgainMeta
  /** Empty for an entry that points into the log. */
  readonly own: Buffer
}

function prefix(cursor: Cursor): Buffer {
  return cursor.at
}

function keyOf(cursor: Cursor, [kind, order]: AgainId): Buffer {
  return key({ raw: prefix(cursor) }, { u8: kind }, { n: order })
}

/** Puts an unfinished message into its place, before everything later: a log entry, or with a record one that pins nothing. */
export function putBack(txn: Txn, cursor: Cursor, meta: AgainMeta, record: Buffer = nothing): void {
  put(txn, cursor, [0, meta.offset], meta, record)
}

/** Puts a released message with its own record after what waits already. */
export function putReleased(txn: Txn, cursor: Cursor, meta: AgainMeta, record: Buffer): void {
  cursor.sequence += 1
  put(txn, cursor, [1, cursor.sequence], meta, record)
}

function put(txn: Txn, cursor: Cursor, id: AgainId, meta: AgainMeta, own: Buffer): void {
  txn.tables.again.putSync(keyOf(cursor, id), encode(meta, own))
  cursor.again += 1
  if (meta.alone) cursor.suspects += 1
  txn.change(cursor)
}

/** Writes an entry's new meta in its place. */
export function rewrite(txn: Txn, cursor: Cursor, entry: AgainEntry, meta: AgainMeta): void {
  txn.tables.again.putSync(keyOf(cursor, entry.id), encode(meta, entry.own))
  cursor.suspects += Number(meta.alone) - Number(entry.meta.alone)
  txn.change(cursor)
}

export function remove(txn: Txn, cursor: Cursor, entry: AgainEntry): void {
  txn.tables.again.removeSync(keyOf(cursor, entry.id))
  cursor.again -= 1
  if (entry.meta.alone) cursor.suspects -= 1
  txn.change(cursor)
}

export function read(txn: Txn, cursor: Cursor, id: AgainId): AgainEntry | undefined {
  const row = txn.tables.again.getSurely(keyOf(cursor, id))
  return row && entryOf(id, row)
}

/** The first entries that are not leased, at most `limit`. */
export function waiting(txn: Txn, cursor: Cursor, limit: number): AgainEntry[] {
  if (cursor.again <= cursor.againOpen.length) return []
  const leased = new Set(cursor.againOpen.map(([kind, order]) => `${kind} ${order}`))
  const entries: AgainEntry[] = []
  for (const { key: at, value } of txn.tables.again.getRange(within(prefix(cursor)))) {
    const id = idOf(at)
    if (leased.has(`${id[0]} ${id[1]}`)) continue
    entries.push(entryOf(id, value))
    if (entries.length >= limit) break
  }
  return entries
}

/** All entries. */
export function all(txn: Txn, cursor: Cursor): AgainEntry[] {
  return cursor.again === 0 ? [] : [...txn.tables.again.getRange(within(prefix(cursor)))].map(({ key: at, value }) => entryOf(idOf(at), value))
}

/** The lowest offset that an entry points to in the log. */
export function lowestInLog(txn: Txn, cursor: Cursor): number | undefined {
  if (cursor.again === 0) return undefined
  const inLog = key({ raw: prefix(cursor) }, { u8: 0 })
  for (const { key: at, value } of txn.tables.again.getRange({ start: inLog, end: after(inLog) })) {
    if (!hasRecord(value)) return lastNumber(at)
  }
  return undefined
}

function idOf(at: Buffer): AgainId {
  return [at.at(-9) === 0 ? 0 : 1, lastNumber(at)]
}

function entryOf(id: AgainId, row: Buffer): AgainEntry {
  const { meta, record } = decodeWithRecord<AgainMeta>(row)
  return { id, meta, own: record }
}
