import type { Offset } from '../../core/message.js'

/** What must be so where the log has put a change, else it is refused. */
export type Condition =
  | 'always'
  /** No entry has the id. */
  | 'new'
  /** The entry is at this version, so that nobody has changed it since. */
  | { readonly is: Offset }
  /** Nobody has claimed that entry with a later epoch. Many changes may be under way at once. */
  | { readonly guard: string; readonly epoch: number }

export function isGuard(when: Condition): when is Extract<Condition, { readonly guard: string }> {
  return typeof when === 'object' && 'guard' in when
}

export function conditionText(when: Condition): string {
  if (typeof when === 'string') return when
  return 'is' in when ? `is ${when.is}` : `guard ${when.guard} ${when.epoch}`
}
