import type { Decided, Decision } from '../../../engine/engine.js'
import { editRecord } from '../../../engine/record.js'
import * as again from './again.js'
import * as dedup from './dedup.js'
import * as holds from './holds.js'
import * as log from './log.js'
import type { Txn } from './txn.js'

/** Carries one decision out. */
export function decide(txn: Txn, decision: Decision): Decided {
  const found = holds.byId(txn, decision.hold)
  if (!found || found.meta.hold.token !== decision.token || isForNobody(found, decision)) return 'gone'
  const row = decision.edit ? { ...found, record: edited(found, decision.edit) } : found
  if (decision.to === 'release') release(txn, row)
  else if (decision.to === 'drop') drop(txn, row)
  else holds.holdAnew(txn, row, ofSameGroup(row, decision), row.record)
  return 'done'
}

/** The group of a broadcast member is nobody's: its dead letter could come to no one, and stays. */
function isForNobody({ meta }: holds.HoldRow, decision: Decision): boolean {
  if (meta.hold.group === undefined || meta.groupNumber !== 0 || decision.to === 'drop') return false
  return decision.to === 'release' || decision.anew.until !== 'decided'
}

function ofSameGroup({ meta }: holds.HoldRow, { anew }: Decision & { to: 'hold' }): typeof anew {
  const { group: _, ...rest } = anew
  return meta.hold.group === undefined ? rest : { ...rest, group: meta.hold.group }
}

function edited({ meta, record }: holds.HoldRow, edit: NonNullable<Decision['edit']>): Buffer {
  return editRecord(record, { topic: meta.topic, partition: meta.partition, offset: BigInt(meta.offset ?? -1) }, edit)
}

/** To the hold's group, or without one to the log. Its key stays blocked until the group has finished it. */
export function release(txn: Txn, row: holds.HoldRow): void {
  const { hold, topicNumber, groupNumber, partition, offset, head } = row.meta
  holds.remove(txn, row)
  txn.stir('ready', row.meta.topic, hold.group)
  if (hold.group === undefined || offset === null) {
    const place = log.append(txn, topicNumber, partition, row.record)
    if (row.meta.dedupId !== undefined) dedup.placed(txn, { topic: topicNumber, partition, id: row.meta.dedupId }, place)
    return
  }
  const cursor = txn.cursor(topicNumber, groupNumber, partition)
  const failure = hold.failure ? { failure: hold.failure } : {}
  const attempt = hold.why === 'dead' ? 1 : hold.attempt + 1
  again.putReleased(txn, cursor, { offset, attempt, alone: false, head, ...failure }, row.record)
}

/** Gone for good. A loan that ends so was acknowledged. */
function drop(txn: Txn, row: holds.HoldRow): void {
  const { hold, topicNumber, groupNumber, partition } = row.meta
  holds.remove(txn, row)
  if (hold.group === undefined) return
  const cursor = txn.cursor(topicNumber, groupNumber, partition)
  cursor[hold.why === 'lent' ? 'settled' : 'purged'] += 1
  txn.change(cursor)
  holds.endHead(txn, row)
  txn.stir('ready', row.meta.topic, hold.group)
}
