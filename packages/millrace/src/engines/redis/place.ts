import { MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Place } from '../../engine/engine.js'
import { countBeforeScript, findPlace } from './scripts/group.js'
import type { RedisStore } from './store.js'

/** A place as scripts read it. */
export function placeText(place: Place): string {
  if (typeof place === 'string') return place
  return 'offset' in place ? `o${place.offset}` : `t${Math.max(0, Math.floor(place.time))}`
}

/** A place as an offset, within what the partition has. */
export async function offsetAt(store: RedisStore, topic: string, partition: number, place: Place): Promise<Offset> {
  return BigInt(String(await store.run(findPlace, [store.part(topic, partition).log], [placeText(place)])))
}

/** How many entries of a partition's log ever came before an offset. */
export async function countBefore(store: RedisStore, topic: string, partition: number, offset: number): Promise<number> {
  return Number(String(await store.run(countBeforeScript, [store.part(topic, partition).log], [offset])))
}

/** The partitions of a topic, or the one that is asked for. Errors: INVALID where there is no such one. */
export function partitionsOf(topic: Topic, partition?: number): readonly number[] {
  if (partition === undefined) return Array.from({ length: topic.partitions }, (_, each) => each)
  if (partition < topic.partitions) return [partition]
  throw new MillraceError('INVALID', `topic ${topic.name} has partitions 0 to ${topic.partitions - 1}, not ${partition}`, { field: 'partition' })
}
