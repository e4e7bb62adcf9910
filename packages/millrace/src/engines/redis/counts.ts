import type { Millis } from '../../core/clock.js'
import type { Topic } from '../../core/topic.js'
import { isMeta } from './entry.js'
import { partitionsOf } from './place.js'
import type { Reply } from './port.js'
import { census, countFields } from './scripts/census.js'
import type { RedisStore } from './store.js'

/** What there is in a partition, at one moment. Offsets are numbers. */
export interface PartCounts {
  readonly entries: number
  readonly trimmed: number
  readonly bytes: number
  readonly start: number
  readonly end: number
  readonly delayed: number
  readonly prepared: number
  /** In the order in which they were asked for. */
  readonly groups: readonly CursorCounts[]
}

type Field = (typeof countFields)[number]

export interface CursorCounts {
  readonly fields: ReadonlyMap<Field, string>
  /** Timestamp of the first entry that is not finished. */
  readonly oldest: Millis | null
}

/** A group in a partition. */
export interface GroupCounts {
  readonly ready: number
  readonly leased: number
  readonly retrying: number
  readonly lent: number
  readonly parked: number
  readonly dead: number
  readonly settled: number
  readonly purged: number
  readonly low: number
  readonly oldest: Millis | null
  readonly owner: string | null
  readonly epoch: number
  /** When it was used last, by the server's clock. */
  readonly used: Millis
}

/** Asks each partition once. */
export async function readParts(store: RedisStore, topic: Topic, groups: readonly string[]): Promise<readonly PartCounts[]> {
  const replies = await Promise.all(partitionsOf(topic).map(async (partition) => store.run(census, [store.part(topic.name, partition).log], groups)))
  return replies.map(readPart)
}

function readPart(reply: Reply): PartCounts {
  const [entries, trimmed, bytes, start, end, delayed, prepared, ...groups] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  return {
    entries: numberOf(entries), trimmed: numberOf(trimmed), bytes: entries === 0 ? 0 : numberOf(bytes), start: numberOf(start), end: numberOf(end),
    delayed: numberOf(delayed), prepared: numberOf(prepared), groups: groups.map(readCursor),
  }
}

function readCursor(reply: Reply): CursorCounts {
  const [values, oldest] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  const texts = Array.isArray(values) ? (values as readonly Reply[]) : []
  const fields = new Map(countFields.flatMap((name, index): [Field, string][] => (Buffer.isBuffer(texts[index]) ? [[name, String(texts[index])]] : [])))
  return { fields, oldest: timeOf(oldest) }
}

/** Of an entry's id and meta. */
function timeOf(reply: Reply | undefined): Millis | null {
  const [id, meta] = Array.isArray(reply) ? (reply as readonly Reply[]) : []
  if (!Buffer.isBuffer(id)) return null
  return Buffer.isBuffer(meta) && isMeta(meta) ? meta.readDoubleLE(2) : Number(id.toString().split('-')[0])
}

/** What a group has of a partition. One without a cursor has all of it before itself. */
export function countsOf({ entries, trimmed, start, end }: PartCounts, cursor: CursorCounts | undefined): GroupCounts {
  const of = (name: Field): number => Number(cursor?.fields.get(name) ?? 0)
  const unread = entries + trimmed - Math.max(of('read'), trimmed)
  const low = of('low')
  return {
    ready: unread + of('waiting') + of('nR') - of('copies'),
    leased: of('leased') + of('copies'),
    retrying: of('nr'),
    lent: of('nl'),
    parked: of('nw'),
    dead: of('nd'),
    settled: of('settled') + of('ds'),
    purged: of('purged') + of('dp') + Math.max(0, trimmed - of('read')),
    low: Math.max(low, start),
    // Nothing of the log is left where it has passed all.
    oldest: low < end ? (cursor?.oldest ?? null) : null,
    owner: cursor?.fields.get('o') || null,
    epoch: of('e'),
    used: of('used'),
  }
}

function numberOf(reply: Reply | undefined): number {
  return reply === null || reply === undefined ? 0 : Number(String(reply))
}
