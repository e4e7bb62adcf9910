import type { Traits } from '../engine/traits.js'
import type { Kit } from './kit.js'

/** One promise of the contract, as data. */
export interface Case {
  /** A sentence about behaviour, unique in the suite. */
  readonly name: string
  readonly noun: string
  /** Absent: every engine owes it. */
  readonly needs?: (traits: Traits) => boolean
  run(kit: Kit): Promise<void>
  /** Run instead where `needs` says no: proves that the engine refuses rather than ignores. */
  refusal?(kit: Kit): Promise<void>
}

/** A trait that cases need, and the proof that an engine without it refuses. */
export type Need = Required<Pick<Case, 'needs' | 'refusal'>>

type Runs = Readonly<Record<string, (kit: Kit) => Promise<void>>>

/** The cases of one noun, by their names. */
export function about(noun: string, runs: Runs, need?: Need): readonly Case[] {
  return Object.entries(runs).map(([name, run]) => ({ name, noun, run, ...need }))
}
