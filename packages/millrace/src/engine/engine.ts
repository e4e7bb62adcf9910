import type { Millis } from '../core/clock.js'
import type { MillraceError } from '../core/errors.js'
import type { Hold, HoldId, ProducerGroup } from '../core/hold.js'
import type { Draft, Durability, Header, Message, Offset, Receipt } from '../core/message.js'
import type { Topic, TopicChange, TopicConfig } from '../core/topic.js'
import type { Census } from './census.js'
import type { Traits } from './traits.js'

/**
 * What stores and moves messages. Engines are naive: calls come only between `open` and `close`, checked and within
 * the limits, because the guard in `guard.ts` wraps every engine once. What an engine cannot do its traits say.
 */
export interface Engine {
  readonly name: string
  readonly traits: Traits

  /**
   * Opens the store, creating it where there is none. After a crash it needs no manual step, and every message
   * whose publish was answered at a level that covers the crash is there.
   * Errors: STORE_FOREIGN, STORE_DAMAGED (never repaired silently), STORE_BUSY, CONFIG.
   */
  open(): Promise<void>

  /** Leaves every membership, stops keeping, answers or refuses what is under way, lets go of the store. */
  close(): Promise<void>

  readonly topics: TopicAdmin
  readonly groups: GroupAdmin

  /**
   * Stores drafts: one answer for each, in their order. An answer `ok` means stored at `level` or better, and readable
   * unless held. `stored: 'no'` means it never becomes visible; 'unknown' that it may; 'weaker' that it is readable
   * and the level was not met. One draft's failure is not another's. Drafts of one call and one partition keep
   * their order. `level` absent: the topic's, else all that the engine meets.
   * Not promised: that the drafts of a call become visible together.
   */
  publish(drafts: readonly Draft[], level?: Durability): Promise<readonly Published[]>

  /**
   * Becomes a member of a group of a topic; the group is created where there is none. Each message of the topic goes
   * to every group, and inside a group to one member, the owner of its partition. Ownership is by epoch: at any time
   * at most one member's verdicts count for a partition. A member that is silent for `leaseMs` is dead: its
   * partitions go to others under a new epoch. A broadcast member sees every message published after it joined,
   * pins nothing and is forgotten when it leaves.
   * Errors: UNKNOWN_TOPIC.
   */
  join(request: JoinRequest): Promise<Membership>

  /**
   * Ends holds, or holds anew: one answer for each, in order. 'done' it happened; 'gone' there is no such hold
   * (decided before, ripened, wrong token): nothing changed; 'accepted' it will happen once the log has ordered it.
   * Deciding twice is safe: the second answer is 'gone'.
   */
  decide(decisions: readonly Decision[]): Promise<readonly Decided[]>

  /**
   * Makes this instance a keeper: it ripens holds whose time has come, and asks about prepared messages of the producer
   * groups in `answers`. Each hold ripens once, however many keepers there are; a hold never ripens early by the wall
   * clock; without a keeper nothing ripens and nothing is lost.
   */
  keep(request: KeepRequest): Promise<Keeping>

  /** Held messages by pages; those of one topic, reason and group in the order they were held. Errors: UNKNOWN_TOPIC. */
  holds(query: HoldQuery): Promise<Page<Held>>

  /** Reads a topic's log without consuming. Held messages are not in it. Errors: UNKNOWN_TOPIC. */
  browse(query: BrowseQuery): Promise<Page<Message>>

  /**
   * Calls when it may be worth to look again. May be spurious, may come from another process, is never needed for
   * correctness: who waits also looks once a `limits.safetyLookMs`.
   */
  watch(on: (stir: Stir) => void): () => void

  /** Counts, taken in one consistent look where the trait `census` is 'exact'. */
  census(): Promise<Census>
}

/** `stored` says what may have become of a draft that was not answered `ok`. */
export type Published =
  | { readonly ok: Receipt }
  | { readonly error: MillraceError; readonly stored: 'no' | 'unknown' | 'weaker' }

export interface TopicAdmin {
  /** Errors: TOPIC_EXISTS; UNSUPPORTED for a durability or bound the engine cannot keep. */
  create(config: TopicConfig): Promise<Topic>
  /** Errors: UNKNOWN_TOPIC; INVALID when partitions would shrink. Partitions that are added start empty, for every group. */
  alter(name: string, change: TopicChange): Promise<Topic>
  /** Removes messages, groups and holds with it; its members' leases lapse. Errors: UNKNOWN_TOPIC. */
  remove(name: string): Promise<void>
  list(): Promise<readonly Topic[]>
}

export interface GroupAdmin {
  /** Creates a group that nobody has joined, so that it pins what comes. True when it did not exist. Errors: UNKNOWN_TOPIC. */
  create(topic: string, group: string, from: StartAt): Promise<boolean>
  /** Where the group stands in each partition. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  positions(topic: string, group: string): Promise<readonly GroupPosition[]>
  /**
   * Moves a group, in one partition or in all. Bumps the epoch: what is leased lapses, and what of it lies before the
   * place may be passed over. The group's waiting redeliveries and retry holds at or after the place are dropped, earlier
   * ones and dead letters stay. A place before the log's start is its start.
   */
  seek(topic: string, group: string, to: Place, partition?: number): Promise<void>
  /** A paused group leases nothing; what is leased may still settle. */
  pause(topic: string, group: string, paused: boolean): Promise<void>
  /** Removes the group with its holds; its members' leases lapse. Errors: UNKNOWN_TOPIC, UNKNOWN_GROUP. */
  remove(topic: string, group: string): Promise<void>
}

export type StartAt = 'start' | 'end'
export type Place = StartAt | { readonly offset: Offset } | { readonly time: Millis }

export interface GroupPosition {
  readonly partition: number
  /** Everything before it is settled or held. */
  readonly watermark: Offset
  /** Where the next message will be. */
  readonly end: Offset
  /** Messages not yet settled or held. */
  readonly lag: number
  readonly owner: string | null
  readonly epoch: number
}

export interface JoinRequest {
  readonly topic: string
  readonly group: string
  /** Unique among the members that live; chosen by the caller. */
  readonly member: string
  readonly mode: 'share' | 'broadcast'
  /** Where a group starts that this join creates. */
  readonly from: StartAt
  /** Silence after which this member counts as dead. */
  readonly leaseMs: Millis
  /**
   * How long the application's thread may be busy before this member's beat stops; the longest handler deadline
   * belongs here (Kafka: max.poll.interval.ms).
   */
  readonly stallMs: Millis
  /** How long `revoke` may take before the partitions are taken by force. */
  readonly drainMs: Millis
  /** After so many deliveries in all a message whose owner died is parked as a dead letter of kind POISON. */
  readonly maxDeliveries: number
  /**
   * Later messages of a key wait while one is held for retry; on a loan they always do. When it has ended they come in
   * order, at once, up to the next of the key that is held.
   */
  readonly park: boolean
  /**
   * Awaited before the partitions go to another member. What is not settled when it returns is handed back. The signal
   * aborts when `drainMs` is over, or when the partitions are already lost.
   */
  revoke(partitions: readonly number[], signal: AbortSignal): Promise<void>
}

/** A member of a group, from `join` until `leave`, its death, or the end of the engine. */
export interface Membership {
  /**
   * Hands out at most `max` messages of the partitions this member owns, waiting up to `waitMs` for the first. Order
   * within a partition: what was delivered before and not settled, then what was released to this group, then the log.
   * A message is handed out once per epoch until its verdict. What a dead owner had unfinished counts one delivery and
   * comes alone: nothing else comes to this member until it has its verdict. Empty when time is over, the signal
   * aborts, or the group or topic is paused.
   * Errors: LAPSED once the member has left or was declared dead.
   */
  lease(ask: LeaseRequest): Promise<readonly Delivery[]>

  /**
   * Takes verdicts in any order, one answer for each: 'settled' it counts, at the topic's durability; 'lapsed' the
   * partition's epoch has moved on, nothing changed; 'unknown' it may or may not have been stored.
   */
  settle(verdicts: readonly Verdict[]): Promise<readonly Outcome[]>

  /** Hands back what has no verdict, to be had by others at once and not counted as a delivery. */
  leave(): Promise<void>
}

export interface LeaseRequest {
  readonly max: number
  readonly waitMs: Millis
  readonly signal?: AbortSignal
}

/** A message in the hands of the member that owns its partition. */
export interface Delivery {
  readonly message: Message
  /** 1 at first. Counts failed attempts and deliveries whose owner died; not what was handed back. */
  readonly attempt: number
  /** Fences: a verdict counts only while the partition is still in this epoch. */
  readonly epoch: number
  /** True when an earlier owner died with it: it runs alone. */
  readonly alone: boolean
  /** The failure that the hold it comes from carried. */
  readonly failure?: Failure
}

type Failure = NonNullable<Hold['failure']>

export type Verdict =
  /** Finished for this group. */
  | { readonly delivery: Delivery; readonly is: 'done' }
  /** Not now: a retry, a dead letter, a loan. The hold's group is the member's; its copy pins nothing. */
  | { readonly delivery: Delivery; readonly is: 'hold'; readonly hold: Hold }
  /** Handed back: to be had at once, in its place, not counted. */
  | { readonly delivery: Delivery; readonly is: 'back' }

export type Outcome = 'settled' | 'lapsed' | 'unknown'

export type Decision = {
  readonly hold: HoldId
  /** What a loan was lent with; without it a loan is 'gone', and so is with it what a loan has become. */
  readonly token?: string
  /** Changes the message before it goes on. */
  readonly edit?: Edit
} & (
  /** To the hold's group, or without one to the topic's log. A dead letter starts with no attempts. */
  | { readonly to: 'release' }
  /** Never delivered, and gone. */
  | { readonly to: 'drop' }
  | { readonly to: 'hold'; readonly anew: Hold }
)

export interface Edit {
  readonly value?: Uint8Array | null
  readonly headers?: readonly Header[]
}

export type Decided = 'done' | 'gone' | 'accepted'

export interface KeepRequest {
  /** The checkers of this instance, by producer group. */
  readonly answers: ReadonlyMap<ProducerGroup, Check>
}

/** Says what became of the transaction of a prepared message. A throw is 'unknown'. */
export type Check = (held: Held) => Promise<'commit' | 'rollback' | 'unknown'>

export interface Keeping {
  /** Stops after what is under way. */
  stop(): Promise<void>
}

export interface Held {
  readonly id: HoldId
  readonly hold: Hold
  /** Offset null: never read by anyone, it takes its place at release. */
  readonly message: Omit<Message, 'offset'> & { readonly offset: Offset | null }
  readonly heldAt: Millis
}

export interface HoldQuery {
  readonly topic?: string
  readonly group?: string
  readonly why?: Hold['why']
  /** One hold. */
  readonly id?: HoldId
  readonly limit: number
  readonly cursor?: string
}

export interface BrowseQuery {
  readonly topic: string
  /** Absent: partition after partition. */
  readonly partition?: number
  readonly from: Place
  readonly limit: number
  readonly cursor?: string
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Present when there may be more. Opaque. */
  readonly cursor?: string
}

export interface Stir {
  /** ready: messages may be leased. room: what was FULL may fit. held, parked: holds changed. members, paused: as they say. */
  readonly what: 'ready' | 'room' | 'held' | 'parked' | 'members' | 'paused'
  readonly topic?: string
  readonly group?: string
}
