import type { Millis } from '../core/index.js'
import type { HoldQuery } from '../engine/index.js'
import type { DeadLetter } from './dead-letter.js'
import { millisOf } from './drafter.js'
import { nameOf, type TopicRef } from './topic-contract.js'

/** Fields that are given must all fit. */
export interface DeadLetterFilter {
  readonly topic?: TopicRef
  readonly group?: string
  readonly kind?: string
  readonly key?: string
  /** In the reason, the kind, the key, the message id or the value's text; case does not matter. */
  readonly text?: string
  /** Held at or after, and before. */
  readonly since?: Date | Millis
  readonly until?: Date | Millis
}

/** What the engine can look for itself. */
export function holdQuery({ topic, group }: DeadLetterFilter): Omit<HoldQuery, 'limit'> {
  return { why: 'dead', ...(topic !== undefined && { topic: nameOf(topic) }), ...(group !== undefined && { group }) }
}

/** Whether the rest fits. */
export function fits(letter: DeadLetter, { kind, key, text, since, until }: DeadLetterFilter): boolean {
  if (kind !== undefined && letter.kind !== kind) return false
  if (key !== undefined && letter.key !== key) return false
  if (since !== undefined && letter.heldAt < millisOf(since)) return false
  if (until !== undefined && letter.heldAt >= millisOf(until)) return false
  return text === undefined || mentions(letter, text.toLowerCase())
}

function mentions({ reason, kind, key, messageId, bytes }: DeadLetter, text: string): boolean {
  const places = [reason, kind, key ?? '', messageId, bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()]
  return places.some((place) => place.toLowerCase().includes(text))
}
