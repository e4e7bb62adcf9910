import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Held, HoldQuery, Page } from '../../engine/engine.js'
import type { Bodies } from './bodies.js'
import type { Book, KeptHold } from './book.js'
import type { HeldOrder } from './held-order.js'
import { isHeld } from './held-row.js'
import { heldId } from './rows.js'
import type { KafkaStore } from './store.js'
import type { Waits } from './waiting.js'

/** Where holds are found. */
export interface HoldPlaces {
  readonly store: KafkaStore
  readonly bodies: Bodies
  orderOf(book: Book): HeldOrder
}

/** A page of what is held: topic after topic, those of one in the order in which they were held. */
export async function holds(places: HoldPlaces, query: HoldQuery): Promise<Page<Held>> {
  const { store } = places
  if (query.id !== undefined) return one(places, query, query.id)
  const from = query.cursor === undefined ? undefined : place(query.cursor)
  const books = query.topic === undefined ? await store.books() : [await store.book(query.topic)]
  const left = books.filter(({ topic }) => from === undefined || topic >= from.topic).sort((first, second) => (first.topic < second.topic ? -1 : 1))
  // Later pages need not know more than the first.
  if (from === undefined) await Promise.all(left.map((book) => book.ledger.sync()))
  const items: Held[] = []
  for (const book of left) {
    const found: (KeptHold | Waits)[] = []
    for (const hold of places.orderOf(book).after(book.topic === from?.topic ? from.order : -1n, matchesDelays(query))) {
      if (!matches(hold, query)) continue
      found.push(hold)
      if (items.length + found.length === query.limit) return { items: [...items, ...(await read(places, book, found))], cursor: `${orderOf(hold)}@${book.topic}` }
    }
    items.push(...(await read(places, book, found)))
  }
  return { items }
}

async function one(places: HoldPlaces, query: HoldQuery, hold: string): Promise<Page<Held>> {
  const { store } = places
  if (query.topic !== undefined) await store.topic(query.topic)
  const { topic, id } = heldId(hold) ?? {}
  if (topic === undefined || id === undefined || (query.topic ?? topic) !== topic) return { items: [] }
  const book = await knownBook(store, topic)
  await book?.ledger.sync()
  const kept = book?.held.get(id) ?? book?.waiting.get(id)
  return { items: book && kept && ('due' in kept || isHeld(kept.row)) && matches(kept, query) ? await read(places, book, [kept]) : [] }
}

/** Of those that wait the messages are read; without what has changed meanwhile. */
async function read({ bodies }: HoldPlaces, book: Book, found: readonly (KeptHold | Waits)[]): Promise<readonly Held[]> {
  const waiting = await bodies.read(book, found.filter((hold) => 'due' in hold))
  return found.flatMap((hold) => {
    const kept = 'due' in hold ? waiting.get(hold.id) : hold
    return kept ? [book.asHeld(kept)] : []
  })
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

function matches(hold: KeptHold | Waits, query: HoldQuery): boolean {
  if ('due' in hold) return matchesDelays(query)
  const { group, why } = query
  if (group !== undefined && hold.row.hold.group !== group) return false
  return why === undefined || hold.row.hold.why === why
}

/** No delay is a group's. */
function matchesDelays({ group, why }: HoldQuery): boolean {
  return group === undefined && (why === undefined || why === 'delay')
}

function orderOf(hold: KeptHold | Waits): Offset {
  return 'due' in hold ? hold.version : hold.order
}

function place(cursor: string): { readonly order: Offset; readonly topic: string } {
  const [, order, topic] = /^(\d{1,19})@(.+)$/u.exec(cursor) ?? []
  if (order === undefined || topic === undefined) throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
  return { order: BigInt(order), topic }
}
