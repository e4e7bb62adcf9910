import type { Message } from '../../core/message.js'

/** A partition as its cursor reads it. Offsets are numbers in here and bigint at the border. */
export interface CursorLog {
  readonly partition: number
  /** After the last message that can be read now. */
  readonly end: number
  /** Undefined for a place without a message. */
  at(offset: number): Message | undefined
}
