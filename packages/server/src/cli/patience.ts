import { setTimeout as sleep } from 'node:timers/promises'
import { CommandFailure, exitCodes } from './exit-codes.js'
import { note } from './output.js'

/** The longest pause between two tries. */
const longestMs = 5_000

/** Tries until a server that is away, or busy, answers; people are told on standard error. Other errors it throws. */
export async function patiently<T>(work: () => Promise<T>, { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal }): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      const result = await work()
      if (tries > 0) note('the server answers again')
      return result
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      if (tries === 0) note(`waiting for the server: ${error.message}`)
      await sleep(Math.min(longestMs, everyMs * 2 ** Math.min(tries, 10)), undefined, { signal })
    }
  }
}

function isPassing(error: unknown): error is CommandFailure {
  return error instanceof CommandFailure && (error.exitCode === exitCodes.unreachable || error.detail.retryable === true)
}
