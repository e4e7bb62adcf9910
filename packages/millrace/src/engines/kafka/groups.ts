import { MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { GroupAdmin, GroupPosition, Place, StartAt } from '../../engine/engine.js'
import type { Book, Kept, KeptHold } from './book.js'
import { lagOf, lowOf, passedBy, seekRow, startRow } from './cursor-row.js'
import { type Change, isAccepted } from './ledger.js'
import { boundsOf, placesOf } from './place.js'
import type { Bounds } from './port.js'
import { type CursorRow, encode, type GroupRow, ids } from './rows.js'
import type { KafkaStore } from './store.js'

/** Tries until a change is taken that others' changes get before. */
const mostTries = 50

/** Groups as the book of their topic has them. A partition without a cursor is read from its start. */
export class Groups implements GroupAdmin {
  readonly #store: KafkaStore

  constructor(store: KafkaStore) {
    this.#store = store
  }

  async create(topicName: string, group: string, from: StartAt): Promise<boolean> {
    const book = await this.#fresh(topicName)
    if (book.groups.has(group)) return false
    const bounds = await boundsOf(this.#store, topicName)
    const cursors = bounds.map((each) => overCursor(book, group, each.partition, startRow(each[from])))
    const row: GroupRow = { createdAt: this.#store.clock.wall(), paused: false }
    const answers = await book.ledger.put([...cursors, { id: ids.group(group), value: encode(row), when: 'new' }])
    return isAccepted(answers.at(-1))
  }

  async positions(topicName: string, group: string): Promise<readonly GroupPosition[]> {
    const book = await this.#fresh(topicName)
    groupOf(book, group)
    const released = releasedOf(book, group)
    return (await boundsOf(this.#store, topicName)).map(({ partition, start, end }) => {
      const cursor = book.cursor(group, partition)
      const row = cursor?.row ?? startRow(start)
      return {
        partition,
        watermark: lowOf(row),
        end,
        lag: lagOf(row, { start, end }) + (released.get(partition) ?? 0),
        owner: row.owner,
        epoch: cursor?.epoch ?? 0,
      }
    })
  }

  async seek(topicName: string, group: string, to: Place, partition?: number): Promise<void> {
    const book = await this.#fresh(topicName)
    groupOf(book, group)
    const bounds = await boundsOf(this.#store, topicName, partition)
    const places = await placesOf(this.#store, topicName, bounds, to)
    await Promise.all(bounds.map((each, index) => this.#move(book, group, each, places[index] ?? each.start)))
    this.#store.stir({ what: 'held', topic: topicName, group })
    this.#store.stir({ what: 'ready', topic: topicName, group })
  }

  async pause(topicName: string, group: string, paused: boolean): Promise<void> {
    const book = await this.#fresh(topicName)
    await insist(`pausing group ${group}`, async () => {
      const { id, row, version } = groupOf(book, group)
      return row.paused === paused || isAccepted((await book.ledger.put([{ id, value: encode({ ...row, paused } satisfies GroupRow), when: { is: version } }]))[0])
    })
    this.#store.stir({ what: 'paused', topic: topicName, group })
  }

  async remove(topicName: string, group: string): Promise<void> {
    const book = await this.#fresh(topicName)
    await insist(`removing group ${group}`, async () => {
      const { id, version } = groupOf(book, group)
      const [answer] = await book.ledger.put([{ id, value: null, when: { is: version } }, ...abandoned(book, group)])
      return isAccepted(answer)
    })
    await insist(`removing the holds of group ${group}`, () => endAll(book, [...book.held.values(), ...book.dropped.values()].filter(({ row }) => row.hold.group === group)))
    this.#store.stir({ what: 'members', topic: topicName, group })
  }

  /** The epoch moves on, whoever writes the cursor at the time; then the holds that are in the way end. */
  async #move(book: Book, group: string, { partition, start }: Bounds, place: Offset): Promise<void> {
    const isInWay = ({ row: { hold, released, offset } }: KeptHold): boolean =>
      offset !== null && offset >= place && (released !== undefined || hold.why === 'retry' || hold.why === 'lent')
    await insist(`moving group ${group}`, async () => {
      groupOf(book, group)
      const row = book.cursor(group, partition)?.row ?? startRow(start)
      const change = overCursor(book, group, partition, seekRow(row, place, passedBy(row, place, start)))
      const ends = [...book.heldOf(group, partition)].filter(isInWay).map((hold): Change => ({ id: hold.id, value: null, when: { is: hold.version } }))
      const [answer] = await book.ledger.put([change, ...ends])
      return isAccepted(answer)
    })
    await insist(`moving group ${group}`, () => endAll(book, [...book.heldOf(group, partition)].filter(isInWay)))
  }

  async #fresh(topic: string): Promise<Book> {
    const book = await this.#store.book(topic)
    await book.ledger.sync()
    return book
  }
}

/** A cursor written over whatever there is, under the next epoch: whoever owned it writes no more. Refused where another epoch came first. */
function overCursor(book: Book, group: string, partition: number, row: CursorRow): Change {
  const id = ids.cursor(group, partition)
  const epoch = book.cursor(group, partition)?.epoch ?? 0
  return { id, value: encode(row), when: epoch === 0 ? 'new' : { guard: id, epoch }, epoch: epoch + 1 }
}

/** The cursors of a group that is removed stay, and nobody's: so that what an old owner says is refused, then and after the name is used again. */
function abandoned(book: Book, group: string): readonly Change[] {
  const prefix = ids.cursor(group, 0).slice(0, -1)
  return [...book.cursors.values()].flatMap(({ id, row }) => (id.startsWith(prefix) ? [overCursor(book, group, Number(id.slice(prefix.length)), { ...row, owner: null })] : []))
}

function groupOf(book: Book, group: string): Kept<GroupRow> {
  const found = book.groups.get(group)
  if (!found) throw new MillraceError('UNKNOWN_GROUP', `topic ${book.topic} has no group ${group}`, { field: 'group' })
  return found
}

/** How many of a group's holds were released and are not finished, by partition. */
export function releasedOf(book: Book, group: string): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const { row } of book.held.values()) {
    if (row.hold.group === group && row.released) counts.set(row.partition, (counts.get(row.partition) ?? 0) + 1)
  }
  return counts
}

async function endAll(book: Book, holds: readonly Pick<KeptHold, 'id' | 'version'>[]): Promise<boolean> {
  if (holds.length === 0) return true
  const answers = await book.ledger.put(holds.map(({ id, version }) => ({ id, value: null, when: { is: version } })))
  return answers.every(isAccepted)
}

/** Once more as long as another's change came first. */
async function insist(what: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < mostTries; tries += 1) if (await attempt()) return
  throw new MillraceError('ENGINE_FAILED', `${what}: others have changed it each of ${mostTries} times`)
}
