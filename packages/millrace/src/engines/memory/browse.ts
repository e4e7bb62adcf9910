import { MillraceError } from '../../core/errors.js'
import type { Message } from '../../core/message.js'
import type { BrowseQuery, Page } from '../../engine/engine.js'
import { offsetOf } from './place.js'
import type { TopicState } from './topic-state.js'

/** Reads the log by pages; a cursor says `partition:offset` of the next message. */
export function browse(topic: TopicState, { partition, from, limit, cursor }: BrowseQuery): Page<Message> {
  const logs = partition === undefined ? topic.logs : [topic.log(partition)]
  const at = cursor === undefined ? undefined : readCursor(cursor)
  const items: Message[] = []
  for (const log of logs) {
    if (at && log.partition < at.partition) continue
    const start = at?.partition === log.partition ? Math.max(at.offset, log.start) : offsetOf(log, from)
    for (let offset = start; offset < log.end; offset += 1) {
      if (items.length === limit) return { items, cursor: `${log.partition}:${offset}` }
      const message = log.at(offset)
      if (message) items.push(message)
    }
  }
  return { items }
}

function readCursor(cursor: string): { readonly partition: number; readonly offset: number } {
  const [partition, offset] = cursor.split(':').map(Number)
  if (Number.isSafeInteger(partition) && Number.isSafeInteger(offset)) return { partition: Number(partition), offset: Number(offset) }
  throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
}
