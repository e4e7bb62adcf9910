import type { Cancel, Millis } from '../core/index.js'
import { LazySignal } from './attempt.js'
import type { Run } from './run.js'

/** What goes through one hand, batch after batch: a key is always in the same strand. */
export class Strand {
  waiting: Run[] = []
  batch: Batch | undefined
  /** Waits for more. */
  lingering: Cancel | undefined
  /** Rests before `again`. */
  resting: Cancel | undefined
  /** Failed, to be run in place before anything else. */
  again: Run[] = []
}

export class Batch {
  readonly signal = new LazySignal()

  constructor(
    readonly strand: Strand,
    readonly runs: readonly Run[],
    readonly due: Millis,
  ) {}

  abort(why: unknown): void {
    this.signal.abort(why)
  }

  /** Those that were not lost meanwhile. */
  get left(): readonly Run[] {
    return this.runs.filter((run) => run.current === this)
  }
}
