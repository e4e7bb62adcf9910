import type { Clock } from '../core/index.js'
import type { Engine } from '../engine/index.js'
import type { Middleware } from './middleware.js'

/** What the parts of one Millrace share. */
export interface Runtime {
  /** Behind its guard. */
  readonly engine: Engine
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  readonly ids: () => string
  readonly middleware: readonly Middleware[]
  /** Called when a member here has nothing in hand any more. */
  readonly atRest: Set<() => void>
  /** Opens once; every later call is the same promise. */
  open(): Promise<void>
  /** Hears of troubles that work goes on after. Never throws. */
  report(error: unknown): void
}
