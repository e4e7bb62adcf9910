import type { Committed } from './commits.js'
import type { Part } from './part.js'

/** The partitions that a member may lease from. */
export interface Parts {
  start(): Promise<void>
  get(partition: number): Part | undefined
  readonly open: readonly Part[]
  readonly isPaused: boolean
  /** Others may count the member as dead by now. */
  readonly isSilent: boolean
  /** Writes where a part stands; after verdicts as durably as the topic asks for. */
  commit(part: Part, verdicts: boolean): Promise<Committed>
  /** Something was taken: there may be room to read on. */
  taken(part: Part): void
  /** Something may have changed: members, the group, the topic. */
  look(): Promise<void>
  /** Hands everything back. */
  leave(): Promise<void>
  /** Tells the consumer that all is lost. */
  lapse(): Promise<void>
  /** As in a process that was killed. */
  die(): void
}

export interface PartsEvents {
  /** There may be something to lease. */
  changed(): void
  /** It is not ours any more, with all that was in hand. */
  forgotten(part: Part): void
  /** The topic or the group is gone, or others count us as dead. */
  lapsed(): void
}
