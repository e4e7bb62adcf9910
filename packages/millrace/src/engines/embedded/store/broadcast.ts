import * as log from './log.js'
import type { Leased } from './lease.js'
import type { Member } from './member.js'
import type { GroupOf } from './member-rows.js'
import type { Txn } from './txn.js'

/** A broadcast member starts at the end of each partition. */
export function startBroadcast(txn: Txn, member: Member, { topic }: GroupOf): void {
  for (let partition = 0; partition < topic.topic.partitions; partition += 1) member.broadcast?.set(partition, txn.part(topic.number, partition).end)
}

/** Reads on, without a trace in the store. What the log lost meanwhile is passed over. */
export function leaseBroadcast(txn: Txn, next: Map<number, number>, { topic }: GroupOf, max: number): Leased[] {
  const taken: Leased[] = []
  for (let partition = 0; partition < topic.topic.partitions && taken.length < max; partition += 1) {
    for (const { offset, record } of log.read(txn, topic.number, partition, next.get(partition) ?? 0, max - taken.length)) {
      taken.push({ partition, offset, attempt: 1, epoch: 0, alone: false, record })
      next.set(partition, offset + 1)
    }
  }
  return taken
}

export function hasBroadcast(txn: Txn, next: Map<number, number>, { topic }: GroupOf): boolean {
  return Array.from({ length: topic.topic.partitions }, (_, partition) => partition).some((partition) => (next.get(partition) ?? 0) < txn.part(topic.number, partition).end)
}
