import type { Clock } from '../../../core/clock.js'
import type { Offset } from '../../../core/message.js'
import type { GroupMember } from '../port.js'
import { codes, isNativeError, staleCodes } from './codes.js'
import type { NativeConsumer, NativeError, NativePlace } from './structure.js'
import { pause, within } from './wait.js'

export type CommitOutcome = Awaited<ReturnType<GroupMember['commit']>>

const commitMs = 10_000
const answerMs = 5_000
const retryMs = 50

/**
 * Commits of one member, one at a time: the client tells how a commit ended without saying which one it was.
 * Its blocking call would hold the application's thread, and its call with an answer answers before the broker has.
 */
export class Commits {
  readonly #native: NativeConsumer
  readonly #clock: Clock
  readonly #topic: string
  readonly #mayCommit: (partitions: Iterable<number>) => boolean
  #tail: Promise<unknown> = Promise.resolve()
  #waiting: { readonly places: readonly NativePlace[]; readonly tell: (error: NativeError | undefined) => void } | undefined

  constructor(native: NativeConsumer, clock: Clock, topic: string, mayCommit: (partitions: Iterable<number>) => boolean) {
    this.#native = native
    this.#clock = clock
    this.#topic = topic
    this.#mayCommit = mayCommit
  }

  commit(places: ReadonlyMap<number, Offset>): Promise<CommitOutcome> {
    if (places.size === 0) return Promise.resolve('committed')
    const work = this.#tail.then(() => this.#commit(places))
    this.#tail = work.catch(() => undefined)
    return work
  }

  /** The client says how a commit ended. */
  ended(error: NativeError | undefined, places: readonly NativePlace[]): void {
    const waiting = this.#waiting
    if (waiting === undefined || !isSame(waiting.places, places)) return
    this.#waiting = undefined
    waiting.tell(error)
  }

  async #commit(places: ReadonlyMap<number, Offset>): Promise<CommitOutcome> {
    const due = this.#clock.monotonic() + commitMs
    for (;;) {
      // The broker takes a commit for a partition that the member has just lost as long as the generation is the same.
      if (!this.#mayCommit(places.keys())) return 'stale'
      const problem = await this.#once([...places].map(([partition, offset]) => ({ topic: this.#topic, partition, offset: Number(offset) })))
      if (problem === undefined) return 'committed'
      if (problem === 'late') return 'unknown'
      if (staleCodes.has(problem.code)) return 'stale'
      if (problem.code !== codes.rebalancing || this.#clock.monotonic() > due) return 'unknown'
      await pause(this.#clock, retryMs)
    }
  }

  async #once(places: readonly NativePlace[]): Promise<NativeError | 'late' | undefined> {
    const told = new Promise<NativeError | undefined>((tell) => (this.#waiting = { places, tell }))
    try {
      this.#native.commit(places)
    } catch (error) {
      this.#waiting = undefined
      return isNativeError(error) ? error : { code: codes.state, message: String(error) }
    }
    const problem = await within(this.#clock, answerMs, told)
    if (problem === 'late') this.#waiting = undefined
    return problem
  }
}

function isSame(asked: readonly NativePlace[], told: readonly NativePlace[]): boolean {
  return asked.length === told.length && asked.every(({ partition, offset }) => told.some((each) => each.partition === partition && each.offset === offset))
}
