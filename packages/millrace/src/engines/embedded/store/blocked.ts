import { recordKey } from '../../../engine/record.js'
import * as again from './again.js'
import { key, within } from './keys.js'
import { type AgainMeta, decode, decodeWithRecord, encode } from './rows.js'
import type { Cursor, Txn } from './txn.js'

/** A message's key and its place. */
export interface Keyed {
  readonly messageKey: Buffer | undefined
  readonly offset: number
}

/**
 * Keys whose later messages wait while an earlier one is parked or lent. Such a one is a head, a hold or an entry of the
 * again queue, and a key may have several; the others are copies behind it and follow when it has ended.
 */
export function isBlocked(txn: Txn, cursor: Cursor, { messageKey, offset }: Keyed): boolean {
  return messageKey !== undefined && heads(txn, cursor, messageKey).some((head) => head < offset)
}

/** Makes a message with a key a head. False for one without. */
export function block(txn: Txn, cursor: Cursor, { messageKey, offset }: Keyed): boolean {
  if (messageKey === undefined) return false
  const known = heads(txn, cursor, messageKey)
  if (!known.includes(offset)) putHeads(txn, cursor, messageKey, [...known, offset])
  return true
}

/** A head has ended: who waited behind it follows in order, up to the next head. */
export function free(txn: Txn, cursor: Cursor, messageKey: Buffer, offset: number): void {
  const left = heads(txn, cursor, messageKey).filter((head) => head !== offset)
  putHeads(txn, cursor, messageKey, left)
  const next = Math.min(...left)
  const waited = cursor.behind === 0 ? [] : [...txn.tables.behind.getRange(within(behindPrefix(cursor, messageKey)))]
  for (const { key: at, value } of waited) {
    const { meta, record } = decodeWithRecord<AgainMeta>(value)
    if (meta.offset > next) break
    txn.tables.behind.removeSync(at)
    cursor.behind -= 1
    again.putBack(txn, cursor, meta, record)
  }
  txn.change(cursor)
}

export function putBehind(txn: Txn, cursor: Cursor, messageKey: Buffer, meta: AgainMeta, record: Buffer): void {
  txn.tables.behind.putSync(key({ raw: behindPrefix(cursor, messageKey) }, { n: meta.offset }), encode(meta, record))
  cursor.behind += 1
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

/** An entry of the again queue has ended; it may have been a head. */
export function endOf(txn: Txn, cursor: Cursor, entry: again.AgainEntry): void {
  const record = entry.own.length > 0 ? entry.own : txn.record(cursor.topic, cursor.partition, entry.meta.offset)
  const messageKey = record && recordKey(record)
  if (entry.meta.head && messageKey) free(txn, cursor, messageKey, entry.meta.offset)
}

/** The offsets of a key's heads. */
function heads(txn: Txn, cursor: Cursor, messageKey: Buffer): readonly number[] {
  const row = cursor.blocked === 0 ? undefined : txn.tables.blocked.get(blockedKey(cursor, messageKey))
  return row ? decode<number[]>(row) : []
}

function putHeads(txn: Txn, cursor: Cursor, messageKey: Buffer, offsets: readonly number[]): void {
  const wasBlocked = heads(txn, cursor, messageKey).length > 0
  if (offsets.length > 0) txn.tables.blocked.putSync(blockedKey(cursor, messageKey), encode(offsets))
  else txn.tables.blocked.removeSync(blockedKey(cursor, messageKey))
  cursor.blocked += Number(offsets.length > 0) - Number(wasBlocked)
  txn.change(cursor)
}

function blockedKey(cursor: Cursor, messageKey: Buffer): Buffer {
  return key({ raw: cursor.at }, { raw: messageKey })
}

/** The length in front keeps one key's range from holding another's. */
function behindPrefix(cursor: Cursor, messageKey: Buffer): Buffer {
  return key({ raw: cursor.at }, { u16: messageKey.length }, { raw: messageKey })
}
