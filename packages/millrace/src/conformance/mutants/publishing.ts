import type { Draft, Receipt } from '../../core/message.js'
import type { Engine, Published } from '../../engine/engine.js'
import { broken, type Mutant } from './mutant.js'

/** Publishes drafts that are changed first. */
function redrafted(engine: Engine, change: (draft: Draft) => Draft): Pick<Engine, 'publish'> {
  return { publish: (drafts, level) => engine.publish(drafts.map(change), level) }
}

function without(draft: Draft, field: 'dedup' | 'hold'): Draft {
  const { [field]: _, ...rest } = draft
  return rest
}

function receipt({ id, topic, partition, timestamp }: Draft, offset: bigint): { ok: Receipt } {
  return { ok: { id, topic, partition, timestamp, offset, survives: ['memory'], duplicate: false } }
}

export const publishing: readonly Mutant[] = [
  broken('acks before it has stored', 'what was answered ok outlives the instance that answered', () => {
    let next = 0n
    return (engine) => ({
      publish(drafts, level) {
        setTimeout(() => void engine.publish(drafts, level).catch(() => undefined), 20)
        return Promise.resolve(drafts.map((draft) => receipt(draft, next++)))
      },
    })
  }),

  broken('drops one draft of a batch and answers ok', 'every draft that was answered ok is in the log once', () => (engine) => ({
    async publish(drafts, level) {
      const last = drafts.at(-1)
      if (!last || drafts.length < 3) return engine.publish(drafts, level)
      const answers = await engine.publish(drafts.slice(0, -1), level)
      return [...answers, receipt(last, 1_000_000n)]
    },
  })),

  broken('fails a whole batch for one bad draft', 'one bad draft does not fail its neighbours', () => (engine) => ({
    async publish(drafts, level): Promise<readonly Published[]> {
      const known = new Set((await engine.topics.list()).map(({ name }) => name))
      const bad = drafts.find(({ topic }) => !known.has(topic))
      const [answer] = bad ? await engine.publish([bad], level) : []
      return answer ? drafts.map(() => answer) : engine.publish(drafts, level)
    },
  })),

  broken('answers drafts in another order', 'each draft has one answer, in the order of the drafts', () => (engine) => ({
    publish: async (drafts, level) => [...(await engine.publish(drafts, level))].reverse(),
  })),

  broken('makes a topic that it does not know', 'a draft for an unknown topic is answered UNKNOWN_TOPIC and makes no topic', () => (engine) => ({
    async publish(drafts, level) {
      const [known] = await engine.topics.list()
      for (const { topic } of drafts) {
        await engine.topics.create({ description: '', partitions: 1, replicationFactor: 1, keep: {}, cap: { whenFull: 'refuse' }, mayPassUnread: false, maxMessageBytes: 1_000_000, paused: false, config: {}, createdBy: '', ...known, name: topic }).catch(() => undefined)
      }
      return engine.publish(drafts, level)
    },
  })),

  broken('turns no value into no bytes', 'no value, no bytes, no key and an empty key stay what they are', () => (engine) =>
    redrafted(engine, (draft) => ({ ...draft, value: draft.value ?? new Uint8Array() }))),

  broken('sorts the headers', 'a message arrives exactly as it was sent', () => (engine) =>
    redrafted(engine, (draft) => ({ ...draft, headers: [...draft.headers].sort(([one], [other]) => (one < other ? -1 : 1)) }))),

  broken('silently ignores a durability that it cannot meet', 'a durability that the engine meets is met, and any other is refused', () => (engine) => ({
    publish: (drafts, level) => (level && engine.traits.durability.includes(level) ? engine.publish(drafts, level) : engine.publish(drafts)),
  })),

  broken('stores a duplicate', 'a second draft with a dedup id is answered with the place of the first and not stored', () => (engine) =>
    redrafted(engine, (draft) => without(draft, 'dedup'))),

  broken('remembers a dedup id for ever', 'a dedup id is forgotten after its window', () => (engine) =>
    redrafted(engine, (draft) => (draft.dedup ? { ...draft, dedup: { ...draft.dedup, windowMs: 10 ** 12 } } : draft))),

  broken('fires a delay early', 'a delay never ends early', () => (engine) =>
    redrafted(engine, (draft) => (typeof draft.hold?.until === 'number' ? { ...draft, hold: { ...draft.hold, until: draft.hold.until - 1_000 } } : draft))),

  broken('delivers a prepared message', 'a prepared message is not to be read', () => (engine) =>
    redrafted(engine, (draft) => (draft.hold?.why === 'prepared' ? without(draft, 'hold') : draft))),

  broken('drops a hold', 'a delayed message is delivered when its time has come, and says so', () => (engine) => ({
    async publish(drafts, level) {
      const answers = await engine.publish(drafts, level)
      await engine.decide(drafts.filter(({ hold }) => hold).map(({ topic, id }) => ({ hold: `${topic}:${id}`, to: 'drop' })))
      return answers
    },
  })),

  broken('ripens a hold twice', 'a hold ripens once, however many keepers there are', () => (engine) => ({
    async publish(drafts, level) {
      const held = drafts.filter(({ hold }) => hold)
      await engine.publish(held.map((draft) => ({ ...draft, id: `${draft.id}-again` })), level)
      return engine.publish(drafts, level)
    },
  })),

  broken('overwrites a hold of the same id', 'a second draft with the id of one that is held is refused, and the first stays', () => (engine) => ({
    async publish(drafts, level) {
      await engine.decide(drafts.filter(({ hold }) => hold).map(({ topic, id }) => ({ hold: `${topic}:${id}`, to: 'drop' })))
      return engine.publish(drafts, level)
    },
  })),
]
