import type { Millis } from '../../core/clock.js'
import type { Book } from './book.js'
import type { Change } from './ledger.js'
import { type DropsRow, encode, ids } from './rows.js'

/** Counted in one write, at most. */
const countMost = 2_000
/** An answer is left for so long to whoever asked. */
const answerMs = 60_000

/** Rows that have served: marks of dropped holds, which are counted, and answers that nobody came for. */
export class Leftovers {
  readonly #book: Book
  readonly #put: (changes: readonly Change[]) => Promise<unknown>
  /** Answers by when they were first seen, by the monotonic clock. */
  readonly #answers = new Map<string, Millis>()
  #isSweeping = false

  constructor(book: Book, put: (changes: readonly Change[]) => Promise<unknown> = (changes) => book.ledger.put(changes)) {
    this.#book = book
    this.#put = put
  }

  /** Counts and ends them. What fails is done the next time. */
  async sweep(monotonic: Millis): Promise<void> {
    if (this.#isSweeping) return
    const changes = [...this.#counts(), ...this.#counted(), ...this.#forgotten(), ...this.#unread(monotonic)]
    if (changes.length === 0) return
    this.#isSweeping = true
    await this.#put(changes)
    this.#isSweeping = false
  }

  /** A count says up to which place of the log it goes, so that of two stewards who do not know of each other none counts what the other has, or ends what nobody has. */
  #counts(): readonly Change[] {
    const { dropped, drops, groups } = this.#book
    const counts = new Map<string, DropsRow>()
    const open = [...dropped.values()].filter((mark) => !this.#book.isCounted(mark)).sort((one, other) => Number(one.version - other.version))
    for (const { version, row: { dropped: as, hold: { group = '' } } } of open.slice(0, countMost)) {
      const createdAt = groups.get(group)?.row.createdAt
      if (createdAt === undefined || as === undefined) continue
      const count = counts.get(group) ?? { createdAt, ...this.#book.counted(group) }
      counts.set(group, { ...count, [as]: count[as] + 1, upTo: Number(version) })
    }
    return [...counts].map(([group, row]) => {
      const version = drops.get(group)?.version
      return { id: ids.drops(group), value: encode(row), when: version === undefined ? 'new' : { is: version } }
    })
  }

  #counted(): readonly Change[] {
    const { dropped, groups } = this.#book
    const served = [...dropped.values()].filter((mark) => this.#book.isCounted(mark) || !groups.has(mark.row.hold.group ?? ''))
    return served.slice(0, countMost).map(({ id, version }) => ({ id, value: null, when: { is: version } }))
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
