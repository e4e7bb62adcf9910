import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Held, HoldQuery, Page } from '../../engine/engine.js'
import type { Book, KeptHold } from './book.js'
import type { HeldOrder } from './held-order.js'
import { isHeld } from './held-row.js'
import { heldId } from './rows.js'
import type { KafkaStore } from './store.js'

/** A page of what is held: topic after topic, those of one in the order in which they were held. */
export async function holds(store: KafkaStore, orderOf: (book: Book) => HeldOrder, query: HoldQuery): Promise<Page<Held>> {
  if (query.id !== undefined) return one(store, query, query.id)
  const from = query.cursor === undefined ? undefined : place(query.cursor)
  const books = query.topic === undefined ? await store.books() : [await store.book(query.topic)]
  const left = books.filter(({ topic }) => from === undefined || topic >= from.topic).sort((first, second) => (first.topic < second.topic ? -1 : 1))
  // Later pages need not know more than the first.
  if (from === undefined) await Promise.all(left.map((book) => book.ledger.sync()))
  const items: Held[] = []
  for (const book of left) {
    for (const kept of orderOf(book).after(book.topic === from?.topic ? from.order : -1n)) {
      if (!matches(kept, query)) continue
      items.push(book.asHeld(kept))
      if (items.length === query.limit) return { items, cursor: `${kept.order}@${book.topic}` }
    }
  }
  return { items }
}

async function one(store: KafkaStore, query: HoldQuery, hold: string): Promise<Page<Held>> {
  if (query.topic !== undefined) await store.topic(query.topic)
  const { topic, id } = heldId(hold) ?? {}
  if (topic === undefined || id === undefined || (query.topic ?? topic) !== topic) return { items: [] }
  const book = await knownBook(store, topic)
  await book?.ledger.sync()
  const kept = book?.held.get(id)
  return { items: book && kept && isHeld(kept.row) && matches(kept, query) ? [book.asHeld(kept)] : [] }
}

/** Undefined when there is no such topic. */
export async function knownBook(store: KafkaStore, topic: string): Promise<Book | undefined> {
  try {
    return await store.book(topic)
  } catch (error) {
    if (isMillraceError(error) && error.code === 'UNKNOWN_TOPIC') return undefined
    throw error
  }
}

function matches({ row: { hold } }: KeptHold, { group, why }: HoldQuery): boolean {
  if (group !== undefined && hold.group !== group) return false
  return why === undefined || hold.why === why
}

function place(cursor: string): { readonly order: Offset; readonly topic: string } {
  const [, order, topic] = /^(\d{1,19})@(.+)$/u.exec(cursor) ?? []
  if (order === undefined || topic === undefined) throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
  return { order: BigInt(order), topic }
}
