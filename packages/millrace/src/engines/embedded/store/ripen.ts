import type { Hold } from '../../../core/hold.js'
import { release } from './decide.js'
import * as holds from './holds.js'
import type { HoldMeta } from './rows.js'
import type { Txn } from './txn.js'

/** Releases, or parks, what is due; at most `limit`. Says how many. */
export function ripen(txn: Txn, limit: number): number {
  const due = holds.due(txn, limit)
  for (const row of due) {
    if (row.meta.hold.then === 'release') release(txn, row)
    else park(txn, row)
  }
  return due.length
}

/** A prepared message that is this instance's to ask about, claimed so that nobody else asks now. */
export interface Claimed {
  readonly producerGroup: string
  readonly meta: HoldMeta
  readonly record: Buffer
}

/** Claims what is due to be asked about: the next question is put off before this one is asked. */
export function claimAsks(txn: Txn, producerGroups: Iterable<string>, limit: number): Claimed[] {
  const claimed: Claimed[] = []
  for (const producerGroup of producerGroups) {
    for (const row of holds.dueToAsk(txn, producerGroup, limit)) {
      const { hold } = row.meta
      if (hold.then === 'release') continue
      holds.holdAnew(txn, row, { ...hold, until: txn.wall + hold.then.everyMs, then: { ...hold.then, checks: hold.then.checks - 1 } })
      claimed.push({ producerGroup, meta: row.meta, record: row.record })
    }
  }
  return claimed
}

/** Nobody knows what became of its transaction: kept until somebody decides. */
function park(txn: Txn, row: holds.HoldRow): void {
  const parked: Hold = { ...row.meta.hold, until: 'decided' }
  holds.holdAnew(txn, row, parked)
  txn.stir('parked', row.meta.topic)
}
