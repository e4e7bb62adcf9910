import type { Millis } from '../../core/clock.js'
import type { Hold } from '../../core/hold.js'
import type { Message } from '../../core/message.js'
import { delayedUntil, draftBytes } from '../../engine/draft.js'
import type { Decided, Decision, Edit, Held } from '../../engine/engine.js'
import type { GroupCursor } from '../../engine/cursor/group-cursor.js'
import { blocks, type Group } from './group.js'
import type { HeldRecord } from './held-record.js'
import type { MemoryStore } from './store.js'

/** Ends a hold, or holds anew. */
export function decide(store: MemoryStore, decision: Decision, wall: Millis): Decided {
  const record = store.holds.get(decision.hold)
  if (record === undefined || record.hold.token !== decision.token) return 'gone'
  const message = edited(record.message, decision.edit)
  if (decision.to === 'release') return release(store, record, message) ? 'done' : 'gone'
  if (decision.to === 'drop') drop(store, record)
  else holdAnew(store, record, message, decision.anew, wall)
  return 'done'
}

/** To the group that it belongs to, or into the log. False when its group is no more: then it stays held. */
export function release(store: MemoryStore, record: HeldRecord, message: Held['message'] = record.message): boolean {
  if (isPlaced(message)) return releaseToGroup(store, record, message)
  const { topic } = record
  store.holds.remove(record)
  const offset = topic.append(topic.log(message.partition), message, message.kind, draftBytes(message))
  if (record.original) record.original.offset = offset
  topic.announce()
  return true
}

/** Takes a prepared message out of all that ripens: it waits until somebody decides. */
export function park(store: MemoryStore, record: HeldRecord): void {
  store.holds.change(record, { ...record.hold, until: 'decided' })
  store.stir({ what: 'parked', topic: record.topic.name })
}

function releaseToGroup(store: MemoryStore, record: HeldRecord, message: Message): boolean {
  const owner = ownerOf(record)
  if (owner === undefined) return false
  const { attempt, failure, why } = record.hold
  store.holds.remove(record)
  owner.cursor.release({
    message,
    offset: Number(message.offset),
    attempt: why === 'dead' ? 1 : attempt + 1,
    alone: false,
    pins: false,
    ...(failure && { failure }),
  })
  store.stir({ what: 'ready', topic: record.topic.name, group: owner.group.name })
  return true
}

function drop(store: MemoryStore, record: HeldRecord): void {
  const owner = ownerOf(record)
  store.holds.remove(record)
  store.stir({ what: 'held', topic: record.topic.name })
  if (owner === undefined) return
  if (record.hold.why === 'lent') owner.group.settled += 1
  else owner.group.purged += 1
  owner.cursor.ended(record.message.key, Number(record.message.offset))
}

function holdAnew(store: MemoryStore, record: HeldRecord, message: Held['message'], anew: Hold, wall: Millis): void {
  const { topic, counts, park: parks, original } = record
  const owner = ownerOf(record)
  const hold = record.hold.group === undefined ? anew : { ...anew, group: record.hold.group }
  store.holds.remove(record)
  store.holds.put({ topic, hold, heldAt: wall, counts, park: parks, original, message: { ...message, ...delayedUntil(message.kind, hold) } })
  store.heldUntil(hold.until)
  store.stir({ what: 'held', topic: topic.name })
  if (owner === undefined) return
  const offset = Number(message.offset)
  if (blocks(hold, parks)) owner.cursor.keys.block(message.key, offset)
  else owner.cursor.ended(message.key, offset)
}

function ownerOf(record: HeldRecord): { readonly group: Group; readonly cursor: GroupCursor } | undefined {
  const group = record.hold.group === undefined ? undefined : record.topic.groups.get(record.hold.group)
  const cursor = group?.cursors[record.message.partition]
  return group && cursor && { group, cursor }
}

function isPlaced(message: Held['message']): message is Message {
  return message.offset !== null
}

function edited(message: Held['message'], edit: Edit | undefined): Held['message'] {
  return edit ? { ...message, ...edit } : message
}
