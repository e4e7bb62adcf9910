import { key, within } from './keys.js'
import { decode, encode, type GroupRow, type MemberRow, type TopicRow } from './rows.js'
import type { Txn } from './txn.js'

/** A group of a topic. */
export interface GroupOf {
  readonly topic: TopicRow
  readonly group: GroupRow
}

function prefix({ topic, group }: GroupOf): Buffer {
  return key({ u32: topic.number }, { u32: group.number })
}

function memberKey(of: GroupOf, id: string): Buffer {
  return key({ raw: prefix(of) }, { text: id })
}

/** Members that have beaten within their lease. */
export function living(txn: Txn, of: GroupOf): MemberRow[] {
  return list(txn, of).filter((member) => lives(txn, member))
}

/** Members that have been silent for longer than their lease. */
export function dead(txn: Txn, of: GroupOf): MemberRow[] {
  return list(txn, of).filter((member) => !lives(txn, member))
}

function list(txn: Txn, of: GroupOf): MemberRow[] {
  return [...txn.tables.members.getRange(within(prefix(of)))].map(({ value }) => decode<MemberRow>(value))
}

/** A beat later than now is of before the host booted, where the host does not tell that it has. */
function lives(txn: Txn, { beat: last, leaseMs }: MemberRow): boolean {
  const silentMs = txn.monotonic - last
  return silentMs >= 0 && silentMs <= leaseMs
}

/** Says that a member lives. */
export function beat(txn: Txn, of: GroupOf, id: string, leaseMs: number): void {
  txn.tables.members.putSync(memberKey(of, id), encode({ id, leaseMs, beat: txn.monotonic } satisfies MemberRow))
}

export function isMember(txn: Txn, of: GroupOf, id: string): boolean {
  return txn.tables.members.get(memberKey(of, id)) !== undefined
}

export function removeMember(txn: Txn, of: GroupOf, id: string): void {
  txn.tables.members.removeSync(memberKey(of, id))
  txn.stir('members', of.topic.topic.name, of.group.name)
}

/** Earlier than any beat, on a clock that starts at zero. */
const longAgo = -1e15

/** The host has booted since the store was last used: nobody who beat before lives. */
export function forgetBeats(txn: Txn): void {
  for (const { key: at, value } of [...txn.tables.members.getRange({})]) {
    txn.tables.members.putSync(at, encode({ ...decode<MemberRow>(value), beat: longAgo }))
  }
}
