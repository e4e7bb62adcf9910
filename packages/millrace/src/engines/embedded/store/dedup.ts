import type { Millis } from '../../../core/clock.js'
import { key } from './keys.js'
import { decode, encode } from './rows.js'
import type { Txn } from './txn.js'

/** A dedup id, in the partition where it counts. */
export interface DedupId {
  readonly topic: number
  readonly partition: number
  readonly id: string
}

/** Where the first message with an id went: an offset, or null while it is held. */
interface Seen {
  readonly offset: number | null
  readonly until: Millis
}

const nothing = Buffer.alloc(0)

/** The first message with this id, while its window is open. */
export function firstOf(txn: Txn, id: DedupId): Seen | undefined {
  const row = txn.tables.dedup.get(rowKey(id))
  const first = row && decode<Seen>(row)
  return first && first.until > txn.wall ? first : undefined
}

export function remember(txn: Txn, id: DedupId, seen: Seen): void {
  const at = rowKey(id)
  txn.tables.dedup.putSync(at, encode(seen))
  txn.tables.dedupDue.putSync(key({ n: seen.until }, { raw: at }), nothing)
}

/** The first message was held and has now its place. */
export function placed(txn: Txn, id: DedupId, offset: number): void {
  const first = firstOf(txn, id)
  if (first) txn.tables.dedup.putSync(rowKey(id), encode({ ...first, offset }))
}

/** Forgets ids whose window is over. Says how many went. */
export function forget(txn: Txn, limit: number): number {
  const over = [...txn.tables.dedupDue.getKeys({ end: key({ n: txn.wall }), limit })]
  for (const at of over) {
    txn.tables.dedupDue.removeSync(at)
    const row = at.subarray(8)
    const seen = txn.tables.dedup.get(row)
    if (seen && decode<Seen>(seen).until <= txn.wall) txn.tables.dedup.removeSync(row)
  }
  return over.length
}

function rowKey({ topic, partition, id }: DedupId): Buffer {
  return key({ u32: topic }, { u16: partition }, { text: id })
}
