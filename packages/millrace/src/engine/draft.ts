import type { Millis } from '../core/clock.js'
import { MillraceError } from '../core/errors.js'
import type { Hold } from '../core/hold.js'
import { limits } from '../core/limits.js'
import type { Draft, MessageKind } from '../core/message.js'

/** Bytes that count against `maxMessageBytes`: value, key and headers. */
export function draftBytes(draft: Pick<Draft, 'key' | 'value' | 'headers'>): number {
  let bytes = (draft.value?.byteLength ?? 0) + (draft.key === null ? 0 : byteLength(draft.key))
  for (const [name, value] of draft.headers) bytes += Buffer.byteLength(name) + value.byteLength
  return bytes
}

/** What is wrong with a draft whatever its topic, or undefined. */
export function wrongWithDraft(draft: Draft): MillraceError | undefined {
  const { id, key, headers, partition } = draft
  if (!isId(id)) return invalid('id', `is not 1 to ${limits.maxIdChars} characters without control characters`)
  if (key !== null && byteLength(key) > limits.maxKeyBytes) return invalid('key', `is longer than ${limits.maxKeyBytes} bytes`)
  if (headers.length > limits.maxHeaders) return invalid('headers', `are more than ${limits.maxHeaders}`)
  if (!Number.isSafeInteger(partition) || partition < 0) return invalid('partition', `${partition} is not a partition's number`)
  if (draft.dedup && !isId(draft.dedup.id)) return invalid('dedup.id', `is not 1 to ${limits.maxIdChars} characters`)
  if (draft.hold && draft.hold.why !== 'delay' && draft.hold.why !== 'prepared') return invalid('hold.why', `${draft.hold.why} is not how a message begins: use delay or prepared`)
  return undefined
}

/** What is wrong with a draft in this topic, or undefined. */
export function wrongInTopic(draft: Draft, topic: { readonly name: string; readonly partitions: number; readonly maxMessageBytes: number }): MillraceError | undefined {
  if (draft.partition >= topic.partitions) return invalid('partition', `${draft.partition} does not exist: topic ${topic.name} has ${topic.partitions}`)
  const bytes = draftBytes(draft)
  if (bytes > topic.maxMessageBytes) {
    return new MillraceError('TOO_LARGE', `message ${draft.id} has ${bytes} bytes: topic ${topic.name} takes ${topic.maxMessageBytes} (maxMessageBytes)`, { field: 'value' })
  }
  return undefined
}

/** A delayed message says until when it was held. */
export function delayedUntil(kind: MessageKind, { until }: Hold): { readonly delayedUntil?: Millis } {
  return kind === 'delay' && until !== 'decided' ? { delayedUntil: until } : {}
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && id.length > 0 && id.length <= limits.maxIdChars && !hasControl(id)
}

/** As `Buffer.byteLength`, which costs more than a look at a short text of ASCII. */
function byteLength(text: string): number {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 127) return Buffer.byteLength(text)
  return text.length
}

/** A loop: for short texts it costs a fraction of a regular expression. */
function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 32 || code === 127) return true
  }
  return false
}

function invalid(field: string, why: string): MillraceError {
  return new MillraceError('INVALID', `${field} ${why}`, { field })
}
