import { MillraceError } from '../../core/errors.js'
import type { Draft, Durability } from '../../core/message.js'
import { wrongInTopic } from '../../engine/draft.js'
import type { Published } from '../../engine/engine.js'
import type { Book } from './book.js'
import { draftRow } from './held-row.js'
import type { Answer } from './ledger.js'
import { encodeHeld, ids } from './rows.js'
import type { KafkaStore } from './store.js'

export type HeldDraft = Draft & { readonly hold: NonNullable<Draft['hold']> }

export function isHeldDraft(draft: Draft): draft is HeldDraft {
  return draft.hold !== undefined
}

/** Stores drafts of one topic that are held, each for itself. `survives` is what the ledger's records do. */
export async function publishHeld(store: KafkaStore, book: Book, drafts: readonly HeldDraft[], survives: readonly Durability[]): Promise<readonly Published[]> {
  const topic = await store.topic(book.topic)
  const wrong = drafts.map((draft) => wrongInTopic(draft, topic))
  const good = drafts.filter((_, index) => wrong[index] === undefined)
  const heldAt = store.clock.wall()
  const answers = await book.ledger.put(good.map((draft) => ({ id: ids.draft(draft.id), value: encodeHeld(draftRow(draft, draft.hold, heldAt)), when: 'new' })))
  const answerOf = new Map(good.map((draft, index) => [draft, answers[index]]))
  return drafts.map((draft, index): Published => {
    const error = wrong[index]
    return error ? { error, stored: 'no' } : published(draft, answerOf.get(draft), survives)
  })
}

function published({ id, topic, partition, timestamp }: Draft, answer: Answer | undefined, survives: readonly Durability[]): Published {
  if (answer?.is === 'accepted') return { ok: { id, topic, partition, offset: null, timestamp, survives, duplicate: false } }
  if (answer && answer.is !== 'refused') return { error: answer.error, stored: answer.is === 'failed' ? 'no' : 'unknown' }
  return { error: new MillraceError('HELD_ALREADY', `message ${id} is already held in topic ${topic}: cancel or reschedule it, or choose another id`), stored: 'no' }
}
