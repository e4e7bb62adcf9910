import type { Topic } from '../../core/topic.js'
import type { Held } from '../../engine/engine.js'
import { decodeHeld, isHeldState, type KeptRow } from './held-row.js'
import { type HeldId, holdId, partitionsOf } from './held-id.js'
import type { Reply } from './port.js'
import type { RedisStore } from './store.js'

/** Where a row is. */
export type HeldPlace = { readonly topic: string; readonly partition: number } & ({ readonly draft: string } | { readonly group: string; readonly offset: number })

export interface Found {
  readonly place: HeldPlace
  readonly row: KeptRow
}

/** The held message of an id, or undefined: it is held no more, or never was. A draft may be in any partition. */
export async function findHeld(store: RedisStore, topic: Topic, id: HeldId): Promise<Found | undefined> {
  const places: readonly HeldPlace[] = 'draft' in id ? partitionsOf(topic).map((partition) => ({ topic: id.topic, partition, draft: id.draft })) : [id]
  const rows = await Promise.all(places.map(async (place) => (await readHeld(store, [place]))[0]))
  return rows.find((found) => found !== undefined)
}

/** The rows of some places that are in one hash; those that are held no more are left out. */
export async function readHeld(store: RedisStore, places: readonly HeldPlace[]): Promise<readonly Found[]> {
  const [first] = places
  if (first === undefined) return []
  const names = store.names.part(first.topic, first.partition)
  const key = 'draft' in first ? names.drafts : names.held(first.group)
  const replies = await store.command(['HMGET', key, ...places.map((place) => ('draft' in place ? place.draft : String(place.offset)))], key)
  return places.flatMap((place, index) => foundAt(place, Array.isArray(replies) ? (replies[index] as Reply) : null) ?? [])
}

function foundAt(place: HeldPlace, bytes: Reply): Found | undefined {
  if (!Buffer.isBuffer(bytes)) return undefined
  const { topic, partition } = place
  const row = 'draft' in place
    ? decodeHeld({ topic, partition, offset: null }, undefined, bytes)
    : decodeHeld({ topic, partition, offset: BigInt(place.offset) }, place.group, bytes)
  return isHeldState(row.state) ? { place, row } : undefined
}

export function asHeld({ place, row: { hold, heldAt, message } }: Found): Held {
  return { id: holdId(place), hold, message, heldAt }
}
