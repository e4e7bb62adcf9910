import type { Millis } from './clock.js'
import type { Hold } from './hold.js'

/** A place in a partition. It grows and has gaps: compare offsets, never compute with them. A string on the wire. */
export type Offset = bigint

/** One header: a name and its bytes. Headers keep their order and a name may repeat. */
export type Header = readonly [name: string, value: Uint8Array]

/** How a message came in: at once, after a delay, or through a prepared transaction. */
export type MessageKind = 'normal' | 'delay' | 'transaction'

/** What a producer hands to an engine. */
export interface Draft {
  /** Chosen by the caller; it stays the same through every retry and redrive. 1 to 200 characters without control characters. */
  readonly id: string
  readonly topic: string
  readonly partition: number
  /** Messages of one key keep their order. Bytes that are not UTF-8 travel as lone surrogates U+DC80 to U+DCFF. */
  readonly key: string | null
  /** Null is a tombstone, as on Kafka; zero bytes are a value. */
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** Wall clock of the producer, milliseconds since 1970. */
  readonly timestamp: Millis
  readonly producerId: string
  /** Keeps the message from being read: a delay, or a prepared transaction. */
  readonly hold?: Hold
  /** A second draft with this id, in the same topic and partition and within the window, is answered and not stored. */
  readonly dedup?: { readonly id: string; readonly windowMs: Millis }
}

/** What an engine hands out. */
export interface Message {
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly key: string | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  readonly timestamp: Millis
  readonly producerId: string
  readonly kind: MessageKind
  /** For a delayed message: the time it was held until. */
  readonly delayedUntil?: Millis
}

/** The answer to a draft that was stored. */
export interface Receipt {
  readonly id: string
  readonly topic: string
  readonly partition: number
  /** Null while the message is held: it takes its place at release. */
  readonly offset: Offset | null
  readonly timestamp: Millis
  /** Every fault that the stored message survives as the engine is configured. */
  readonly survives: readonly Durability[]
  /** True when a draft with the same dedup id was stored before; the place is that one's. */
  readonly duplicate: boolean
}

/**
 * What a stored message survives: `memory` nothing but the call itself, `os` a killed process, `fsync` a power
 * loss, `replicated` the loss of the node. Sets of faults, not a ladder.
 */
export type Durability = 'memory' | 'os' | 'fsync' | 'replicated'

/** The first value of a header, or undefined. */
export function header(headers: readonly Header[], name: string): Uint8Array | undefined {
  return headers.find(([each]) => each === name)?.[1]
}
