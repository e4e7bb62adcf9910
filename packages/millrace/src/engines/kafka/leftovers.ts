import type { Millis } from '../../core/clock.js'
import type { Book } from './book.js'
import type { Change, Condition } from './ledger.js'
import { encode, ids, type DropsRow } from './rows.js'

/** Counted in one write, at most. */
const countMost = 2_000
/** An answer is left for so long to whoever asked. */
const answerMs = 60_000

/** Rows that have served: marks of dropped holds, which are counted, and answers that nobody came for. */
export class Leftovers {
  readonly #book: Book
  /** Answers by when they were first seen, by the monotonic clock. */
  readonly #answers = new Map<string, Millis>()
  #isSweeping = false

  constructor(book: Book) {
    this.#book = book
  }

  /** Counts and ends them, as the steward whose guard it is. What fails is done the next time. */
  async sweep(guard: Condition, monotonic: Millis): Promise<void> {
    if (this.#isSweeping) return
    const changes = [...this.#drops(guard), ...this.#forgotten(), ...this.#unread(monotonic)]
    if (changes.length === 0) return
    this.#isSweeping = true
    await this.#book.ledger.put(changes)
    this.#isSweeping = false
  }

  /** A count comes before the ends of what it counts, in one write: a steward who has lost it at that moment counts nothing twice. */
  #drops(guard: Condition): readonly Change[] {
    const { groups } = this.#book
    const counts = new Map<string, { createdAt: Millis; settled: number; purged: number }>()
    const ends: Change[] = []
    for (const { id, version, row: { dropped, hold: { group = '' } } } of this.#book.dropped.values()) {
      if (ends.length === countMost) break
      ends.push({ id, value: null, when: { is: version } })
      const createdAt = groups.get(group)?.row.createdAt
      if (createdAt === undefined || dropped === undefined) continue
      const count = counts.get(group) ?? { createdAt, ...this.#book.counted(group) }
      count[dropped] += 1
      counts.set(group, count)
    }
    return [...[...counts].map(([group, row]): Change => ({ id: ids.drops(group), value: encode(row satisfies DropsRow), when: guard })), ...ends]
  }

  /** Counts of groups that are gone. */
  #forgotten(): readonly Change[] {
    const { groups, drops } = this.#book
    return [...drops].flatMap(([group, { id, row, version }]) => (groups.get(group)?.row.createdAt === row.createdAt ? [] : [{ id, value: null, when: { is: version } }]))
  }

  #unread(monotonic: Millis): readonly Change[] {
    const { wants } = this.#book
    for (const id of this.#answers.keys()) if (!wants.has(id)) this.#answers.delete(id)
    const old: Change[] = []
    for (const { id, row, version } of wants.values()) {
      if (row.answer === undefined) continue
      const since = this.#answers.get(id) ?? monotonic
      this.#answers.set(id, since)
      if (monotonic - since >= answerMs) old.push({ id, value: null, when: { is: version } })
    }
    return old
  }
}
