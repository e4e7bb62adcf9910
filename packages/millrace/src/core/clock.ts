/** A length of time, or a point on the wall clock, in milliseconds. */
export type Millis = number

/** Time is handed in, so that tests turn it by hand. */
export interface Clock {
  /** Milliseconds since 1970. May jump. */
  wall(): Millis
  /** Milliseconds since some start, never backwards; the same for all processes of a host until it boots again. */
  monotonic(): Millis
  /** Calls once after `ms`, not early; never keeps the process alive. Any length of time is legal. */
  after(ms: Millis, call: () => void): Cancel
  /** On a hand-wound clock: its time, so that other threads read the same one. */
  readonly shared?: SharedArrayBuffer
  /**
   * On a hand-wound clock: called after each turn, which waits for the answer: when the caller's next timer is due by
   * the monotonic clock, or undefined. A clock read through `shared` in another thread is turned this way.
   */
  onTurn?(call: () => Promise<Millis | undefined>): Cancel
}

export type Cancel = () => void

/** Node cuts longer timers to 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/** What `performance.now` counts from, on the clock that all processes of a host share: that one makes a bigint for each look. */
const origin = Number(process.hrtime.bigint() / 1_000n) / 1_000 - performance.now()

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => origin + performance.now(),
  after(ms, call) {
    const due = systemClock.monotonic() + ms
    let timer: NodeJS.Timeout
    const wait = (): void => {
      const left = due - systemClock.monotonic()
      timer = left > 0 ? setTimeout(wait, Math.min(Math.ceil(left), longestTimerMs)) : setTimeout(call, 0)
      timer.unref()
    }
    wait()
    return () => clearTimeout(timer)
  },
}
