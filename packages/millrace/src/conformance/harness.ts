import type { Millis } from '../core/clock.js'
import type { Engine } from '../engine/engine.js'

/** How the suite reaches an engine: one store, that starts empty, and the time that its instances read. A fresh one for each case. */
export interface Harness {
  readonly name: string

  /** A guarded, opened engine on this harness's store. Several calls are several instances that share it, as processes of one host do. */
  open(): Promise<Instance>

  /** The wall clock that the engine reads. */
  wall(): Millis

  /** Lets time pass: simulated where the engine takes our clock, real where a server owns time. Resolves when what fell due has run. */
  pass(ms: Millis): Promise<void>

  /** Moves the wall clock alone, as a wrong NTP step does. Absent where time is real. */
  jumpWall?(ms: Millis): Promise<void>

  /**
   * Lets time pass while the application's thread is blocked: none of its timers and callbacks run before it is over.
   * Owed by a harness of an engine with the trait `beatsWhileBlocked`.
   */
  stall?(ms: Millis): Promise<void>

  /** Where time is real: what a millisecond of the suite lasts, so that leases and delays are long enough for the server. Absent: 1. */
  readonly timeScale?: number

  /** Closes the instances that live, and removes the store. */
  close(): Promise<void>
}

export interface Instance {
  readonly engine: Engine

  /** As a process that is killed: from now on silent, nothing handed back, nothing kept. What its handles answer afterwards is not said. */
  kill(): Promise<void>

  /** Closes the engine; nothing more once it was closed or killed. Where the trait `persistent` is set and every instance is closed or killed, `open` finds the store as it was left. */
  close(): Promise<void>
}
