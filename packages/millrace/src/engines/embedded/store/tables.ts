import { MillraceError } from '../../../core/errors.js'
import type { Root, Table } from './lmdb.js'
import { SealedTable } from './sealed.js'

/** The tables of a store and their keys. `t`, `g`, `p` are the numbers of topic, group and partition. */
const names = [
  /** name -> counters, format */
  'meta',
  /** topic name -> TopicRow */
  'topics',
  /** t p band offset -> record */
  'log',
  /** t p -> PartRow */
  'parts',
  /** t name -> GroupRow */
  'groups',
  /** t g p -> CursorRow */
  'cursors',
  /** t g p class order -> AgainMeta + record */
  'again',
  /** t g p key 0 offset -> AgainMeta + record */
  'behind',
  /** t g p key -> nothing: later messages of the key wait */
  'blocked',
  /** sequence -> HoldMeta + record */
  'holds',
  /** hold id -> sequence */
  'holdIds',
  /** t why g sequence -> nothing */
  'heldBy',
  /** time sequence -> nothing: release, or park */
  'due',
  /** producer group 0 time sequence -> nothing: ask */
  'asks',
  /** t g member -> MemberRow */
  'members',
  /** t p id -> offset, until */
  'dedup',
  /** until dedup key -> nothing */
  'dedupDue',
] as const

type Name = (typeof names)[number]

export type Tables = Readonly<Record<Exclude<Name, 'log'>, SealedTable>> & { readonly log: Table }

export const tableNames: readonly string[] = names

export const maxTables = names.length + 4

export function openTables(root: Root): Tables {
  const entries = names.map((name) => [name, seal(name, openTable(root, name))] as const)
  // Built from `names`, so every name is there.
  return Object.fromEntries(entries) as Tables
}

/** Throws STORE_DAMAGED when it has rows and none is found: one whose page was lost looks like one that is empty. */
export function openTable(root: Root, name: Name): Table {
  const table = root.openDB({ name, keyEncoding: 'binary', encoding: 'binary' })
  const isEmpty = [...table.getKeys({ limit: 1 })].length === 0
  if (isEmpty && table.getStats().entryCount > 0) throw new MillraceError('STORE_DAMAGED', `the store is damaged: the rows of its table ${name} are lost. Restore it from a backup`)
  return table
}

/** Records have a checksum of their own, and the log has no gaps. A cursor or a part that is missing would count as new. */
function seal(name: Name, table: Table): Table {
  return name === 'log' ? table : new SealedTable(table, name, name === 'cursors' || name === 'parts')
}
