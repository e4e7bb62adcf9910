import type { Place } from '../../engine/engine.js'
import type { PartitionLog } from './partition-log.js'

/** The offset of a place in one partition. A time is that of the first message with such a timestamp or a later one. */
export function offsetOf(log: PartitionLog, place: Place): number {
  if (place === 'start') return log.start
  if (place === 'end') return log.end
  if ('offset' in place) return Math.min(Math.max(Number(place.offset), log.start), log.end)
  return log.find(log.start, (message) => message.timestamp >= place.time)
}
