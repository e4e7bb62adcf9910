import { cases } from '../cases/index.js'
import type { Harness } from '../harness.js'
import { runCase } from '../suite.js'
import { delivering } from './delivering.js'
import { holding } from './holding.js'
import { keeping } from './keeping.js'
import type { Mutant } from './mutant.js'
import { publishing } from './publishing.js'

export type { Mutant } from './mutant.js'

/** Broken engines, each of which the suite must catch by the case that names its fault. */
export const mutants: readonly Mutant[] = [...publishing, ...delivering, ...holding, ...keeping]

export interface MutantResult {
  readonly mutant: string
  readonly case: string
  /** Whether the case failed on the broken engine, and how. */
  readonly caught: boolean
  readonly error?: unknown
}

export interface MutantsRequest {
  readonly makeHarness: () => Promise<Harness>
  readonly onResult?: (result: MutantResult) => void
}

/** Runs each broken engine against the case that must catch it. */
export async function runMutants({ makeHarness, onResult }: MutantsRequest): Promise<readonly MutantResult[]> {
  const results: MutantResult[] = []
  for (const mutant of mutants) {
    const result = await runMutant(mutant, makeHarness)
    results.push(result)
    onResult?.(result)
  }
  return results
}

export async function runMutant({ name, expectCase, make }: Mutant, makeHarness: () => Promise<Harness>): Promise<MutantResult> {
  const each = cases.find((one) => one.name === expectCase)
  if (!each) throw new Error(`mutant ${name}: there is no case "${expectCase}"`)
  const { result, error } = await runCase(each, async () => make(await makeHarness()))
  return { mutant: name, case: expectCase, caught: result === 'failed', error }
}
