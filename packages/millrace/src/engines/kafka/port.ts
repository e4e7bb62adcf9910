import type { Millis } from '../../core/clock.js'
import type { MillraceError } from '../../core/errors.js'
import type { Header, Offset } from '../../core/message.js'

/**
 * What the engine needs of a Kafka client, in its own words. One adapter for each client implements it and handles that client's
 * traps; nothing else of the engine knows which client it is. Offsets are bigint, times milliseconds, keys and values bytes.
 * Every call ends: with an answer, or with a MillraceError when the cluster has not answered within the client's time.
 */
export interface KafkaClient {
  /** Of the client library, for messages: `confluent`, `kafkajs`. */
  readonly name: string
  /** A member's session lives on while the application's thread is busy. */
  readonly beatsWhileBlocked: boolean
  /** Connects. Errors: CONFIG when no broker can be reached or it refuses us. */
  open(): Promise<void>
  /** Closes everything that was made through this client; what is under way fails. */
  close(): Promise<void>
  readonly admin: KafkaAdmin
  /**
   * Sends records, those of one partition in the order given, with acks=all and idempotence: no answer of the broker's that gets lost makes
   * a record come twice. One answer for each. Records of calls made one after another keep their order too. Never throws.
   */
  send(records: readonly NewRecord[]): Promise<readonly Sent[]>
  /** A producer of transactions. Whoever had this id before is fenced, and what it had open is aborted. */
  transactor(id: string): Promise<Transactor>
  /** Reads partitions by place, outside any group, committed records only. */
  reader(on: ReaderEvents): Promise<Reader>
  /** Becomes a member of a Kafka consumer group that subscribes to one topic. It is told what it is assigned, and reads nothing itself. */
  join(request: GroupRequest): Promise<GroupMember>
}

export interface NewRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  /** Null is a tombstone; no bytes are a value. */
  readonly value: Buffer | null
  /** Ordered, repeatable. */
  readonly headers: readonly Header[]
  /** Absent: the client's now. */
  readonly timestamp?: Millis
}

export interface KafkaRecord extends NewRecord {
  readonly offset: Offset
  readonly timestamp: Millis
}

/** 'no': it is not in the log and never will be. 'unknown': it may be. */
export type Sent = { readonly offset: Offset } | { readonly error: MillraceError; readonly stored: 'no' | 'unknown' }

export interface Transactor {
  /**
   * One transaction: all of these records become visible, or none. 'fenced': another has taken the id, nothing is visible, and this
   * transactor is of no more use. 'aborted': nothing is visible, and it may be tried again. 'unknown': the commit got no answer; make a new
   * transactor under the same id, after which it is decided, and look.
   */
  commit(records: readonly NewRecord[]): Promise<'committed' | 'aborted' | 'fenced' | 'unknown'>
  close(): Promise<void>
}

export interface ReaderEvents {
  /** Records of one partition, in order. Paused partitions and those taken out bring none, from the call on. */
  records(topic: string, partition: number, records: readonly KafkaRecord[]): void
  /**
   * Everything before `next` that can be read now has been handed to `records`: also when the last offsets are those of transaction markers or were
   * compacted away. Told at least each time that the end is reached.
   */
  end(topic: string, partition: number, next: Offset): void
  /** A partition cannot be read on from where it was: its records were deleted, or the topic is gone. It was taken out. */
  lost(topic: string, partition: number, why: 'deleted' | 'gone'): void
  /** A fetch has not answered for too long, or the connection had to be built anew. For people; reading goes on by itself. */
  trouble(error: MillraceError): void
}

export interface Reader {
  /** Reads on from `from`; for one that is being read already, jumps there. */
  add(topic: string, partition: number, from: Offset): void
  remove(topic: string, partition: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** A hint that enough is waiting for now: until told otherwise records may come slowly. A pause costs more where the client drops what it has fetched. */
  ease(isEased: boolean): void
  close(): Promise<void>
}

export interface GroupRequest {
  readonly group: string
  readonly topic: string
  /** Shown to operators as the client's id. */
  readonly member: string
  /** Silence after which the coordinator takes the partitions away. */
  readonly sessionMs: Millis
  /** How long the application's thread may be busy. */
  readonly stallMs: Millis
  /** It has these partitions now, beside those it had. */
  assigned(partitions: readonly number[]): void
  /** Awaited before they go to another member, for as long as the client can. */
  revoked(partitions: readonly number[]): Promise<void>
  /** They are another's already. */
  lost(partitions: readonly number[]): void
  trouble(error: MillraceError): void
}

export interface GroupMember {
  /**
   * Places up to which everything is finished, for the tools of operators. 'stale' when the member is not in the group's generation any more, or one of
   * the partitions is not its own: then none is committed. Allowed until `revoked` is done.
   */
  commit(places: ReadonlyMap<number, Offset>): Promise<'committed' | 'stale' | 'unknown'>
  /** Leaves the group at once, so that others need not wait for its session to end. Partitions it had are told to `revoked` first. */
  leave(): Promise<void>
  /**
   * As a process that was killed: no word to anyone. For tests. A client that cannot end without leaving the group stays in it, mute, for a session's time;
   * the group learns no more than from a session that ran out.
   */
  die(): void
}

export interface KafkaAdmin {
  /** 'exists' when there is a topic of this name. Resolves when every partition has a leader that the client knows. */
  createTopic(topic: NewTopic): Promise<'created' | 'exists'>
  /** Resolves when the name is free again. False when there was none. */
  removeTopic(name: string): Promise<boolean>
  /** Up to so many in all. Resolves when all have leaders. */
  addPartitions(name: string, partitions: number): Promise<void>
  /** Undefined for a topic that is not there. */
  describeTopic(name: string): Promise<TopicDescription | undefined>
  /** Sets these; the others stay as they are. UNSUPPORTED where the client cannot. */
  alterConfig(name: string, config: Readonly<Record<string, string>>): Promise<void>
  /** For each partition its first offset and the one up to which committed readers can read now (the last stable offset). Errors: UNKNOWN_TOPIC. */
  bounds(topic: string, partitions: readonly number[]): Promise<readonly Bounds[]>
  /** The same of many topics at once, for a look now and then. Those for which there is no good answer at this moment are left out. */
  manyBounds(topics: ReadonlyMap<string, readonly number[]>): Promise<ReadonlyMap<string, readonly Bounds[]>>
  /** For each partition the first offset whose timestamp is not before `time`; its end when there is none. */
  offsetsAt(topic: string, partitions: readonly number[], time: Millis): Promise<readonly Offset[]>
  /** Removes what is before a place. A place before the first offset removes nothing. */
  deleteRecords(topic: string, before: ReadonlyMap<number, Offset>): Promise<void>
  /** Every consumer group that we may see. */
  groups(): Promise<readonly GroupState[]>
  /** Places that a consumer group has committed. None for one that is not there. */
  placesOf(group: string): Promise<readonly GroupPlace[]>
  /** How many members of a consumer group live, by its coordinator; 0 for one that it does not know. */
  members(group: string): Promise<number>
  removeGroup(group: string): Promise<void>
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface GroupState {
  readonly group: string
  /** It has no members. */
  readonly isEmpty: boolean
}

export interface GroupPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
}

export interface TopicDescription {
  readonly partitions: number
  readonly replicationFactor: number
  /** Names and values as the broker has them: `min.insync.replicas`, `flush.messages`, `cleanup.policy` … Empty where the client cannot tell. */
  readonly config: Readonly<Record<string, string>>
}

export interface Bounds {
  readonly partition: number
  readonly start: Offset
  readonly end: Offset
}
