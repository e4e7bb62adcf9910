import type { Delivery, Verdict } from '../../engine/engine.js'
import { broken, brokenMember, type Mutant } from './mutant.js'

export const delivering: readonly Mutant[] = [
  brokenMember('loses the order of a key', 'messages of one key come in the order they were sent', () => (member) => ({
    lease: async (ask) => [...(await member.lease(ask))].reverse(),
  })),

  brokenMember('hands out more than was asked for', 'a lease hands out at most what was asked for', () => (member) => ({
    lease: (ask) => member.lease({ ...ask, max: ask.max + 1 }),
  })),

  brokenMember('delivers one message to two members', 'inside a group each message goes to one member', () => {
    const seen = new Map<string, Delivery[]>()
    return (member, { group, topic }) => {
      const shared = seen.get(`${topic} ${group}`) ?? []
      seen.set(`${topic} ${group}`, shared)
      let read = 0
      return {
        async lease(ask) {
          const stolen = shared.slice(read)
          const own = await member.lease(ask)
          shared.push(...own)
          read = shared.length
          return [...stolen, ...own]
        },
      }
    }
  }),

  brokenMember('hands a message out again before its verdict', 'a message is handed out once until it has its verdict', () => (member) => {
    let last: readonly Delivery[] = []
    return {
      async lease(ask) {
        const taken = await member.lease(ask)
        if (taken.length > 0) last = taken
        return taken.length > 0 ? taken : last
      },
    }
  }),

  brokenMember('accepts a lapsed lease', "a stale owner's verdict changes nothing", () => (member, { topic, group }, engine) => ({
    async settle(verdicts) {
      const epochs = new Map((await engine.groups.positions(topic, group)).map(({ partition, epoch }) => [partition, epoch]))
      const current = verdicts.map((verdict) => ({ ...verdict, delivery: { ...verdict.delivery, epoch: epochs.get(verdict.delivery.message.partition) ?? 0 } }))
      await member.settle(current)
      return verdicts.map(() => 'settled')
    },
  })),

  brokenMember('forgets a verdict', 'what a group has finished does not come back to a later member', () => (member) => ({
    settle: (verdicts) => member.settle(verdicts.map(({ delivery, ...rest }): Verdict => (rest.is === 'done' ? { delivery, is: 'back' } : { delivery, ...rest }))),
  })),

  brokenMember('counts a hand-back as an attempt', 'a message handed back is to be had at once, in its place and not counted', () => {
    const backs = new Map<string, number>()
    return (member) => ({
      lease: async (ask) => (await member.lease(ask)).map((delivery) => ({ ...delivery, attempt: delivery.attempt + (backs.get(delivery.message.id) ?? 0) })),
      settle(verdicts) {
        for (const { is, delivery } of verdicts) if (is === 'back') backs.set(delivery.message.id, (backs.get(delivery.message.id) ?? 0) + 1)
        return member.settle(verdicts)
      },
    })
  }),

  brokenMember('finishes what a leaving member has unfinished', 'what a member that leaves has unfinished goes to the others at once, not counted', () => (member) => {
    const open = new Map<string, Delivery>()
    return {
      async lease(ask) {
        const taken = await member.lease(ask)
        for (const delivery of taken) open.set(delivery.message.id, delivery)
        return taken
      },
      async leave() {
        await member.settle([...open.values()].map((delivery) => ({ delivery, is: 'done' })))
        await member.leave()
      },
    }
  }),

  brokenMember("does not count a dead owner's delivery", 'the partitions of a dead member go to the living, with what it had unfinished', () => (member) => ({
    lease: async (ask) => (await member.lease(ask)).map((delivery) => (delivery.alone ? { ...delivery, attempt: 1 } : delivery)),
  })),

  broken('delivers what kills its process for ever', 'a message that kills its process runs exactly as often as it may, and is a dead letter then', () => (engine) => ({
    join: (request) => engine.join({ ...request, maxDeliveries: 1_000 }),
  })),

  broken('gives partitions away without awaiting their owner', 'before a partition goes to another member its owner is asked to let go, and awaited', () => (engine) => ({
    join: (request) =>
      engine.join({
        ...request,
        async revoke(partitions, signal) {
          void request.revoke(partitions, signal)
        },
      }),
  })),

  broken('starts every group at the end', 'what was published before any group exists is delivered to a group that starts at the start', () => (engine) => ({
    join: (request) => engine.join({ ...request, from: 'end' }),
  })),

  broken('delivers to a paused group', 'a paused group leases nothing and settles what it has; the other groups go on', () => (engine) => ({
    groups: { ...engine.groups, pause: async () => undefined },
  })),

  broken('shares what it should broadcast', 'every broadcast member sees every message', () => (engine) => ({
    join: (request) => engine.join({ ...request, mode: 'share' }),
  })),

  broken('does not park', 'later messages of a key wait while one is held for retry, other keys do not', () => (engine) => ({
    join: (request) => engine.join({ ...request, park: false }),
  })),

  broken('hands nothing back when it closes', 'closing hands back what is unfinished, to be had at once and not counted', () => (_, instance) => ({
    close: () => instance.kill(),
  })),
]
