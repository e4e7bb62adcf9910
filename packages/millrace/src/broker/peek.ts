import type { Message, MillraceError } from '../core/index.js'
import type { Place } from '../engine/index.js'
import type { MessageHeaders } from './headers.js'

export interface PeekOptions {
  /** Absent: partition after partition. */
  readonly partition?: number
  /** Default `start`. */
  readonly from?: Place
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
  readonly signal?: AbortSignal
}

/** A message read without consuming it. */
export interface Peeked<Value> extends Omit<Message, 'value' | 'headers'> {
  readonly headers: MessageHeaders
  /** Undefined when it could not be read; then `error` says why. */
  readonly value: Value | undefined
  readonly error?: MillraceError
  readonly bytes: Uint8Array | null
}
