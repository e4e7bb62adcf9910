import type { Millis } from '../../core/clock.js'
import { type Header, header, type Offset } from '../../core/message.js'
import type { NewRecord } from './port.js'
import { keyOf } from './rubbish.js'

/** What must be so where the log has put a change, else it is refused. */
export type Condition =
  | 'always'
  /** No entry has the id. */
  | 'new'
  /** The entry is at this version, so that nobody has changed it since. */
  | { readonly is: Offset }
  /** Nobody has claimed that entry with a later epoch. Many changes may be under way at once. */
  | { readonly guard: string; readonly epoch: number }

export interface Change {
  readonly id: string
  /** Null ends the entry. */
  readonly value: Buffer | null
  readonly when: Condition
  /** The entry's epoch from now on; absent: as it was. */
  readonly epoch?: number
}

/** A change as a record of a ledger's log, under the name by which it is answered. `seen` is when the youngest record was written that its writer knows. */
export function recordOf(topic: string, { id, value, when, epoch: given }: Change, nonce: string, seen: Millis | undefined): NewRecord {
  const guarded = isGuard(when) && when.guard === id ? when.epoch : undefined
  const epoch = given ?? guarded
  const version = guarded !== undefined && guarded === epoch ? `e${epoch}` : nonce
  const headers: Header[] = [['n', Buffer.from(nonce)], ['if', Buffer.from(conditionText(when))]]
  if (seen !== undefined && when !== 'always') headers.push(['seen', Buffer.from(String(seen))])
  if (epoch !== undefined) headers.push(['epoch', Buffer.from(String(epoch))])
  if (value === null) headers.push(['end', Buffer.from('1')])
  return { topic, partition: 0, key: Buffer.from(keyOf(id, version)), value: value ?? Buffer.alloc(0), headers }
}

export function nonceOf(headers: readonly Header[]): string | undefined {
  return header(headers, 'n')?.toString()
}

function isGuard(when: Condition): when is Extract<Condition, { readonly guard: string }> {
  return typeof when === 'object' && 'guard' in when
}

function conditionText(when: Condition): string {
  if (typeof when === 'string') return when
  return 'is' in when ? `is ${when.is}` : `guard ${when.guard} ${when.epoch}`
}
