import type { Receipt } from '../../core/message.js'

/**
 * The first draft with a dedup id, as it is kept: `<id of the topic> <offset> <timestamp> <id>`, where the offset is `-` while it is held. What comes
 * behind the topic's id.
 */
export function readOriginal(text: string): Pick<Receipt, 'offset' | 'timestamp' | 'id'> {
  const [offset = '-', timestamp = ''] = text.split(' ', 2)
  return { offset: offset === '-' ? null : BigInt(offset), timestamp: Number(timestamp), id: text.slice(offset.length + timestamp.length + 2) }
}
