import { MillraceError } from '../../core/errors.js'
import type { Decided, Decision } from '../../engine/engine.js'
import type { Book, KeptHold } from './book.js'
import { dropped, edited, heldAnew, isHeld, released } from './held-row.js'
import { knownBook } from './holds.js'
import type { Change } from './ledger.js'
import { encodeHeld, heldId, type HeldRow } from './rows.js'
import type { KafkaStore } from './store.js'
import { ask } from './wants.js'

/** How often a decision is made anew because the hold has changed meanwhile. */
const triesMost = 100

/** A decision about a hold of a topic, and where its answer belongs. */
interface Item {
  readonly id: string
  readonly decision: Decision
  readonly index: number
}

/** Ends holds, or holds anew: one answer for each. */
export async function decide(store: KafkaStore, decisions: readonly Decision[]): Promise<readonly Decided[]> {
  const answers = decisions.map((): Decided => 'gone')
  const topics = new Map<string, Item[]>()
  decisions.forEach((decision, index) => {
    const { topic, id } = heldId(decision.hold) ?? {}
    if (topic === undefined || id === undefined) return
    topics.set(topic, [...(topics.get(topic) ?? []), { id, decision, index }])
  })
  await Promise.all([...topics].map(async ([topic, items]) => {
    const book = await knownBook(store, topic)
    const made = book && (await decideIn(store, book, items))
    made?.forEach((answer, index) => (answers[items[index]?.index ?? -1] = answer))
  }))
  return answers
}

async function decideIn(store: KafkaStore, book: Book, items: readonly Item[]): Promise<readonly Decided[]> {
  // What looks gone may only be unknown yet.
  if (!items.every((item) => isDraft(book, item) || find(book, item))) await book.ledger.sync()
  const drafts = items.filter((item) => isDraft(book, item))
  const placed = items.filter((item) => !isDraft(book, item) && find(book, item))
  const [ofDrafts, ofPlaced] = await Promise.all([drafts.length > 0 ? ask(store, book, drafts.map(({ decision }) => decision)) : [], decidePlaced(store, book, placed)])
  const answerOf = new Map([...drafts.map((item, index) => [item, ofDrafts[index]] as const), ...ofPlaced])
  return items.map((item) => answerOf.get(item) ?? 'gone')
}

/** Holds of groups change where they lie, by whoever decides: who is first has it. */
async function decidePlaced(store: KafkaStore, book: Book, items: readonly Item[]): Promise<ReadonlyMap<Item, Decided>> {
  const answers = new Map<Item, Decided>()
  let open = items
  for (let tries = 0; open.length > 0; tries += 1) {
    if (tries === triesMost) throw new MillraceError('ENGINE_FAILED', `topic ${book.topic}: others change the same holds all the time`)
    const changes = open.flatMap((item) => changeOf(store, book, item) ?? [])
    const able = open.filter((item) => changeOf(store, book, item))
    for (const item of open) if (!able.includes(item)) answers.set(item, 'gone')
    const written = await book.ledger.put(changes)
    open = able.filter((item, index) => {
      const answer = written[index]
      if (answer && 'error' in answer) throw answer.error
      if (answer?.is === 'accepted') answers.set(item, 'done')
      return answer?.is === 'refused'
    })
  }
  return answers
}

/** Undefined when there is nothing to decide. */
function changeOf(store: KafkaStore, book: Book, item: Item): Change | undefined {
  const kept = find(book, item)
  if (!kept) return undefined
  const row = rowAfter(store, book, kept.row, item.decision)
  return row && { id: kept.id, value: row === 'end' ? null : encodeHeld(row), when: { is: kept.version } }
}

function rowAfter(store: KafkaStore, book: Book, row: HeldRow, decision: Decision): HeldRow | 'end' | undefined {
  // A broadcast group is nowhere: its dead letters are kept, and nobody is there to get them.
  const isKnown = book.groups.has(row.hold.group ?? '')
  const message = edited(row.message, decision.edit)
  if (decision.to === 'release') return isKnown ? released(row, message) : undefined
  if (decision.to === 'drop') return isKnown ? dropped(row) : 'end'
  return heldAnew(row, message, decision.anew, store.clock.wall())
}

/** A hold of a message without a place. */
function isDraft(book: Book, item: Item): boolean {
  const { id, decision } = item
  return find(book, item)?.row.offset === null || (decision.token === undefined && book.waiting.get(id) !== undefined)
}

function find(book: Book, { id, decision }: Item): KeptHold | undefined {
  const kept = book.held.get(id)
  return kept && isHeld(kept.row) && kept.row.hold.token === decision.token ? kept : undefined
}
