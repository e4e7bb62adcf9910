import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Hold } from '../../core/hold.js'
import type { Topic } from '../../core/topic.js'
import { delayedUntil } from '../../engine/draft.js'
import type { Decided, Decision } from '../../engine/engine.js'
import { heldId, type HeldId } from './held-id.js'
import { encodeHeld, heldState, type HeldRow, isBlocking } from './held-row.js'
import { findHeld, type Found } from './held-rows.js'
import type { Argument } from './port.js'
import { changeMessage, changeOfGroup } from './scripts/change.js'
import type { RedisStore } from './store.js'
import { askedBy, timesOf } from './times.js'

/** Decisions that are under way at once. */
const atOnce = 64
/** Tries while others change the same hold. */
const mostTries = 20

/** One answer for each. Those about one hold are carried out one after another. */
export async function decide(store: RedisStore, decisions: readonly Decision[]): Promise<readonly Decided[]> {
  const answers: Decided[] = decisions.map(() => 'gone')
  const byHold = new Map<string, number[]>()
  decisions.forEach(({ hold }, index) => byHold.set(hold, [...(byHold.get(hold) ?? []), index]))
  const left = [...byHold.values()][Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (const indexes of left) {
      for (const index of indexes) {
        const decision = decisions[index]
        if (decision) answers[index] = await decideOne(store, decision)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, byHold.size) }, lane))
  return answers
}

/** Carries a decision out about the row as it is; when another was faster, about the next. */
export async function decideOne(store: RedisStore, decision: Decision): Promise<Decided> {
  const id = heldId(decision.hold)
  const topic = id && (await knownTopic(store, id.topic))
  if (!topic) return 'gone'
  for (let tries = 0; tries < mostTries; tries += 1) {
    const found = await findHeld(store, topic, id)
    if (found?.row.hold.token !== decision.token || !found) return 'gone'
    if (await carryOut(store, found, decision)) return 'done'
    if (decision.to === 'release' && !(await isReleasable(store, id))) return 'gone'
  }
  throw new MillraceError('ENGINE_FAILED', `hold ${decision.hold} was changed ${mostTries} times while it was decided about: try again`)
}

/** False when the row is another by now, or cannot be released. */
export async function carryOut(store: RedisStore, { place, row }: Found, decision: Decision): Promise<boolean> {
  const names = store.names.part(place.topic, place.partition)
  const after = rowAfter(store, row, decision)
  const bytes = decision.to === 'drop' || (decision.to === 'release' && !decision.edit) ? [] : [encodeHeld(after)]
  const version = String(row.version)
  if ('draft' in place) {
    const times = decision.to === 'hold' ? timesOf(after.hold) : []
    return (await store.run(changeMessage, [names.log], [store.publishes, place.draft, version, askedBy(row.hold), 'held', decision.to, ...bytes, ...times])) === 1
  }
  const { group, offset } = place
  const more: readonly Argument[] = decision.to === 'drop' ? [row.hold.why === 'lent' ? 'ds' : 'dp'] : [...bytes, ...(decision.to === 'hold' ? [dueOf(after.hold)] : [])]
  return (await store.run(changeOfGroup, [names.log], [store.publishes, group, offset, version, decision.to, ...more])) === 1
}

function rowAfter(store: RedisStore, row: HeldRow, decision: Decision): HeldRow {
  const edited = { ...row.message, ...decision.edit }
  if (decision.to !== 'hold') return { ...row, message: edited }
  const { anew } = decision
  const hold: Hold = row.hold.group === undefined ? anew : { ...anew, group: row.hold.group }
  const message = { ...edited, ...delayedUntil(edited.kind, hold) }
  return { ...row, state: heldState(hold), hold, heldAt: store.clock.wall(), attempt: hold.attempt, blocks: row.hold.group !== undefined && isBlocking(hold, row.park, message.key), message }
}

/** When a hold of a group ripens, as scripts take it. */
export function dueOf({ until }: Hold): string {
  return until === 'decided' ? '' : String(until)
}

/** A broadcast group is nowhere: its dead letters are kept, and nobody is there to get them. */
async function isReleasable(store: RedisStore, id: HeldId): Promise<boolean> {
  if ('draft' in id) return true
  const key = store.names.part(id.topic, id.partition).cursor(id.group)
  return (await store.command(['EXISTS', key], key)) === 1
}

/** Undefined when there is no such topic. */
export async function knownTopic(store: RedisStore, name: string): Promise<Topic | undefined> {
  try {
    return await store.topic(name)
  } catch (error) {
    if (isMillraceError(error) && error.code === 'UNKNOWN_TOPIC') return undefined
    throw error
  }
}
