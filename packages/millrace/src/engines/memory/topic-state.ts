import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Draft, Message, MessageKind, Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { StartAt } from '../../engine/engine.js'
import { Capacity } from './capacity.js'
import { Dedup } from './dedup.js'
import { Group } from './group.js'
import { noHolds } from './held-record.js'
import { PartitionLog } from './partition-log.js'
import type { MemoryStore } from './store.js'

/** What of a message is there before it has a place. */
export type Unplaced = Pick<Draft, 'id' | 'key' | 'value' | 'headers' | 'timestamp' | 'producerId'> & Pick<Message, 'delayedUntil'>

/** A topic with all that belongs to it. */
export class TopicState {
  readonly store: MemoryStore
  readonly name: string
  readonly logs: PartitionLog[] = []
  readonly groups = new Map<string, Group>()
  /** A group for each broadcast member. They pin nothing. */
  readonly broadcasts = new Set<Group>()
  readonly dedup = new Dedup()
  readonly capacity: Capacity
  /** Holds that belong to no group: delays, prepared messages. */
  readonly counts = noHolds()
  /** Dead letters of broadcast members. */
  readonly strays = noHolds()
  /** Messages that came in or were finished since the log was last cut. */
  sinceCut = 0
  #meta: Topic
  /** Partitions in which something came since the last `announce`. */
  readonly #arrivals: PartitionLog[] = []

  constructor(store: MemoryStore, meta: Topic) {
    this.store = store
    this.name = meta.name
    this.#meta = meta
    this.capacity = new Capacity(this)
    this.#addPartitions()
  }

  get meta(): Topic {
    return this.#meta
  }

  set meta(meta: Topic) {
    this.#meta = meta
    this.#addPartitions()
    this.capacity.recount()
  }

  log(partition: number): PartitionLog {
    const log = this.logs[partition]
    if (log) return log
    throw new MillraceError('INVALID', `partition ${partition} does not exist: topic ${this.name} has ${this.logs.length}`, { field: 'partition' })
  }

  group(name: string): Group {
    const group = this.groups.get(name)
    if (group) return group
    throw new MillraceError('UNKNOWN_GROUP', `topic ${this.name} has no group ${name}: create it or join it first`)
  }

  addGroup(name: string, from: StartAt, monotonic: Millis): Group {
    const group = new Group(this, name, from, monotonic)
    this.groups.set(name, group)
    return group
  }

  addBroadcast(name: string, monotonic: Millis): Group {
    const group = new Group(this, name, 'end', monotonic)
    this.broadcasts.add(group)
    return group
  }

  *everyGroup(): IterableIterator<Group> {
    yield* this.groups.values()
    yield* this.broadcasts
  }

  /** Puts a message behind all others of its partition. The caller calls `announce` afterwards. */
  append(log: PartitionLog, from: Unplaced, kind: MessageKind, bytes: number): Offset {
    const { id, key, value, headers, timestamp, producerId, delayedUntil } = from
    const offset = BigInt(log.end)
    const message = { id, topic: this.name, partition: log.partition, offset, key, value, headers, timestamp, producerId, kind }
    log.append(delayedUntil === undefined ? message : { ...message, delayedUntil }, bytes)
    if (!this.#arrivals.includes(log)) this.#arrivals.push(log)
    return offset
  }

  /** Wakes who waits for what was appended since the last time. */
  announce(): void {
    if (this.#arrivals.length === 0) return
    for (const { partition } of this.#arrivals) {
      for (const group of this.groups.values()) group.cursors[partition]?.owner?.wakeSoon()
      for (const group of this.broadcasts) group.cursors[partition]?.owner?.wakeSoon()
    }
    this.#arrivals.length = 0
    this.store.stir({ what: 'ready', topic: this.name })
  }

  /** Before this offset every group that pins the log has finished. */
  watermark(log: PartitionLog): number {
    let lowest = log.end
    for (const group of this.groups.values()) {
      const low = group.isIdle ? undefined : group.cursors[log.partition]?.flight.low
      if (low !== undefined && low < lowest) lowest = low
    }
    return lowest
  }

  /** Removes messages before the offset, read or not. */
  cut(log: PartitionLog, offset: number): void {
    for (const group of this.everyGroup()) group.passTo(log.partition, offset)
    log.cut(offset)
  }

  #addPartitions(): void {
    while (this.logs.length < this.#meta.partitions) {
      const log = new PartitionLog(this.logs.length)
      this.logs.push(log)
      for (const group of this.everyGroup()) group.addPartition(log, 'start')
    }
  }
}
