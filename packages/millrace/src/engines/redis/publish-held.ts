import { MillraceError } from '../../core/errors.js'
import type { Millis } from '../../core/clock.js'
import type { Hold } from '../../core/hold.js'
import type { Draft, Durability, MessageKind } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import { delayedUntil } from '../../engine/draft.js'
import type { Published } from '../../engine/engine.js'
import { encodeHeld, heldState } from './held-row.js'
import type { Argument, Reply, Script } from './port.js'
import { hold, isHeld } from './scripts/hold.js'
import { readOriginal } from './original.js'
import { type RedisStore, unknownTopic } from './store.js'
import { timesOf } from './times.js'

export type HeldDraft = Draft & { readonly hold: Hold }

export function isHeldDraft(draft: Draft): draft is HeldDraft {
  return draft.hold !== undefined
}

/** Runs a script that stores something, and says what that survives. An error beside a reply: it is stored and does not survive what was asked for. */
export type StoringRun = (script: Script, keys: readonly [string, ...string[]], args: readonly Argument[]) => Promise<{ readonly reply: Reply; readonly survives: readonly Durability[]; readonly error?: MillraceError }>

/** Drafts, and bytes of their values, that one script holds at most: it keeps the server busy meanwhile. */
const batch = { drafts: 500, bytes: 4 * 2 ** 20 }

/** Stores drafts of one topic that are held, each for itself: they have been checked. */
export async function publishHeld(store: RedisStore, topic: Topic, drafts: readonly HeldDraft[], run: StoringRun): Promise<readonly Published[]> {
  const answers = new Map<HeldDraft, Published>()
  let left = drafts
  while (left.length > 0) {
    const ids = new Set<string>()
    const first = left.filter(({ id }) => !ids.has(id) && ids.add(id))
    await Promise.all(batchesOf(first).map(async (together) => {
      const told = await holdTogether(store, topic, together, run)
      together.forEach((draft, index) => answers.set(draft, told[index] ?? lost(draft)))
    }))
    left = left.filter((draft) => !answers.has(draft))
  }
  return drafts.map((draft) => answers.get(draft) ?? lost(draft))
}

async function holdTogether(store: RedisStore, topic: Topic, drafts: readonly HeldDraft[], run: StoringRun): Promise<readonly Published[]> {
  try {
    const elsewhere = await heldElsewhere(store, topic, drafts)
    const fresh = drafts.filter(({ id }) => !elsewhere.has(id))
    const stored = fresh.length > 0 ? await holdInPart(store, topic, fresh, run) : []
    const answers = new Map(fresh.map((draft, index) => [draft, stored[index]]))
    return drafts.map((draft) => answers.get(draft) ?? heldAlready(draft))
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return drafts.map(() => ({ error, stored: 'unknown' }))
  }
}

async function holdInPart(store: RedisStore, topic: Topic, drafts: readonly HeldDraft[], run: StoringRun): Promise<readonly Published[]> {
  const names = store.names.part(topic.name, drafts[0]?.partition ?? 0)
  const heldAt = store.clock.wall()
  const args = drafts.flatMap((draft): Argument[] => [draft.id, encodeHeld(rowOf(draft, heldAt)), ...timesOf(draft.hold), ...dedupOf(draft)])
  const ask = (of: Topic): ReturnType<StoringRun> => run(hold, [names.log], [store.publishes, of.id, ...args])
  let { reply, survives, error } = await ask(topic)
  if (reply === null) {
    await store.heal(topic.name, drafts[0]?.partition ?? 0)
    ;({ reply, survives, error } = await ask(await store.topic(topic.name)))
  }
  if (!Array.isArray(reply)) return drafts.map((draft) => ({ error: unknownTopic(draft.topic), stored: 'no' }))
  return drafts.map((draft, index) => published(draft, { answer: String(reply[index]), survives, error }))
}

interface Answered {
  /** `1`, `0`, or what is known of the first draft with its dedup id. */
  readonly answer: string
  readonly survives: readonly Durability[]
  readonly error: MillraceError | undefined
}

function published(draft: HeldDraft, { answer, survives, error }: Answered): Published {
  if (answer === '0') return heldAlready(draft)
  if (error) return { error, stored: 'weaker' }
  const { id, topic, partition, timestamp } = draft
  if (answer === '1') return { ok: { id, topic, partition, offset: null, timestamp, survives, duplicate: false } }
  return { ok: { topic, partition, survives, duplicate: true, ...readOriginal(answer) } }
}

/** The dedup id, its window, and what is known of the first with it; or nothing. */
function dedupOf({ dedup, timestamp, id }: HeldDraft): readonly Argument[] {
  return dedup ? [dedup.id, Math.max(1, Math.ceil(dedup.windowMs)), `- ${timestamp} ${id}`] : ['', '', '']
}

const one = '1'.charCodeAt(0)

/** An id is held once in a topic, and the other partitions are in other slots: so they are asked first. */
async function heldElsewhere(store: RedisStore, topic: Topic, drafts: readonly HeldDraft[]): Promise<ReadonlySet<string>> {
  const ids = drafts.map(({ id }) => id)
  const others = Array.from({ length: topic.partitions }, (_, partition) => partition).filter((partition) => partition !== drafts[0]?.partition)
  const replies = await Promise.all(others.map((partition) => store.run(isHeld, [store.names.part(topic.name, partition).log], ids)))
  return new Set(ids.filter((_, index) => replies.some((reply) => Buffer.isBuffer(reply) && reply[index] === one)))
}

function rowOf(draft: HeldDraft, heldAt: Millis): Parameters<typeof encodeHeld>[0] {
  const { hold: held, id, topic, partition, key, value, headers, timestamp, producerId } = draft
  const kind: MessageKind = held.why === 'prepared' ? 'transaction' : 'delay'
  const message = { id, topic, partition, offset: null, key, value, headers, timestamp, producerId, kind, ...delayedUntil(kind, held) }
  return { state: heldState(held), hold: held, heldAt, blocks: false, park: false, alone: false, attempt: held.attempt, message, ...(draft.dedup && { dedup: draft.dedup.id }) }
}

/** Of one partition each. */
function batchesOf(drafts: readonly HeldDraft[]): readonly (readonly HeldDraft[])[] {
  const batches: HeldDraft[][] = []
  const open = new Map<number, { readonly drafts: HeldDraft[]; bytes: number }>()
  for (const draft of drafts) {
    const bytes = draft.value?.byteLength ?? 0
    let current = open.get(draft.partition)
    if (!current || current.drafts.length === batch.drafts || current.bytes + bytes > batch.bytes) {
      current = { drafts: [], bytes: 0 }
      open.set(draft.partition, current)
      batches.push(current.drafts)
    }
    current.drafts.push(draft)
    current.bytes += bytes
  }
  return batches
}

function heldAlready({ id, topic }: Draft): Published {
  return { error: new MillraceError('HELD_ALREADY', `message ${id} is already held in topic ${topic}: cancel or reschedule it, or choose another id`), stored: 'no' }
}

function lost({ id, topic }: Draft): Published {
  return { error: new MillraceError('ENGINE_FAILED', `nothing is known of message ${id} in topic ${topic}`), stored: 'unknown' }
}
