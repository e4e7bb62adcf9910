import type { Millis } from '../../core/clock.js'

/** What the thread that beats is started with. */
export interface BeatThread {
  /** A module that exports `client`: one, or a function that makes one. */
  readonly module: string
  /** When the application's thread was seen last, by the monotonic clock. */
  readonly alive: Float64Array
}

/** What it is told. */
export type BeatOrder =
  | {
      readonly do: 'begin'
      readonly id: number
      /** Key of the group's beats. */
      readonly beats: string
      readonly member: string
      readonly leaseMs: Millis
      /** How long the application's thread may be busy. */
      readonly stallMs: Millis
      /** Where to say when the last beat that was answered was asked for. */
      readonly beatAt: Float64Array
    }
  | { readonly do: 'end'; readonly id: number }
