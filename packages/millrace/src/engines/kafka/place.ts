import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { Place } from '../../engine/engine.js'
import type { Bounds } from './port.js'
import type { KafkaStore } from './store.js'

/** A broker may learn of a new topic, or of a new partition, so much later than the one that made it. */
const rumourMs = 10_000
const lookMs = 100

/** The bounds of a topic's partitions, or of one. Errors: UNKNOWN_TOPIC; INVALID for a partition that it has not. */
export async function boundsOf(store: KafkaStore, topic: string, partition?: number): Promise<readonly Bounds[]> {
  const { partitions } = await store.topic(topic)
  if (partition !== undefined && partition >= partitions) {
    throw new MillraceError('INVALID', `topic ${topic} has partitions 0 to ${partitions - 1}, not ${partition}`, { field: 'partition' })
  }
  const all = partition === undefined ? Array.from({ length: partitions }, (_, index) => index) : [partition]
  return known(store, topic, () => store.client.admin.bounds(store.names.topic(topic), all))
}

/** The offset of a place in each of these partitions, within its bounds. A time is that of the first message with such a timestamp or a later one. */
export async function placesOf(store: KafkaStore, topic: string, bounds: readonly Bounds[], to: Place): Promise<readonly Offset[]> {
  if (to === 'start' || to === 'end') return bounds.map((each) => each[to])
  const asked = 'offset' in to
    ? bounds.map(() => to.offset)
    : await known(store, topic, () => store.client.admin.offsetsAt(store.names.topic(topic), bounds.map(({ partition }) => partition), to.time))
  return bounds.map(({ start, end }, index) => clamp(asked[index] ?? start, start, end))
}

/** What is asked about a topic that the registry knows: until Kafka knows it too. */
async function known<T>({ clock, topics }: KafkaStore, topic: string, ask: () => Promise<T>): Promise<T> {
  const due = clock.monotonic() + rumourMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'UNKNOWN_TOPIC' || !topics.has(topic) || clock.monotonic() >= due) throw error
      await new Promise<void>((resolve) => clock.after(lookMs, resolve))
    }
  }
}

function clamp(offset: Offset, least: Offset, most: Offset): Offset {
  if (offset < least) return least
  return offset > most ? most : offset
}
