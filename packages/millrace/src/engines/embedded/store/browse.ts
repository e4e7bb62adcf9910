import { MillraceError } from '../../../core/errors.js'
import type { BrowseQuery, HoldQuery } from '../../../engine/engine.js'
import * as groups from './groups.js'
import * as holds from './holds.js'
import * as log from './log.js'
import type { HoldMeta } from './rows.js'
import type { Txn } from './txn.js'

/** A message of a page. */
export interface Browsed {
  readonly partition: number
  readonly offset: number
  readonly record: Buffer
}

export interface StorePage<T> {
  readonly items: readonly T[]
  readonly cursor?: string
}

/** Reads partition after partition; the cursor is `partition:offset` of the next message. */
export function browse(txn: Txn, query: BrowseQuery): StorePage<Browsed> {
  const row = groups.topicRow(txn, query.topic)
  const from = query.cursor === undefined ? undefined : browseCursor(query.cursor)
  const last = query.partition ?? row.topic.partitions - 1
  const items: Browsed[] = []
  for (let partition = from?.partition ?? query.partition ?? 0; partition <= last; partition += 1) {
    const start = from?.partition === partition ? from.offset : log.offsetOf(txn, row.number, partition, query.from)
    for (const entry of log.read(txn, row.number, partition, start, query.limit - items.length + 1)) {
      if (items.length === query.limit) return { items, cursor: `${partition}:${entry.offset}` }
      items.push({ partition, ...entry })
    }
  }
  return { items }
}

function browseCursor(cursor: string): { partition: number; offset: number } {
  const [, partition, offset] = /^(\d{1,4}):(\d{1,16})$/.exec(cursor) ?? []
  if (partition === undefined || offset === undefined) throw badCursor()
  return { partition: Number(partition), offset: Number(offset) }
}

export interface HeldRecord {
  readonly meta: HoldMeta
  readonly record: Buffer
}

/** Lists holds; the cursor is the index key of the last one. */
export function listHolds(txn: Txn, query: HoldQuery): StorePage<HeldRecord> {
  if (query.topic !== undefined) groups.topicRow(txn, query.topic)
  if (query.id !== undefined) {
    const row = holds.byId(txn, query.id)
    return { items: row && matches(row.meta, query) ? [row] : [] }
  }
  if (query.cursor !== undefined && !/^([0-9a-f]{2})+$/.test(query.cursor)) throw badCursor()
  const after = query.cursor === undefined ? undefined : Buffer.concat([Buffer.from(query.cursor, 'hex'), Buffer.from([0])])
  const items: HeldRecord[] = []
  let last = ''
  for (const prefix of prefixes(txn, query)) {
    const start = after && Buffer.compare(after, prefix) > 0 ? after : prefix
    for (const { at, row } of holds.listed(txn, start, prefix, query.limit - items.length + 1)) {
      if (items.length === query.limit) return { items, cursor: last }
      items.push(row)
      last = at.toString('hex')
    }
  }
  return { items }
}

function prefixes(txn: Txn, { topic, group, why }: HoldQuery): Buffer[] {
  const rows = topic === undefined ? txn.topics().sort((one, other) => one.number - other.number) : [groups.topicRow(txn, topic)]
  return rows.flatMap((row) => {
    if (group === undefined) return holds.listPrefixes(row.number, why, undefined)
    const found = txn.group(row.number, group)
    return found ? holds.listPrefixes(row.number, why, found.number) : []
  })
}

function matches({ topic, hold }: HoldMeta, query: HoldQuery): boolean {
  return (query.topic ?? topic) === topic && (query.group ?? hold.group) === hold.group && (query.why ?? hold.why) === hold.why
}

function badCursor(): MillraceError {
  return new MillraceError('INVALID', 'cursor is not one that this query gave: start again without it', { field: 'cursor' })
}
