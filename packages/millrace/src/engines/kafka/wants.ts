import { randomUUID } from 'node:crypto'
import type { Millis } from '../../core/clock.js'
import type { Decided, Decision } from '../../engine/engine.js'
import type { Book, BookEvents } from './book.js'
import { encode, ids, type WantRow } from './rows.js'
import type { KafkaStore } from './store.js'

/** How long the steward may take until it is only said that it will happen. */
const answerMs: Millis = 5_000

/** Asks the steward to carry out decisions about messages without a place. Errors: what kept them from being written. */
export async function ask(store: KafkaStore, book: Book, decisions: readonly Decision[]): Promise<readonly Decided[]> {
  const wanted = decisions.map((decision) => ({ id: ids.want(randomUUID()), decision }))
  const answers = new Answers(store, book, wanted.map(({ id }) => id))
  try {
    const written = await book.ledger.put(wanted.map(({ id, decision }) => ({ id, value: encode({ decision } satisfies WantRow), when: 'new' })))
    for (const each of written) if ('error' in each) throw each.error
    const given = await answers.all()
    const answered = wanted.filter(({ id }) => given.has(id))
    void book.ledger.put(answered.map(({ id }) => ({ id, value: null, when: 'always' })))
    return wanted.map(({ id }) => given.get(id) ?? 'accepted')
  } finally {
    answers.stop()
  }
}

/** Answers of the steward, as they come. */
class Answers {
  readonly #book: Book
  readonly #left: Set<string>
  readonly #given = new Map<string, Decided>()
  readonly #events: BookEvents
  readonly #all: Promise<ReadonlyMap<string, Decided>>
  #end: () => void = () => undefined

  constructor(store: KafkaStore, book: Book, wanted: readonly string[]) {
    this.#book = book
    this.#left = new Set(wanted)
    this.#all = new Promise((resolve) => {
      const cancel = store.clock.after(answerMs, () => this.#end())
      this.#end = () => {
        cancel()
        resolve(this.#given)
      }
    })
    this.#events = {
      want: (now) => {
        if (now?.row.answer === undefined || !this.#left.delete(now.id)) return
        this.#given.set(now.id, now.row.answer)
        if (this.#left.size === 0) this.#end()
      },
      gone: () => this.#gone(),
    }
    book.listeners.add(this.#events)
  }

  /** Those that came in time. */
  all(): Promise<ReadonlyMap<string, Decided>> {
    return this.#all
  }

  stop(): void {
    this.#book.listeners.delete(this.#events)
    this.#end()
  }

  #gone(): void {
    for (const id of this.#left) this.#given.set(id, 'gone')
    this.#end()
  }
}
