import { recordKey } from '../record.js'
import * as again from './again.js'
import { key, within } from './keys.js'
import { type AgainMeta, decodeWithRecord, encode } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/**
 * Keys whose later messages wait while an earlier one is parked or lent. That one is the head, a hold or an entry of the
 * again queue; the others are copies behind it and follow when it has ended.
 */
export function isBlocked(txn: Txn, cursor: Cursor, messageKey: Buffer | undefined): messageKey is Buffer {
  return cursor.blocked > 0 && messageKey !== undefined && txn.tables.blocked.get(blockedKey(cursor, messageKey)) !== undefined
}

/** Blocks a key; true when a message with a key is now the head. */
export function block(txn: Txn, cursor: Cursor, messageKey: Buffer | undefined): boolean {
  if (messageKey === undefined) return false
  if (isBlocked(txn, cursor, messageKey)) return true
  txn.tables.blocked.putSync(blockedKey(cursor, messageKey), Buffer.from([1]))
  cursor.blocked += 1
  txn.change(cursor)
  return true
}

export function putBehind(txn: Txn, cursor: Cursor, messageKey: Buffer, meta: AgainMeta, record: Buffer): void {
  txn.tables.behind.putSync(key({ raw: behindPrefix(cursor, messageKey) }, { n: meta.offset }), encode(meta, record))
  cursor.behind += 1
  txn.change(cursor)
}

/** The head has ended: the key is free, and who waited behind follows in order. */
export function free(txn: Txn, cursor: Cursor, messageKey: Buffer): void {
  txn.tables.blocked.removeSync(blockedKey(cursor, messageKey))
  cursor.blocked -= 1
  const waited = cursor.behind === 0 ? [] : [...txn.tables.behind.getRange(within(behindPrefix(cursor, messageKey)))]
  for (const { key: at, value } of waited) {
    const { meta, record } = decodeWithRecord<AgainMeta>(value)
    txn.tables.behind.removeSync(at)
    cursor.behind -= 1
    again.putReleased(txn, cursor, meta, record)
  }
  txn.change(cursor)
}

/** Drops copies at or after an offset. */
export function dropBehind(txn: Txn, cursor: Cursor, from: number): void {
  if (cursor.behind === 0) return
  for (const { key: at, value } of [...txn.tables.behind.getRange(within(cursor.at))]) {
    if (decodeWithRecord<AgainMeta>(value).meta.offset < from) continue
    txn.tables.behind.removeSync(at)
    cursor.behind -= 1
  }
  txn.change(cursor)
}

function blockedKey(cursor: Cursor, messageKey: Buffer): Buffer {
  return key({ raw: cursor.at }, { raw: messageKey })
}

/** The length in front keeps one key's range from holding another's. */
function behindPrefix(cursor: Cursor, messageKey: Buffer): Buffer {
  return key({ raw: cursor.at }, { u16: messageKey.length }, { raw: messageKey })
}


/** The head was an entry of the again queue and has ended. */
export function endOf(txn: Txn, cursor: Cursor, entry: again.AgainEntry): void {
  const record = entry.own.length > 0 ? entry.own : txn.record(cursor.topic, cursor.partition, entry.meta.offset)
  const messageKey = record && recordKey(record)
  if (entry.meta.head && messageKey) free(txn, cursor, messageKey)
}
