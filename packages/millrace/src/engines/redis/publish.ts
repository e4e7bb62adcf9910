import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Draft, Durability } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import { wrongInTopic } from '../../engine/draft.js'
import type { Published } from '../../engine/engine.js'
import type { Confirmation } from './durability.js'
import type { Holding } from './holding.js'
import { type HeldDraft, isHeldDraft } from './publish-held.js'
import type { Sender } from './sender.js'
import type { RedisStore } from './store.js'

/** A topic that drafts of one call go to, and what they wait for there. */
interface Target {
  readonly topic: Topic
  readonly confirmation: Confirmation | undefined
}

/** Stores drafts, each for itself: those that are held beside their topic's log, the others in it. */
export async function publish(store: RedisStore, sender: Sender, holding: Holding, drafts: readonly Draft[], level: Durability | undefined): Promise<readonly Published[]> {
  const targets = new Map<string, Target | MillraceError>()
  for (const { topic } of drafts) if (!targets.has(topic)) targets.set(topic, await targetOf(store, topic, level))
  const wrong = drafts.map((draft) => wrongWith(draft, targets.get(draft.topic)))
  const good = wrong.every((each) => each === undefined) ? drafts : drafts.filter((_, index) => wrong[index] === undefined)
  const plain = good.some(isHeldDraft) ? good.filter((draft) => !isHeldDraft(draft)) : good
  const [sent, held] = await Promise.all([
    sender.send(plain, ({ topic }) => confirmationIn(targets, topic)),
    plain === good ? none : holdAll(store, holding, targets, good.filter(isHeldDraft)),
  ])
  if (plain === drafts) return sent
  const answers = sent[Symbol.iterator]()
  return drafts.map((draft, index): Published => {
    const error = wrong[index]
    if (error) return { error, stored: 'no' }
    return (isHeldDraft(draft) ? held.get(draft) : answers.next().value) ?? { error: new MillraceError('ENGINE_FAILED', `message ${draft.id} got no answer`), stored: 'unknown' }
  })
}

const none: ReadonlyMap<HeldDraft, Published> = new Map()

async function targetOf(store: RedisStore, name: string, level: Durability | undefined): Promise<Target | MillraceError> {
  try {
    const topic = store.known(name) ?? (await store.topic(name))
    return { topic, confirmation: store.guarantees.confirmation(level ?? topic.durability) }
  } catch (error) {
    if (isMillraceError(error)) return error
    throw error
  }
}

function wrongWith(draft: Draft, target: Target | MillraceError | undefined): MillraceError | undefined {
  return target && 'topic' in target ? wrongInTopic(draft, target.topic) : target
}

function confirmationIn(targets: ReadonlyMap<string, Target | MillraceError>, topic: string): Confirmation | undefined {
  const target = targets.get(topic)
  return target && 'topic' in target ? target.confirmation : undefined
}

async function holdAll(store: RedisStore, holding: Holding, targets: ReadonlyMap<string, Target | MillraceError>, drafts: readonly HeldDraft[]): Promise<ReadonlyMap<HeldDraft, Published>> {
  const answers = new Map<HeldDraft, Published>()
  await Promise.all([...targets.values()].map(async (target) => {
    if (!('topic' in target)) return
    const { topic, confirmation } = target
    const ours = drafts.filter((draft) => draft.topic === topic.name)
    if (ours.length === 0) return
    const given = await holding.publish(topic, ours, async (script, keys, args) => store.writes.run(script, keys, args, confirmation))
    ours.forEach((draft, index) => {
      const answer = given[index]
      if (answer) answers.set(draft, answer)
    })
  }))
  return answers
}
