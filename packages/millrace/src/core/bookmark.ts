import { MillraceError } from './errors.js'
import { limits } from './limits.js'

/**
 * A write position of one database. `order` is compared inside one `history` only; `history` changes with a
 * failover, a restore, a rebuilt copy. An `unknown` position could not be learnt and means the primary.
 */
export interface Position {
  readonly history: string
  readonly order: bigint | 'unknown'
}

/** What its holder has written or seen: a position for each database. Travels with requests, messages and invalidations. */
export type Bookmark = ReadonlyMap<string, Position>

export const emptyBookmark: Bookmark = new Map()

/**
 * The later position for each database. Positions of two histories cannot be compared, and an unknown one stays
 * unknown until a write replaces it: both merge to unknown.
 */
export function mergeBookmarks(one: Bookmark, other: Bookmark): Bookmark {
  if (other.size === 0) return one
  if (one.size === 0) return other
  const merged = new Map(one)
  for (const [database, position] of other) {
    const known = merged.get(database)
    merged.set(database, known ? later(known, position) : position)
  }
  return merged
}

function later(one: Position, other: Position): Position {
  if (one.order === 'unknown' || other.order === 'unknown') return { history: other.history, order: 'unknown' }
  if (one.history !== other.history) return { history: other.history, order: 'unknown' }
  return one.order >= other.order ? one : other
}

/** As text for a header: JSON of `[database, history, order]` triples. */
export function encodeBookmark(bookmark: Bookmark): string {
  return JSON.stringify([...bookmark].map(([database, { history, order }]) => [database, history, String(order)]))
}

/** Reads what `encodeBookmark` wrote. Throws INVALID on anything else. */
export function decodeBookmark(text: string): Bookmark {
  if (text.length > limits.maxBookmarkBytes) throw invalid(`longer than ${limits.maxBookmarkBytes} bytes`)
  let triples: unknown
  try {
    triples = JSON.parse(text)
  } catch (cause) {
    throw invalid('not JSON', cause)
  }
  if (!Array.isArray(triples)) throw invalid('not a list')
  return new Map(triples.map(readTriple))
}

function readTriple(triple: unknown): [string, Position] {
  if (!Array.isArray(triple) || triple.length !== 3 || !triple.every((part) => typeof part === 'string')) throw invalid('a part is not three texts')
  const [database, history, order] = triple as [string, string, string]
  if (order === 'unknown') return [database, { history, order }]
  if (!/^\d{1,40}$/.test(order)) throw invalid(`order ${order} is not a number`)
  return [database, { history, order: BigInt(order) }]
}

function invalid(why: string, cause?: unknown): MillraceError {
  return new MillraceError('INVALID', `bookmark is ${why}: drop it and read from the primary`, { field: 'bookmark', cause })
}
