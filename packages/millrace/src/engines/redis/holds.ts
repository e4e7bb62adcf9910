import { MillraceError } from '../../core/errors.js'
import type { Hold } from '../../core/hold.js'
import type { Topic } from '../../core/topic.js'
import type { Held, HoldQuery, Page } from '../../engine/engine.js'
import { knownTopic } from './decide.js'
import { heldId, partitionsOf } from './held-id.js'
import { heldState } from './held-row.js'
import { asHeld, findHeld, type Found, type HeldPlace, readHeld } from './held-rows.js'
import type { Reply } from './port.js'
import type { RedisStore } from './store.js'

/** Where a row stands among all of a topic: by its version, and where two partitions have the same by the partition. */
interface Standing {
  readonly version: number
  readonly place: HeldPlace
}

interface After {
  readonly topic: string
  readonly version: number
  readonly partition: number
}

/** What is wanted of a topic. */
interface Listing {
  readonly query: HoldQuery
  readonly most: number
  readonly after: After | undefined
}

/** A page of what is held: topic after topic, those of one in the order in which they were held. */
export async function holds(store: RedisStore, query: HoldQuery): Promise<Page<Held>> {
  if (query.id !== undefined) return one(store, query, query.id)
  const after = query.cursor === undefined ? undefined : afterOf(query.cursor)
  const topics = query.topic === undefined ? await all(store) : [await store.topic(query.topic)]
  const left = topics.filter(({ name }) => after === undefined || name >= after.topic).sort((first, second) => (first.name < second.name ? -1 : 1))
  const items: Held[] = []
  for (const topic of left) {
    const room = query.limit - items.length
    const standing = await standings(store, topic, { query, most: room, after: after?.topic === topic.name ? after : undefined })
    items.push(...(await rowsOf(store, standing)).map(asHeld))
    const last = standing.at(-1)
    // Some may have gone between the two looks: then the page is shorter, and there may be more all the same.
    if (last && standing.length === room) return { items, cursor: `${last.version}.${last.place.partition}@${topic.name}` }
  }
  return { items }
}

async function all(store: RedisStore): Promise<readonly Topic[]> {
  await store.registry.refresh()
  return [...store.topics.values()]
}

async function one(store: RedisStore, { topic, group, why }: HoldQuery, hold: string): Promise<Page<Held>> {
  if (topic !== undefined) await store.topic(topic)
  const id = heldId(hold)
  const known = id && (topic ?? id.topic) === id.topic ? await knownTopic(store, id.topic) : undefined
  const found = id && known && (await findHeld(store, known, id))
  const isWanted = found && (group === undefined || found.row.hold.group === group) && (why === undefined || found.row.hold.why === why)
  return { items: isWanted ? [asHeld(found)] : [] }
}

/** The first of all that are listed after a place. */
async function standings(store: RedisStore, topic: Topic, listing: Listing): Promise<readonly Standing[]> {
  const listed = await Promise.all(partitionsOf(topic).map((partition) => inPartition(store, topic, partition, listing)))
  return listed.flat().sort((first, second) => first.version - second.version || first.place.partition - second.place.partition).slice(0, listing.most)
}

async function inPartition(store: RedisStore, { name }: Topic, partition: number, { query: { group, why }, most, after }: Listing): Promise<readonly Standing[]> {
  const names = store.names.part(name, partition)
  const known = group === undefined ? strings(await store.command(['SMEMBERS', names.heldGroups], names.heldGroups)) : [group]
  const ofGroups = wanted(['retry', 'dead', 'lent'], why).flatMap((each) => known.map((of) => ({ key: names.listed(heldState({ why: each }), of), of })))
  const ofDrafts = group === undefined ? wanted(['delay', 'prepared'], why).map((each) => ({ key: names.listed(heldState({ why: each })), of: undefined })) : []
  const from = after === undefined ? '-inf' : `${partition > after.partition ? '' : '('}${after.version}`
  const listed = await Promise.all([...ofGroups, ...ofDrafts].map(async ({ key, of }) => {
    const pairs = strings(await store.command(['ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, most], key))
    return pairs.flatMap((member, index): Standing[] => {
      if (index % 2 === 1) return []
      const place = of === undefined ? { topic: name, partition, draft: member } : { topic: name, partition, group: of, offset: Number(member) }
      return [{ version: Number(pairs[index + 1]), place }]
    })
  }))
  return listed.flat()
}

function wanted(whys: readonly Hold['why'][], why: Hold['why'] | undefined): readonly Hold['why'][] {
  return why === undefined ? whys : whys.filter((each) => each === why)
}

/** In the same order. */
async function rowsOf(store: RedisStore, standing: readonly Standing[]): Promise<readonly Found[]> {
  const byHash = new Map<string, HeldPlace[]>()
  for (const { place } of standing) {
    const hash = `${place.partition} ${'group' in place ? place.group : ''}`
    byHash.set(hash, [...(byHash.get(hash) ?? []), place])
  }
  const found = new Map((await Promise.all([...byHash.values()].map((places) => readHeld(store, places)))).flat().map((each) => [each.place, each]))
  return standing.flatMap(({ place }) => found.get(place) ?? [])
}

function strings(reply: Reply): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}

function afterOf(cursor: string): After {
  const [, version, partition, topic] = /^(\d{1,16})\.(\d{1,5})@(.+)$/u.exec(cursor) ?? []
  if (topic === undefined) throw new MillraceError('INVALID', `cursor ${cursor} is not one of this engine`, { field: 'cursor' })
  return { topic, version: Number(version), partition: Number(partition) }
}
