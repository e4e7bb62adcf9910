import type { Bookmark, Cancel, Millis } from '../core/index.js'
import type { Delivery } from '../engine/index.js'
import { murmur2 } from '../routing/index.js'
import { LazySignal } from './attempt.js'
import type { BatchContext } from './received.js'
import type { Run } from './run.js'
import type { Send } from './send.js'

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

/**
 * What surrounds one run of a batch handler. A literal with a getter would get a shape of its own each time, and V8 keeps
 * shapes, with all that the getter sees, until it cleans its old space.
 */
export class Surroundings implements BatchContext {
  readonly #signal: LazySignal

  constructor(
    signal: LazySignal,
    readonly group: string,
    readonly bookmark: Bookmark,
    readonly send: Send,
  ) {
    this.#signal = signal
  }

  get signal(): AbortSignal {
    return this.#signal.signal
  }
}

/** So many strands, and which of them a message goes to. */
export class Strands {
  readonly all: readonly [Strand, ...Strand[]]
  readonly #order: 'key' | 'partition' | 'none'
  #turn = 0

  constructor(count: number, order: 'key' | 'partition' | 'none') {
    this.all = [new Strand(), ...Array.from({ length: count - 1 }, () => new Strand())]
    this.#order = order
  }

  of(delivery: Delivery): Strand {
    const [first] = this.all
    return this.all.length === 1 ? first : (this.all[this.#number(delivery) % this.all.length] ?? first)
  }

  #number({ message: { key, partition } }: Delivery): number {
    if (this.#order === 'partition') return partition
    if (this.#order === 'key' && key !== null) return murmur2(Buffer.from(key)) >>> 0
    this.#turn += 1
    return this.#turn
  }
}
