import { MillraceError } from '../../core/errors.js'
import type { Message } from '../../core/message.js'
import type { BrowseQuery, Page } from '../../engine/engine.js'
import { entryMessage } from './entry.js'
import { offsetOf, streamId } from './offset.js'
import { offsetAt, partitionsOf } from './place.js'
import type { Reply } from './port.js'
import type { RedisStore } from './store.js'

/** Entries in one read: a page of large messages takes several. */
const readMost = 200
/** A page ends where it has so many bytes of values. */
const pageBytes = 16 * 2 ** 20

/** Reads logs by pages; a cursor says `partition:offset` of the next message. */
export async function browse(store: RedisStore, { topic: name, partition, from, limit, cursor }: BrowseQuery): Promise<Page<Message>> {
  const topic = await store.topic(name)
  const at = cursor === undefined ? undefined : readCursor(cursor)
  const items: Message[] = []
  let bytes = 0
  for (const each of partitionsOf(topic, partition)) {
    if (at && each < at.partition) continue
    let next = at?.partition === each ? streamId(at.offset) : from === 'start' ? '-' : streamId(await offsetAt(store, name, each, from))
    for (;;) {
      const count = Math.min(readMost, limit - items.length + 1)
      const entries = await readEntries(store, name, each, next, count)
      for (const { id, fields } of entries) {
        const offset = offsetOf(id)
        // One of others whose id is no offset is moved before it is read.
        if (offset === undefined) continue
        if (items.length === limit || bytes >= pageBytes) return { items, cursor: `${each}:${offset}` }
        const message = entryMessage({ topic: name, partition: each, offset: BigInt(offset) }, fields)
        items.push(message)
        bytes += message.value?.byteLength ?? 0
      }
      if (entries.length < count) break
      next = `(${entries.at(-1)?.id.toString('latin1')}`
    }
  }
  return { items }
}

interface Entry {
  readonly id: Buffer
  readonly fields: readonly Reply[]
}

async function readEntries(store: RedisStore, topic: string, partition: number, from: string, count: number): Promise<readonly Entry[]> {
  const { log } = store.part(topic, partition)
  const reply = await store.command(['XRANGE', log, from, '+', 'COUNT', count], log)
  return (Array.isArray(reply) ? (reply as readonly Reply[]) : []).flatMap((each) => {
    const [id, fields] = Array.isArray(each) ? (each as readonly Reply[]) : []
    return Buffer.isBuffer(id) && Array.isArray(fields) ? [{ id, fields: fields as readonly Reply[] }] : []
  })
}

function readCursor(cursor: string): { readonly partition: number; readonly offset: bigint } {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,16})$/u.exec(cursor) ?? []
  if (partition !== undefined && offset !== undefined) return { partition: Number(partition), offset: BigInt(offset) }
  throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
}
