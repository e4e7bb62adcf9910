import type { Millis } from './clock.js'
import type { Offset } from './message.js'

/** Instances that share one checker for prepared messages. */
export type ProducerGroup = string

/** Why nobody may read a message yet. Delay, retry, prepared, dead letter and loan are one concept. */
export interface Hold {
  readonly why: 'delay' | 'retry' | 'prepared' | 'dead' | 'lent'
  /** Wall clock at which it ripens; 'decided' holds until somebody decides. */
  readonly until: Millis | 'decided'
  /** What ripening does: release the message, or ask the producer group what became of its transaction. */
  readonly then: 'release' | Ask
  /** A retry, a dead letter and a loan belong to one group; the others never notice. Absent on a delay and a prepared message. */
  readonly group?: string
  /** How many deliveries the message has had. */
  readonly attempt: number
  /** Why the last attempt failed, for people and for redrive. */
  readonly failure?: Failure
  /** On a loan: only a decision that shows this token ends it. */
  readonly token?: string
}

/** How a prepared message is asked about. */
export interface Ask {
  readonly ask: ProducerGroup
  /** Questions left. At none it is parked: held until decided, never lost. */
  readonly checks: number
  /** Time between two questions. */
  readonly everyMs: Millis
  /** Wall clock at which it is parked, asked or not. */
  readonly parkAt: Millis
}

/** What is kept of an error with a retry or a dead letter. */
export interface Failure {
  /** What went wrong, in one line. */
  readonly reason: string
  /** The error's code or class, to group by. */
  readonly kind: string
  readonly stack?: string
  readonly firstAt: Millis
  readonly lastAt: Millis
}

/** Names a hold. Opaque; unique among the holds of an engine. */
export type HoldId = string

/** The hold of a message that nobody has read: a delay or a prepared message. An id names at most one such hold of a topic. */
export function messageHold(topic: string, id: string): HoldId {
  return `${topic}:${id}`
}

/** The hold of a message for one group. A place names at most one such hold of a group. */
export function groupHold(topic: string, partition: number, offset: Offset, group: string): HoldId {
  return `${topic}/${partition}/${offset}@${group}`
}
