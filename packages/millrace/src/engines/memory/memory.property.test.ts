import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hold } from '../../core/hold.js'
import { topicConfig } from '../../core/topic.js'
import type { Delivery, Membership, Verdict } from '../../engine/engine.js'
import { HandClock } from '../../testing/hand-clock.js'
import { memory, type MemoryEngine } from './memory.js'
import { memoryStore } from './store.js'

const partitions = 3
const keys = ['a', 'b', 'c', null] as const

/** Two processes with a member each, on one store, and what was seen of every message. */
class World {
  readonly clock = new HandClock()
  readonly #store = memoryStore()
  readonly #park: boolean
  readonly #engines: MemoryEngine[] = []
  readonly #members: Membership[] = []
  readonly #hands: Delivery[][] = [[], []]
  #sent = 0
  readonly #loans = new Map<string, string>()
  readonly #seen = new Set<string>()
  /** For each key of a partition, the offset of its latest first delivery. */
  readonly #latest = new Map<string, number>()

  constructor(park: boolean) {
    this.#park = park
  }

  async start(): Promise<void> {
    const engine = await this.#engine()
    await engine.topics.create(topicConfig({ name: 't', partitions, keep: { count: 0 } }))
    for (const process of [0, 1]) await this.revive(process)
  }

  get engine(): MemoryEngine {
    const engine = this.#engines[0]
    if (!engine) throw new Error('started')
    return engine
  }

  async revive(process: number): Promise<void> {
    const engine = await this.#engine()
    await engine.keep({ answers: new Map() })
    this.#engines[process] = engine
    this.#hands[process] = []
    this.#members[process] = await engine.join({
      topic: 't', group: 'g', member: `m${process}`, mode: 'share', from: 'start', leaseMs: 3_000, stallMs: 1, drainMs: 500, maxDeliveries: 4, park: this.#park,
      revoke: async () => undefined,
    })
  }

  async kill(process: number): Promise<void> {
    await this.#engines[process]?.die()
    await this.revive(process)
  }

  async publish(key: number, count: number): Promise<void> {
    const drafts = Array.from({ length: count }, () => {
      this.#sent += 1
      return {
        id: `m${this.#sent}`, topic: 't', partition: key % partitions, key: keys[key % keys.length] ?? null, value: null, headers: [],
        timestamp: this.clock.wall(), producerId: 'p', ...(this.#sent % 7 === 0 && { hold: { why: 'delay', until: this.clock.wall() + 800, then: 'release', attempt: 0 } as const }),
      }
    })
    for (const answer of await this.engine.publish(drafts)) assert.ok('ok' in answer)
  }

  async lease(process: number, max: number): Promise<number> {
    const leased = (await this.#members[process]?.lease({ max, waitMs: 0 })) ?? []
    for (const delivery of leased) this.#see(delivery)
    this.#hands[process]?.push(...leased)
    return leased.length
  }

  async settle(process: number, which: number, how: number): Promise<void> {
    const hand = this.#hands[process] ?? []
    const [delivery] = hand.splice(which % Math.max(1, hand.length), 1)
    if (!delivery) return
    const verdict = this.#verdict(delivery, how)
    const [outcome] = (await this.#members[process]?.settle([verdict])) ?? []
    if (outcome !== 'settled' || verdict.is !== 'hold' || verdict.hold.why !== 'lent') return
    const { items } = await this.engine.holds({ limit: 1_000, why: 'lent' })
    const loan = items.find(({ message }) => message.id === delivery.message.id)
    if (loan) this.#loans.set(loan.id, loan.hold.token ?? '')
  }

  async answerLoan(to: 'release' | 'drop'): Promise<void> {
    for (const [hold, token] of this.#loans) {
      this.#loans.delete(hold)
      await this.engine.decide([{ hold, token, to }])
      return
    }
  }

  /** Everything that was sent is somewhere, once. */
  async conserves(): Promise<void> {
    const [topic] = (await this.engine.census()).topics
    const [group] = topic?.groups ?? []
    if (!topic || !group) throw new Error('there is a group')
    assert.equal(group.settled + group.ready + group.leased + group.retrying + group.lent + group.parked + group.dead + group.purged, topic.published)
    assert.equal(topic.published + topic.delayed, this.#sent)
    assert.equal((await this.engine.groups.positions('t', 'g')).reduce((total, { lag }) => total + lag, 0), group.lag)
  }

  /** Finishes all that comes, until nothing more does. */
  async drain(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      await this.clock.advance(3_000)
      for (const process of [0, 1]) {
        for (;;) {
          const hand = this.#hands[process] ?? []
          await this.#members[process]?.settle(hand.splice(0).map((delivery) => ({ delivery, is: 'done' })))
          if ((await this.lease(process, 50)) === 0) break
          quiet = 0
        }
      }
    }
    await this.clock.advance(2_000)
    const [topic] = (await this.engine.census()).topics
    const { ready, leased, retrying, lent, parked } = topic?.groups[0] ?? assert.fail()
    assert.deepEqual([ready, leased, retrying, lent, parked, topic?.messages], [0, 0, 0, 0, 0, 0])
  }

  async seek(offset: number): Promise<void> {
    this.#latest.clear()
    await this.engine.groups.seek('t', 'g', { offset: BigInt(offset) })
  }

  /** First deliveries of a key come in order. */
  #see({ message, attempt }: Delivery): void {
    if (attempt > 1 || this.#seen.has(message.id)) return
    this.#seen.add(message.id)
    if (message.key === null) return
    const place = `${message.partition}/${message.key}`
    assert.ok(Number(message.offset) > (this.#latest.get(place) ?? -1), `${message.id} is in order`)
    this.#latest.set(place, Number(message.offset))
  }

  #verdict(delivery: Delivery, how: number): Verdict {
    const hold = (over: Partial<Hold>): Verdict => ({
      delivery, is: 'hold', hold: { why: 'retry', until: this.clock.wall() + 400, then: 'release', attempt: delivery.attempt, ...over },
    })
    if (how === 0) return hold({})
    if (how === 1) return hold({ why: 'dead', until: 'decided' })
    if (how === 2) return hold({ why: 'lent', until: this.clock.wall() + 1_500, token: `${delivery.message.id}-${delivery.attempt}` })
    if (how === 3) return { delivery, is: 'back' }
    return { delivery, is: 'done' }
  }

  async #engine(): Promise<MemoryEngine> {
    const engine = memory({ store: this.#store, clock: this.clock })
    await engine.open()
    return engine
  }
}

const process = fc.nat(1)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const), key: fc.nat(11), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('lease' as const), process, max: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('settle' as const), process, which: fc.nat(9), how: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const), to: fc.constantFrom('release' as const, 'drop' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(2_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), process }) },
)

const move = fc.record({ do: fc.constant('seek' as const), offset: fc.nat(30) })
type Step = (typeof step extends fc.Arbitrary<infer T> ? T : never) | (typeof move extends fc.Arbitrary<infer T> ? T : never)

async function run(world: World, steps: readonly Step[]): Promise<void> {
  // What is read again after a move is counted again.
  const counts = !steps.some((each) => each.do === 'seek')
  await world.start()
  for (const each of steps) {
    if (each.do === 'seek') await world.seek(each.offset)
    if (each.do === 'publish') await world.publish(each.key, each.count)
    if (each.do === 'lease') await world.lease(each.process, each.max)
    if (each.do === 'settle') await world.settle(each.process, each.which, each.how)
    if (each.do === 'answer') await world.answerLoan(each.to)
    if (each.do === 'pass') await world.clock.advance(each.ms)
    if (each.do === 'kill') await world.kill(each.process)
    if (counts) await world.conserves()
  }
  await world.drain()
  if (counts) await world.conserves()
}

describe('memory engine, whatever happens', () => {
  it.each([true, false])('loses nothing, counts everything once and comes to rest, keys parked: %s', async (park) => {
    const whatever = fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => run(new World(park), steps))
    await expect(fc.assert(whatever, { numRuns: 50 })).resolves.toBeUndefined()
  })

  it('comes to rest also when the group is moved back and forth', async () => {
    const steps = fc.array(fc.oneof({ weight: 20, arbitrary: step }, { weight: 1, arbitrary: move }), { maxLength: 80, size: 'max' })
    const whatever = fc.asyncProperty(steps, fc.boolean(), (each, park) => run(new World(park), each))
    await expect(fc.assert(whatever, { numRuns: 50 })).resolves.toBeUndefined()
  })
})
