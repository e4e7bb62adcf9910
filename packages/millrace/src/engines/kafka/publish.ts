import { isMillraceError, MillraceError } from '../../core/errors.js'
import type { Draft, Durability } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import { wrongInTopic } from '../../engine/draft.js'
import type { Published } from '../../engine/engine.js'
import { checkLevel, survives } from './durability.js'
import type { Holding } from './holding.js'
import { recordOf } from './message-codec.js'
import type { Sent } from './port.js'
import { isHeldDraft } from './publish-held.js'
import { topicSettings } from './settings.js'
import type { KafkaStore } from './store.js'

/** Stores drafts, each for itself: those that are held in their topic's ledger, the others in its log. */
export async function publish(store: KafkaStore, holding: Holding, drafts: readonly Draft[], level: Durability | undefined): Promise<readonly Published[]> {
  const answers = new Map<Draft, Published>()
  const topics = await topicsOf(store, drafts, answers)
  for (const draft of drafts) {
    const topic = topics.get(draft.topic)
    const wrong = topic && wrongWith(draft, topic, level)
    if (wrong) answers.set(draft, { error: wrong, stored: 'no' })
  }
  const good = drafts.filter((draft) => !answers.has(draft))
  const plain = good.filter((draft) => !isHeldDraft(draft))
  const [sent] = await Promise.all([sendAll(store, plain), ...[...topics.values()].map(async (topic) => holdAll(holding, store, topic, good, answers))])
  plain.forEach((draft, index) => answers.set(draft, published(draft, topics.get(draft.topic), sent[index])))
  return drafts.map((draft) => answers.get(draft) ?? { error: new MillraceError('ENGINE_FAILED', `message ${draft.id} got no answer`), stored: 'unknown' })
}

async function topicsOf(store: KafkaStore, drafts: readonly Draft[], answers: Map<Draft, Published>): Promise<ReadonlyMap<string, Topic>> {
  const topics = new Map<string, Topic>()
  for (const name of new Set(drafts.map(({ topic }) => topic))) {
    try {
      topics.set(name, store.topics.get(name) ?? (await store.topic(name)))
    } catch (error) {
      if (!isMillraceError(error)) throw error
      for (const draft of drafts) if (draft.topic === name) answers.set(draft, { error, stored: 'no' })
    }
  }
  return topics
}

function wrongWith(draft: Draft, topic: Topic, level: Durability | undefined): MillraceError | undefined {
  const wrong = wrongInTopic(draft, topic)
  if (wrong || level === undefined) return wrong
  try {
    checkLevel(level, topic.name, { replicationFactor: topic.replicationFactor, config: topicSettings(topic) })
    return undefined
  } catch (error) {
    if (isMillraceError(error)) return error
    throw error
  }
}

function sendAll(store: KafkaStore, drafts: readonly Draft[]): Promise<readonly Sent[]> {
  if (drafts.length === 0) return Promise.resolve([])
  return store.client.send(drafts.map((draft) => recordOf(store.names.topic(draft.topic), draft)))
}

async function holdAll(holding: Holding, store: KafkaStore, topic: Topic, drafts: readonly Draft[], answers: Map<Draft, Published>): Promise<void> {
  const held = drafts.filter(isHeldDraft).filter((draft) => draft.topic === topic.name)
  if (held.length === 0) return
  const given = await holding.publish(await store.book(topic.name), held, survivesIn(topic).filter((level) => store.survives.includes(level)))
  held.forEach((draft, index) => answers.set(draft, given[index] ?? { error: new MillraceError('ENGINE_FAILED', `message ${draft.id} got no answer`), stored: 'unknown' }))
}

function published({ id, topic: name, partition, timestamp }: Draft, topic: Topic | undefined, sent: Sent | undefined): Published {
  if (!sent || !topic) return { error: new MillraceError('ENGINE_FAILED', `message ${id} got no answer`), stored: 'unknown' }
  if ('error' in sent) return sent
  return { ok: { id, topic: name, partition, offset: sent.offset, timestamp, survives: survivesIn(topic), duplicate: false } }
}

const known = new WeakMap<Topic, readonly Durability[]>()

function survivesIn(topic: Topic): readonly Durability[] {
  const levels = known.get(topic) ?? survives({ replicationFactor: topic.replicationFactor, config: topicSettings(topic) })
  known.set(topic, levels)
  return levels
}
