import { MillraceError } from '../../core/errors.js'
import type { Draft, Durability, Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Published } from '../../engine/engine.js'
import { pack, packedBytes } from './entry.js'
import type { PartNames } from './names.js'
import type { Argument } from './port.js'
import { readOriginal } from './original.js'

/** A draft that waits for its answer. */
export interface Item {
  readonly draft: Draft
  end(answer: Published): void
}

/** Drafts of one partition that are stored by one run of a script. */
export class Batch {
  readonly number: number
  readonly items: readonly Item[]
  readonly #packed: Buffer

  constructor(number: number, items: readonly Item[]) {
    this.number = number
    this.items = items
    const into = Buffer.allocUnsafe(items.reduce((sum, { draft }) => sum + packedBytes(draft), 0))
    let end = 0
    for (const { draft } of items) end = pack(into, end, draft)
    this.#packed = into.subarray(0, end)
  }

  /** How many, their bytes, and they themselves, as `publish` takes them. */
  args(): readonly Argument[] {
    const count = this.items.length
    return [count, this.#packed.length - count * 12, this.#packed]
  }

  get hasDedup(): boolean {
    return this.items.some(({ draft }) => draft.dedup !== undefined)
  }

  /** Keys and JSON for `publishCarefully`. `idle`: groups that pin nothing. */
  careful(topic: Topic, partOf: (partition: number) => PartNames, partition: number, idle: readonly string[]): { readonly keys: readonly string[]; readonly ask: string } {
    const { cap, partitions } = topic
    const isCapped = hasBound(topic)
    const logs = isCapped ? Array.from({ length: partitions }, (_, each) => partOf(each).log) : []
    const withDedup = this.items.flatMap(({ draft }, index) => (draft.dedup ? [{ draft, dedup: draft.dedup, index }] : []))
    const ask = {
      dedup: withDedup.map(({ draft, dedup, index }) => [index + 1, dedup.windowMs, `${draft.timestamp} ${draft.id}`]),
      ...(isCapped && { cap: { count: cap.count, bytes: cap.bytes, trim: cap.whenFull === 'trim', partitions, idle } }),
    }
    return { keys: [...logs, ...withDedup.map(({ dedup }) => partOf(partition).dedup(dedup.id))], ask: JSON.stringify(ask) }
  }

  /** Ends each with its place; `error`: stored, and its level was not met. */
  stored(answer: string, survives: readonly Durability[], error: MillraceError | undefined): void {
    if (!answer.startsWith('{')) return this.#place(Number(answer), this.items, survives, error)
    const { first, full, dups } = JSON.parse(answer) as Careful // As the script wrote it.
    const out = new Set(list(full))
    const originals = new Map(list(dups))
    for (const place of out) this.items[place - 1]?.end({ error: fullError(this.items[place - 1]?.draft), stored: 'no' })
    for (const [place, original] of originals) {
      const item = this.items[place - 1]
      item?.end(error ? { error, stored: 'weaker' } : { ok: { ...readOriginal(original), topic: item.draft.topic, partition: item.draft.partition, survives, duplicate: true } })
    }
    this.#place(Number(first), this.items.filter((_, index) => !out.has(index + 1) && !originals.has(index + 1)), survives, error)
  }

  fail(error: MillraceError, stored: 'no' | 'unknown'): void {
    for (const item of this.items) item.end({ error, stored })
  }

  #place(first: number, items: readonly Item[], survives: readonly Durability[], error: MillraceError | undefined): void {
    items.forEach((item, index) => {
      if (error) return item.end({ error, stored: 'weaker' })
      const { id, topic, partition, timestamp } = item.draft
      const offset: Offset = BigInt(first + index)
      item.end({ ok: { id, topic, partition, offset, timestamp, survives, duplicate: false } })
    })
  }
}

interface Careful {
  readonly first: string
  readonly full: Listed<number>
  readonly dups: Listed<readonly [place: number, original: string]>
}

/** A list; Lua writes an empty one as `{}`. */
type Listed<T> = readonly T[] | Readonly<Record<string, never>>

function list<T>(listed: Listed<T>): readonly T[] {
  return Array.isArray(listed) ? (listed as readonly T[]) : []
}

/** Whether a topic bounds what is unread. */
export function hasBound({ cap }: Pick<Topic, 'cap'>): boolean {
  return cap.count !== undefined || cap.bytes !== undefined
}

function fullError(draft: Draft | undefined): MillraceError {
  return new MillraceError('FULL', `topic ${draft?.topic ?? ''} is full of unread messages: wait for its groups, or raise its cap`, { field: 'cap' })
}
