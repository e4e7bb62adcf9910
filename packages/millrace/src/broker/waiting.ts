import type { Cancel, Clock, Millis } from '../core/index.js'

/** Resolves when `done` does, or after `ms`. */
export async function within(clock: Clock, done: Promise<void>, ms: Millis): Promise<void> {
  let cancel: Cancel | undefined
  const time = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  await Promise.race([done, time])
  cancel?.()
}

/** Resolves when `done` does, or when the signal aborts. */
export async function unlessAborted(signal: AbortSignal | undefined, done: Promise<void>): Promise<void> {
  if (!signal) return done
  if (signal.aborted) return
  let abort = (): void => undefined
  const aborted = new Promise<void>((resolve) => {
    abort = () => resolve()
    signal.addEventListener('abort', abort)
  })
  await Promise.race([done, aborted])
  signal.removeEventListener('abort', abort)
}

/** Something changes now and then: lets others wait until it is as they need it. */
export class Changes {
  #looks: (() => void)[] = []

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve()
        else this.#looks.push(look)
      }
      look()
    })
  }

  tell(): void {
    if (this.#looks.length === 0) return
    const looks = this.#looks
    this.#looks = []
    for (const look of looks) look()
  }
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
