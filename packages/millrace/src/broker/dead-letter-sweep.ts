import { type HoldId, limits, type Millis } from '../core/index.js'
import type { Decision, Held, HoldQuery } from '../engine/index.js'
import { type DeadLetter, type DeadLetterEdit, LetterReader } from './dead-letter.js'
import { type DeadLetterFilter, fits, holdQuery } from './dead-letter-filter.js'
import type { Runtime } from './runtime.js'

export interface PurgeOptions {
  /** These, or those that fit the filter. Neither: all. */
  readonly ids?: readonly HoldId[]
  readonly filter?: DeadLetterFilter
  /** Counts and changes nothing. */
  readonly dryRun?: boolean
  readonly ratePerSec?: number
  readonly onProgress?: (progress: SweepProgress) => void
  /** Stops after what is under way. */
  readonly signal?: AbortSignal
}

export interface RedriveOptions extends PurgeOptions {
  /** Changes each on its way; undefined leaves it as it is. */
  readonly edit?: (letter: DeadLetter) => DeadLetterEdit | undefined
}

export interface SweepProgress {
  readonly scanned: number
  readonly matched: number
  /** Redriven, or purged. Always 0 in a dry run. */
  readonly done: number
  /** Decided by somebody else meanwhile. */
  readonly gone: number
}

/** Goes through the dead letters that are there when it begins, and releases or drops those that fit. */
export async function sweep(runtime: Runtime, to: 'release' | 'drop', options: RedriveOptions): Promise<SweepProgress> {
  await runtime.open()
  const reader = new LetterReader(runtime, options.filter?.topic)
  const progress = { scanned: 0, matched: 0, done: 0, gone: 0 }
  let justDone = 0
  for await (const held of found(runtime, options)) {
    const letters = (await Promise.all(held.map((each) => reader.letter(each)))).filter((letter) => fits(letter, options.filter ?? {}))
    progress.scanned += held.length
    progress.matched += letters.length
    const size = options.dryRun ? letters.length : partOf(options.ratePerSec)
    for (let at = 0; at < letters.length; at += size) {
      const part = letters.slice(at, at + size)
      await rest(runtime, justDone, options)
      if (options.signal?.aborted) return progress
      if (!options.dryRun) {
        await decideOn(runtime, part, (letter) => decisionOn(letter, reader, to, options), progress)
        justDone = part.length
      }
      options.onProgress?.({ ...progress })
    }
    if (options.signal?.aborted) break
  }
  return progress
}

async function decideOn(runtime: Runtime, letters: readonly DeadLetter[], decision: (letter: DeadLetter) => Promise<Decision>, progress: { done: number; gone: number }): Promise<void> {
  const decided = await runtime.engine.decide(await Promise.all(letters.map(decision)))
  const gone = decided.filter((each) => each === 'gone').length
  progress.gone += gone
  progress.done += letters.length - gone
}

/** Page by page, each dead letter once, and none that died after the start. */
async function* found(runtime: Runtime, { ids, filter = {} }: RedriveOptions): AsyncGenerator<readonly Held[]> {
  const startedAt = runtime.clock.wall()
  if (ids) {
    for (const id of ids) yield await page(runtime, { id, why: 'dead' }).then(({ items }) => items)
    return
  }
  const justNow = new Set<HoldId>()
  let cursor: string | undefined
  do {
    const { items, cursor: next } = await page(runtime, { ...holdQuery(filter), ...(cursor !== undefined && { cursor }) })
    yield items.filter(({ id, heldAt }) => heldAt < startedAt || (heldAt === startedAt && !justNow.has(id)))
    for (const { id, heldAt } of items) if (heldAt === startedAt) justNow.add(id)
    if (items.length > 0 && items.every(({ heldAt }) => heldAt > startedAt)) return
    cursor = next
  } while (cursor !== undefined)
}

function page(runtime: Runtime, query: Omit<HoldQuery, 'limit'>): ReturnType<Runtime['engine']['holds']> {
  return runtime.engine.holds({ ...query, limit: limits.sweepBatch })
}

async function decisionOn(letter: DeadLetter, reader: LetterReader, to: 'release' | 'drop', { edit }: RedriveOptions): Promise<Decision> {
  const change = to === 'release' ? edit?.(letter) : undefined
  return change === undefined ? { hold: letter.id, to } : { hold: letter.id, to: 'release', edit: await reader.edit(letter, change) }
}

/** With a rate: what it allows in a tenth of a second. */
function partOf(ratePerSec: number | undefined): number {
  return ratePerSec === undefined ? limits.sweepBatch : Math.min(Math.max(Math.floor(ratePerSec / 10), 1), limits.sweepBatch)
}

/** Before the next part, for as long as the one before counts. */
async function rest(runtime: Runtime, count: number, { ratePerSec, signal }: RedriveOptions): Promise<void> {
  if (ratePerSec === undefined || count === 0 || signal?.aborted) return
  const ms: Millis = (count / ratePerSec) * 1_000
  await new Promise<void>((resolve) => {
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = runtime.clock.after(ms, end)
    signal?.addEventListener('abort', end)
  })
}
