import type { Cancel } from '../../core/clock.js'
import type { GroupCursor } from '../../engine/cursor/group-cursor.js'
import type { Member } from './member.js'

/** A member lets partitions go: `revoke` is awaited, for `drainMs` at most, before they are free. */
export class Drain {
  readonly #abort = new AbortController()
  readonly #stopForce: Cancel
  #done: (() => void) | undefined

  constructor(member: Member, cursors: readonly GroupCursor[], done: () => void) {
    this.#done = done
    this.#stopForce = member.instance.clock.after(member.request.drainMs, () => {
      this.#abort.abort()
      this.#finish()
    })
    void this.#revoke(member, cursors)
  }

  /** The partitions are lost already. */
  cancel(): void {
    this.#done = undefined
    this.#stopForce()
    this.#abort.abort()
  }

  async #revoke(member: Member, cursors: readonly GroupCursor[]): Promise<void> {
    // Not inside the call that made the member give way: that one is under way in the store.
    await Promise.resolve()
    try {
      await member.request.revoke(cursors.map((cursor) => cursor.log.partition), this.#abort.signal)
    } catch {
      // What is not settled is handed back whether revoke ended well or not.
    }
    this.#finish()
  }

  #finish(): void {
    const done = this.#done
    this.#done = undefined
    this.#stopForce()
    done?.()
  }
}
