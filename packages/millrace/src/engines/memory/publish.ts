import type { Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Hold } from '../../core/hold.js'
import type { Draft, Durability, MessageKind, Offset } from '../../core/message.js'
import { delayedUntil, draftBytes, wrongInTopic } from '../../engine/draft.js'
import type { Published } from '../../engine/engine.js'
import type { Original } from './dedup.js'
import { noticePassed } from './retention.js'
import type { PartitionLog } from './partition-log.js'
import { type MemoryStore, unknownTopic } from './store.js'
import type { TopicState } from './topic-state.js'

const survives: readonly Durability[] = ['memory']

/** Stores drafts, each for itself, and wakes who waits for them. */
export function publish(store: MemoryStore, drafts: readonly Draft[], wall: Millis): readonly Published[] {
  const topics: TopicState[] = []
  let topic: TopicState | undefined
  const published = drafts.map((draft) => {
    if (topic?.name !== draft.topic) {
      topic = store.topics.get(draft.topic)
      if (topic && !topics.includes(topic)) topics.push(topic)
    }
    return topic ? storeDraft(topic, draft, wall) : refused(unknownTopic(draft.topic))
  })
  for (const each of topics) {
    each.announce()
    noticePassed(each, drafts.length, wall)
  }
  return published
}

function storeDraft(topic: TopicState, draft: Draft, wall: Millis): Published {
  const bytes = draftBytes(draft)
  const log = topic.logs[draft.partition]
  if (log === undefined || bytes > topic.meta.maxMessageBytes) {
    const wrong = wrongInTopic(draft, topic.meta)
    if (wrong) return refused(wrong)
  }
  if (log === undefined) return refused(unknownTopic(draft.topic))
  const original = draft.dedup && topic.dedup.find(draft.partition, draft.dedup.id, wall)
  if (original) return duplicate(draft, original)
  return draft.hold ? hold(topic, draft, draft.hold, wall) : append(topic, log, draft, bytes, wall)
}

function append(topic: TopicState, log: PartitionLog, draft: Draft, bytes: number, wall: Millis): Published {
  if (!topic.capacity.admits(bytes)) {
    return refused(new MillraceError('FULL', `topic ${topic.name} is full of unread messages: wait for its groups, or raise its cap`))
  }
  const offset = topic.append(log, draft, 'normal', bytes)
  remember(topic, draft, offset, wall)
  return receipt(draft, offset)
}

function hold(topic: TopicState, draft: Draft, asked: Hold, wall: Millis): Published {
  const { store } = topic
  if (store.holds.draft(topic.name, draft.id)) {
    return refused(new MillraceError('HELD_ALREADY', `message ${draft.id} is already held in topic ${topic.name}: cancel or reschedule it, or choose another id`))
  }
  const { key, value, headers, timestamp, producerId, partition } = draft
  const kind: MessageKind = asked.why === 'prepared' ? 'transaction' : 'delay'
  const message = { id: draft.id, topic: topic.name, partition, offset: null, key, value, headers, timestamp, producerId, kind, ...delayedUntil(kind, asked) }
  store.holds.put({ topic, hold: asked, message, heldAt: wall, counts: topic.counts, park: false, original: remember(topic, draft, null, wall) })
  store.heldUntil(asked.until)
  store.stir({ what: 'held', topic: topic.name })
  return receipt(draft, null)
}

function remember(topic: TopicState, { dedup, id, partition, timestamp }: Draft, offset: Offset | null, wall: Millis): Original | undefined {
  if (dedup === undefined) return undefined
  const original = { id, timestamp, offset }
  topic.dedup.remember(partition, dedup.id, wall + dedup.windowMs, original)
  return original
}

function receipt({ id, topic, partition, timestamp }: Draft, offset: Offset | null): Published {
  return { ok: { id, topic, partition, offset, timestamp, survives, duplicate: false } }
}

function duplicate({ topic, partition }: Draft, { id, timestamp, offset }: Original): Published {
  return { ok: { id, topic, partition, offset, timestamp, survives, duplicate: true } }
}

function refused(error: MillraceError): Published {
  return { error, stored: 'no' }
}
