import { groupHold, type HoldId, messageHold } from '../../core/hold.js'
import type { Topic } from '../../core/topic.js'

/** What a hold's id says: of a message that nobody has seen, in whichever partition, or of a group's. */
export type HeldId =
  | { readonly topic: string; readonly draft: string }
  | { readonly topic: string; readonly group: string; readonly partition: number; readonly offset: number }

/** Undefined for an id that is none of this engine's. */
export function heldId(hold: HoldId): HeldId | undefined {
  const [, draftTopic, draft] = /^([^:/]+):(.*)$/su.exec(hold) ?? []
  if (draftTopic !== undefined && draft !== undefined) return { topic: draftTopic, draft }
  const [, topic, partition, offset, group] = /^([^:/]+)\/(\d+)\/(\d+)@(.+)$/su.exec(hold) ?? []
  if (topic === undefined || group === undefined) return undefined
  return { topic, group, partition: Number(partition), offset: Number(offset) }
}

export function holdId({ topic, ...of }: HeldId): HoldId {
  return 'draft' in of ? messageHold(topic, of.draft) : groupHold(topic, of.partition, BigInt(of.offset), of.group)
}

export function partitionsOf({ partitions }: Topic): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => partition)
}
