import { type HoldId, limits } from '../core/index.js'
import type { Held, Page } from '../engine/index.js'
import { type DeadLetter, type DeadLetterEdit, LetterReader } from './dead-letter.js'
import { type DeadLetterFilter, fits, holdQuery } from './dead-letter-filter.js'
import { type PurgeOptions, type RedriveOptions, sweep, type SweepProgress } from './dead-letter-sweep.js'
import type { Runtime } from './runtime.js'
import type { TopicRef } from './topic-contract.js'

export interface DeadLetterQuery extends DeadLetterFilter {
  /** Default 100. */
  readonly limit?: number
  readonly cursor?: string
}

/** Messages that groups gave up on: looked at, edited, sent again, or thrown away. */
export class DeadLetters {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** In the order in which they died. */
  async list(query: Pick<DeadLetterQuery, 'topic' | 'group' | 'limit' | 'cursor'> = {}): Promise<Page<DeadLetter>> {
    const { limit = 100, cursor } = query
    await this.#runtime.open()
    const page = await this.#runtime.engine.holds({ ...holdQuery(query), limit, ...(cursor !== undefined && { cursor }) })
    const reader = new LetterReader(this.#runtime, query.topic)
    return { ...page, items: await Promise.all(page.items.map((held) => reader.letter(held))) }
  }

  /** Looks through at most `limits.searchScan` a call: a page may be short, or empty, and still have a cursor. */
  async search({ limit = 100, cursor, ...filter }: DeadLetterQuery): Promise<Page<DeadLetter>> {
    const items: DeadLetter[] = []
    let at = cursor
    for (let scanned = 0; scanned < limits.searchScan; ) {
      const page = await this.list({ ...filter, limit: Math.min(limit - items.length, limits.maxPage), ...(at !== undefined && { cursor: at }) })
      items.push(...page.items.filter((letter) => fits(letter, filter)))
      scanned += Math.max(page.items.length, 1)
      at = page.cursor
      if (at === undefined) return { items }
      if (items.length >= limit) break
    }
    return { items, ...(at !== undefined && { cursor: at }) }
  }

  /** Undefined when there is no such dead letter. */
  async get(id: HoldId, topic?: TopicRef): Promise<DeadLetter | undefined> {
    const held = await findDead(this.#runtime, id)
    return held && new LetterReader(this.#runtime, topic).letter(held)
  }

  /** Changes it and keeps it held. False when there is no such dead letter. Errors: CODEC, INVALID. */
  async edit(id: HoldId, change: DeadLetterEdit, topic?: TopicRef): Promise<boolean> {
    const held = await findDead(this.#runtime, id)
    if (!held) return false
    const reader = new LetterReader(this.#runtime, topic)
    const edit = await reader.edit(await reader.letter(held), change)
    const [decided] = await this.#runtime.engine.decide([{ hold: id, to: 'hold', anew: held.hold, edit }])
    return decided !== 'gone'
  }

  /** Back to their group, with no attempts counted. What dies again while it runs is not redriven twice. */
  redrive(options: RedriveOptions = {}): Promise<SweepProgress> {
    return sweep(this.#runtime, 'release', options)
  }

  /** Gone for good. */
  purge(options: PurgeOptions = {}): Promise<SweepProgress> {
    return sweep(this.#runtime, 'drop', options)
  }
}

export async function findDead(runtime: Runtime, id: HoldId): Promise<Held | undefined> {
  await runtime.open()
  const { items } = await runtime.engine.holds({ id, why: 'dead', limit: 1 })
  return items.find(({ hold }) => hold.why === 'dead')
}
