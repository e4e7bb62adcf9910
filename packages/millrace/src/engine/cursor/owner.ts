import type { GroupCursor } from './group-cursor.js'

/** The member that owns a cursor, as far as the cursor has to know it. */
export interface Owner {
  /** What of the cursor was leased is not the owner's any more. */
  lost(cursor: GroupCursor): void
  /** There may be something to lease. */
  wakeSoon(): void
}
