import type { Hold } from '../../core/hold.js'
import type { Engine, Membership, Verdict } from '../../engine/engine.js'
import { broken, brokenMember, type Mutant } from './mutant.js'

/** Settles verdicts whose holds are changed first. */
function reheld(member: Membership, change: (hold: Hold) => Hold): Pick<Membership, 'settle'> {
  return { settle: (verdicts) => member.settle(verdicts.map((verdict): Verdict => (verdict.is === 'hold' ? { ...verdict, hold: change(verdict.hold) } : verdict))) }
}

/** Publishes the messages of holds as if they were new. */
async function republish(engine: Engine, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const [held] = (await engine.holds({ id, limit: 1 })).items
    if (!held || held.hold.why !== 'dead') continue
    const { id: message, topic, partition, key, value, headers, timestamp, producerId } = held.message
    await engine.publish([{ id: `${message}-copy`, topic, partition, key, value, headers, timestamp, producerId }])
  }
}

export const holding: readonly Mutant[] = [
  brokenMember('releases a retry to every group', 'a retry goes to its group only: the others never notice', () => (member, _, engine) => ({
    async settle(verdicts) {
      for (const verdict of verdicts) {
        if (verdict.is !== 'hold' || verdict.hold.why !== 'retry') continue
        const { kind: _kind, offset: _offset, delayedUntil: _until, ...draft } = verdict.delivery.message
        await engine.publish([{ ...draft, hold: { why: 'delay', until: verdict.hold.until, then: 'release', attempt: 0 } }])
      }
      return member.settle(verdicts.map((verdict): Verdict => (verdict.is === 'hold' && verdict.hold.why === 'retry' ? { delivery: verdict.delivery, is: 'done' } : verdict)))
    },
  })),

  brokenMember('ends a retry early', 'a retry never ends early', () => (member) =>
    reheld(member, (hold) => (typeof hold.until === 'number' ? { ...hold, until: hold.until - 1_000 } : hold))),

  brokenMember('forgets the attempts of a retry', 'attempts grow from retry to retry, and a retry that is done is over', () => (member) =>
    reheld(member, (hold) => ({ ...hold, attempt: 0 }))),

  brokenMember('loses why a dead letter failed', 'a dead letter is one entry with its message, its attempts and why it failed', () => (member) =>
    reheld(member, ({ failure: _, ...hold }) => hold)),

  broken('loses the headers of a dead letter', 'a dead letter is one entry with its message, its attempts and why it failed', () => (engine) => ({
    async holds(query) {
      const page = await engine.holds(query)
      return { ...page, items: page.items.map((held) => ({ ...held, message: { ...held.message, headers: [] } })) }
    },
  })),

  brokenMember('drops what it should dead-letter', 'one broken message does not strand the batch it came in', () => (member) => ({
    settle: (verdicts) => member.settle(verdicts.map((verdict): Verdict => (verdict.is === 'hold' && verdict.hold.why === 'dead' ? { delivery: verdict.delivery, is: 'done' } : verdict))),
  })),

  broken('duplicates on redrive', 'a redriven dead letter goes to its group, with its attempts counted anew and its failure visible', () => (engine) => ({
    async decide(decisions) {
      await republish(engine, decisions.filter(({ to }) => to === 'release').map(({ hold }) => hold))
      return engine.decide(decisions)
    },
  })),

  broken('ignores an edit', 'a dead letter may be edited as it is redriven', () => (engine) => ({
    decide: (decisions) => engine.decide(decisions.map(({ edit: _, ...decision }) => decision)),
  })),

  broken('forgets that a message was rolled back', 'a rolled-back message is never delivered and not asked about', () => (engine) => ({
    async decide(decisions) {
      await engine.decide(decisions.filter(({ to }) => to !== 'drop'))
      return decisions.map(() => 'done')
    },
  })),

  broken('decides a hold twice', 'a dead letter redriven twice comes once', () => (engine) => ({
    decide: async (decisions) => (await engine.decide(decisions)).map(() => 'done'),
  })),

  broken('asks everybody about a prepared message', 'a message that nobody answers for is parked at its time, by any keeper', () => (engine) => ({
    keep: (request) => engine.keep({ answers: new Map([...request.answers, ...[...request.answers.values()].map((check) => ['nobody', check] as const)]) }),
  })),

  broken('rolls back what nobody could answer for', 'when all questions are used up a message is parked, rung for and never lost', () => (engine) => ({
    async keep(request) {
      const unwatch = engine.watch(({ what }) => {
        if (what === 'parked') void drop()
      })
      const drop = async (): Promise<void> => {
        const { items } = await engine.holds({ why: 'prepared', limit: 100 })
        await engine.decide(items.filter(({ hold }) => hold.until === 'decided').map(({ id }) => ({ hold: id, to: 'drop' })))
      }
      const keeping = await engine.keep(request)
      return { stop: () => (unwatch(), keeping.stop()) }
    },
  })),

  broken('ends a loan without its token', 'a loan is not ended by a wrong token or by none', () => {
    const tokens = new Map<string, string>()
    return (engine) => ({
      async join(request) {
        const member = await engine.join(request)
        return {
          lease: (ask) => member.lease(ask),
          leave: () => member.leave(),
          settle(verdicts) {
            for (const { delivery: { message }, ...verdict } of verdicts) {
              if (verdict.is === 'hold' && verdict.hold.token) tokens.set(`${message.topic}/${message.partition}/${message.offset}@${request.group}`, verdict.hold.token)
            }
            return member.settle(verdicts)
          },
        }
      },
      decide: (decisions) =>
        engine.decide(decisions.map((decision) => {
          const token = tokens.get(decision.hold)
          return token === undefined ? decision : { ...decision, token }
        })),
    })
  }),
]
