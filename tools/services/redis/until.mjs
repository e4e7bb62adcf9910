import { setTimeout as sleep } from 'node:timers/promises'

/** Looks until it is so. What it throws meanwhile counts as not yet, and is told when the time is over. */
export async function until(isSo, what, timeoutMs = 30_000) {
  const end = performance.now() + timeoutMs
  let wrong
  for (;;) {
    try {
      if (await isSo()) return
    } catch (error) {
      wrong = error
    }
    if (performance.now() > end) throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`, { cause: wrong })
    await sleep(20)
  }
}
