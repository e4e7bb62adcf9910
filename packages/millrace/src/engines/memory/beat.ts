import type { Cancel } from '../../core/clock.js'
import type { Member } from './member.js'

/** Keeps a member alive: it beats three times a lease, and looks for others that have fallen silent when they may have. */
export function startBeat(member: Member): Cancel {
  const { clock } = member.instance
  const { leaseMs } = member.request
  const everyMs = leaseMs / 3
  let due = clock.monotonic() + everyMs
  let cancel = clock.after(everyMs, beat)
  return () => cancel()

  function beat(): void {
    const now = clock.monotonic()
    member.beatAt = now
    // A late beat means that this thread was busy: the others' beats are late as well, and come first.
    if (now - due < everyMs) member.group.expelSilent(now)
    if (member.isOver) return
    const waitMs = Math.max(1, Math.min(everyMs, member.group.nextSilence(member) - now))
    due = now + waitMs
    cancel = clock.after(waitMs, beat)
  }
}
