import type { Message } from '../../core/message.js'

/** A partition as its cursor reads it. Offsets are numbers in here and bigint at the border. */
export interface CursorLog {
  readonly partition: number
  /** After the last message that can be read now. */
  readonly end: number
  /** Undefined for a place without a message. */
  at(offset: number): Message | undefined
  /** Where most places are empty. Absent where messages follow each other without large gaps. */
  readonly sparse?: SparsePlaces | undefined
}

/** Where the messages of a log are that has a message only here and there. */
export interface SparsePlaces {
  /** The first message at or after `place`, or the log's end. */
  next(place: number): number
  /** How many messages lie from `place` to the log's end. */
  count(place: number): number
}

/** Where the first message at or after `place` is, or the log's end. Where messages follow each other it is `place`. */
export function firstFrom({ sparse }: CursorLog, place: number): number {
  return sparse ? sparse.next(place) : place
}

/** How many messages lie from `place` to the log's end. */
export function countFrom({ sparse, end }: CursorLog, place: number): number {
  return sparse ? sparse.count(place) : end - place
}

export function countBetween(log: CursorLog, from: number, to: number): number {
  return Math.max(0, countFrom(log, from) - countFrom(log, to))
}
