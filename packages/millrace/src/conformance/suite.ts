import type { Case } from './case.js'
import { cases } from './cases/index.js'
import type { Harness } from './harness.js'
import { Kit } from './kit.js'
import { needs } from './needs.js'

export interface CaseResult {
  readonly name: string
  readonly noun: string
  /** refused: the trait is absent, and the engine refuses what needs it. */
  readonly result: 'passed' | 'failed' | 'refused'
  readonly error?: unknown
}

export interface SuiteResult {
  readonly engine: string
  readonly passed: number
  readonly failed: number
  readonly refused: number
  readonly results: readonly CaseResult[]
}

export interface SuiteRequest {
  readonly makeHarness: () => Promise<Harness>
  /** Which cases to run; all when absent. */
  readonly filter?: (each: Case) => boolean
  readonly onResult?: (result: CaseResult) => void
  /** Real time that one case may take. */
  readonly limitMs?: number
  /** Cases at once, where time is real and most of it is waited for. Those that block the thread run by themselves. Default 1. */
  readonly atOnce?: number
}

const caseLimitMs = 30_000

/** Runs the suite, each case on a harness of its own. */
export async function runSuite({ makeHarness, filter = () => true, onResult, limitMs, atOnce = 1 }: SuiteRequest): Promise<SuiteResult> {
  const results = new Map<Case, CaseResult>()
  let engine = ''
  const named = async (): Promise<Harness> => {
    const harness = await makeHarness()
    engine = harness.name
    return harness
  }
  const run = async (each: Case): Promise<void> => {
    const result = await runCase(each, named, limitMs)
    results.set(each, result)
    onResult?.(result)
  }
  const wanted = cases.filter(filter)
  await inLanes(wanted.filter(({ needs: needed }) => needed !== needs.beats.needs), atOnce, run)
  await inLanes(wanted.filter(({ needs: needed }) => needed === needs.beats.needs), 1, run)
  const inOrder = wanted.flatMap((each) => results.get(each) ?? [])
  const count = (kind: CaseResult['result']): number => inOrder.filter(({ result }) => result === kind).length
  return { engine, passed: count('passed'), failed: count('failed'), refused: count('refused'), results: inOrder }
}

async function inLanes<T>(items: readonly T[], lanes: number, run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Runs one case. Never throws: a failure, and a case that hangs, is a result. */
export async function runCase(each: Case, makeHarness: () => Promise<Harness>, limitMs = caseLimitMs): Promise<CaseResult> {
  const { name, noun } = each
  let harness: Harness | undefined
  try {
    harness = await within(limitMs, makeHarness(), `${name}: no harness`)
    const result = await within(limitMs, prove(each, harness), name)
    await within(limitMs, harness.close(), `${name}: closing afterwards`)
    return { name, noun, result }
  } catch (error) {
    await within(limitMs, harness?.close() ?? Promise.resolve(), name).catch(() => undefined)
    return { name, noun, result: 'failed', error }
  }
}

async function prove(each: Case, harness: Harness): Promise<'passed' | 'refused'> {
  const kit = await Kit.start(harness)
  if (!each.needs || each.needs(kit.traits)) {
    await each.run(kit)
    return 'passed'
  }
  if (!each.refusal) throw new Error(`${each.name}: the trait is absent and the case does not say how the engine refuses`)
  await each.refusal(kit)
  return 'refused'
}

async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: not over within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}
