import type { Millis } from '../../core/clock.js'
import type { Hold } from '../../core/hold.js'
import type { Census, GroupCensus, PartitionCensus, TopicCensus } from '../../engine/census.js'
import type { Ages } from './ages.js'
import type { Book, Kept } from './book.js'
import { lagOf, leasedOf, lowOf, startRow } from './cursor-row.js'
import { boundsOf } from './place.js'
import type { Bounds } from './port.js'
import type { CursorRow, GroupRow } from './rows.js'
import type { Sizes } from './sizes.js'
import type { KafkaStore } from './store.js'

/** What Kafka does not tell of a topic. */
export interface Estimates {
  readonly ages: Ages
  readonly sizes: Sizes
}

/**
 * Holds, verdicts and pauses are counted. What is published, in the log, ready, leased and purged is told from offsets: what has taken a
 * place without being a message, as the marker of a transaction, is in it. Bytes are told from the mean of some messages; members are the owners of partitions, as far as Kafka says that so many live.
 */
export async function census(store: KafkaStore, estimates: Estimates): Promise<Census> {
  const books = await store.books()
  const topics = await Promise.all(books.map((book) => topicCensus(store, book, estimates).catch((error: unknown) => {
    // It was removed meanwhile.
    if (!store.topics.has(book.topic)) return undefined
    throw error
  })))
  return { at: store.clock.wall(), topics: topics.filter((topic) => topic !== undefined) }
}

async function topicCensus(store: KafkaStore, book: Book, estimates: Estimates): Promise<TopicCensus> {
  const [bounds] = await Promise.all([boundsOf(store, book.topic), book.ledger.sync()])
  const mean = await estimates.sizes.mean(book.topic, bounds)
  const partitions = bounds.map((each) => partitionCensus(each, mean))
  const looked = await Promise.all([...book.groups.keys()].map(async (group) => {
    const [since, members] = await Promise.all([oldest(book, group, bounds, estimates.ages), membersOf(store, book, group, bounds)])
    return { group, oldest: since, members }
  }))
  // From here on at one moment: what is on its way from a cursor to a hold is in one of them.
  const counts = heldOf(book)
  return {
    topic: book.topic,
    published: sum(partitions, (each) => each.published),
    messages: sum(partitions, (each) => each.messages),
    bytes: sum(partitions, (each) => each.bytes),
    delayed: counts.drafts.delay + book.waiting.size,
    prepared: counts.drafts.prepared,
    partitions,
    groups: looked.flatMap((each) => {
      const group = book.groups.get(each.group)
      return group ? [groupCensus(book, group, { ...each, bounds, counts: counts.group(each.group) })] : []
    }),
  }
}

function partitionCensus({ partition, start, end }: Bounds, meanBytes: number): PartitionCensus {
  const messages = Number(end - start)
  return { partition, start, end, published: Number(end), messages, bytes: Math.round(messages * meanBytes) }
}

interface Looked {
  readonly group: string
  readonly bounds: readonly Bounds[]
  readonly counts: Counts
  readonly oldest: Millis | null
  readonly members: number
}

function groupCensus(book: Book, { row }: Kept<GroupRow>, { group, bounds, counts, oldest: since, members }: Looked): GroupCensus {
  const cursors = bounds.map((each) => ({ row: cursorOf(book, group, each), bounds: each }))
  const dropped = book.dropsOf(group)
  const lag = counts.released + sum(cursors, (each) => lagOf(each.row, each.bounds))
  // What the dead had in hand is to be had.
  const leased = members === 0 ? 0 : Math.min(lag, sum(cursors, (each) => each.row.copies.length + leasedOf(each.row)))
  return {
    group,
    members,
    paused: row.paused,
    ready: lag - leased,
    leased,
    lag,
    oldest: since,
    retrying: counts.retry,
    lent: counts.lent,
    // They wait as others do, and are counted as ready.
    parked: 0,
    dead: counts.dead,
    settled: sum(cursors, (each) => each.row.settled) + dropped.settled,
    purged: sum(cursors, (each) => each.row.purged) + dropped.purged,
  }
}

/** Owners of partitions, and no more than Kafka says are alive: one that died owns its partitions until another takes them. */
async function membersOf(store: KafkaStore, book: Book, group: string, bounds: readonly Bounds[]): Promise<number> {
  const owners = new Set(bounds.flatMap((each) => cursorOf(book, group, each).owner ?? [])).size
  if (owners === 0) return 0
  return Math.min(owners, await store.client.admin.members(store.names.group(group)).catch(() => owners))
}

/** Timestamp of the oldest that is not finished: of what each partition's cursor stands before, and of what was released. */
async function oldest(book: Book, group: string, bounds: readonly Bounds[], ages: Ages): Promise<Millis | null> {
  const lags = bounds.flatMap(({ partition, start, end }) => {
    const low = lowOf(cursorOf(book, group, { start, partition }))
    const from = low < start ? start : low
    return from < end ? [{ topic: book.topic, partition, from, to: end }] : []
  })
  const released = [...book.held.values()].flatMap(({ row }) => (row.released && row.hold.group === group ? [row.message.timestamp] : []))
  const found = [...released, ...(await Promise.all(lags.map((lag) => ages.of(lag)))).filter((each) => each !== undefined)]
  return found.length === 0 ? null : found.reduce((one, other) => Math.min(one, other))
}

function cursorOf(book: Book, group: string, { partition, start }: Pick<Bounds, 'partition' | 'start'>): CursorRow {
  return book.cursor(group, partition)?.row ?? startRow(start)
}

type Counts = Record<Hold['why'] | 'released', number>

/** What is held, in one pass. */
function heldOf(book: Book): { readonly drafts: Counts; group(name: string): Counts } {
  const drafts = none()
  const groups = new Map<string, Counts>()
  for (const { row: { hold, released } } of book.held.values()) {
    const counts = hold.group === undefined ? drafts : (groups.get(hold.group) ?? none())
    counts[released ? 'released' : hold.why] += 1
    if (hold.group !== undefined) groups.set(hold.group, counts)
  }
  return { drafts, group: (name) => groups.get(name) ?? none() }
}

function none(): Counts {
  return { delay: 0, retry: 0, prepared: 0, dead: 0, lent: 0, released: 0 }
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
