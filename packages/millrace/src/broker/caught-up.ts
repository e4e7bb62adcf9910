import { type Cancel, limits } from '../core/index.js'
import type { GroupCensus } from '../engine/index.js'
import type { Runtime } from './runtime.js'

export interface CaughtUpOptions {
  /** Gives up: rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Looks until no group has anything left to do: when something rings or a member here comes to rest, and once a `limits.safetyLookMs`. */
export async function caughtUp(runtime: Runtime, topic: string, look: () => Promise<readonly GroupCensus[]>, signal?: AbortSignal): Promise<readonly GroupCensus[]> {
  let isRung = false
  let wake: (() => void) | undefined
  const ring = (): void => {
    isRung = true
    wake?.()
  }
  // What becomes ready is more to do.
  const unwatch = runtime.engine.watch((stir) => {
    if (stir.what !== 'ready' && (stir.topic ?? topic) === topic) ring()
  })
  runtime.atRest.add(ring)
  signal?.addEventListener('abort', ring)
  // Not a time: a handle that keeps the process from ending while somebody waits.
  const keepAlive = setInterval(() => undefined, 2 ** 30)
  try {
    for (;;) {
      signal?.throwIfAborted()
      isRung = false
      const groups = await look()
      if (groups.every(isCaughtUp)) return groups
      let cancel: Cancel | undefined
      await new Promise<void>((resolve) => {
        if (isRung) return resolve()
        wake = resolve
        cancel = runtime.clock.after(limits.safetyLookMs, resolve)
      })
      cancel?.()
    }
  } finally {
    clearInterval(keepAlive)
    signal?.removeEventListener('abort', ring)
    runtime.atRest.delete(ring)
    unwatch()
  }
}

function isCaughtUp({ ready, leased, retrying, lent, parked }: GroupCensus): boolean {
  return ready + leased + retrying + lent + parked === 0
}
