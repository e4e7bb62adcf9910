import { describe, expect, test } from 'vitest'
import { MillraceError } from '../core/index.js'
import type { Engine, JoinRequest, Membership } from '../engine/index.js'
import { memory } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit } from '../testing/index.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const numbers = topic<number>('numbers', { key: (n) => String(n % 5), partitions: 2 })
const items = (count: number): { value: number }[] => Array.from({ length: count }, (_, value) => ({ value }))

function troubled(seed = 1) {
  const clock = new HandClock()
  const chaos = chaosEngine(memory({ clock }), { clock, seed })
  return { ...testKit({ clock, engine: chaos }), chaos }
}

/** Lets time pass until nothing is left to do. */
async function worn(kit: ReturnType<typeof troubled>, done: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !done(); round += 1) await kit.clock.advance(500)
}

describe('a dead letter that cannot be stored', () => {
  for (const trouble of ['fail', 'unknown', 'lose-answer'] as const) {
    test(`never lets its source be acknowledged (${trouble}), and is stored once when it can be`, async () => {
      const kit = troubled()
      await kit.mill.topics.ensure(numbers)
      kit.chaos.trouble('settle', { is: trouble }, { times: 4 })
      await kit.mill.send(numbers, 1)
      let runs = 0
      kit.mill.consume(numbers, 'g', (_, { deadLetter }) => {
        runs += 1
        deadLetter('no')
      })
      await kit.until(() => kit.chaos.calls('settle') === 1)
      const [before] = await kit.mill.groups.list(numbers)
      expect(before?.settled).toBe(0)
      await kit.clock.advance(10_000)
      await kit.idle()
      expect(runs).toBe(1)
      expect(await kit.deadLetters()).toHaveLength(1)
      expect(await kit.mill.groups.list(numbers)).toMatchObject([{ dead: 1, leased: 0, ready: 0 }])
      await kit.close()
    })
  }
})

test('a verdict whose answer was lost says nothing of the partition: what runs there goes on', async () => {
  const kit = troubled()
  const one = topic<number>('one', { key: String, partitions: 1 })
  await kit.mill.topics.ensure(one)
  const seen: string[] = []
  let finish: (() => void) | undefined
  kit.mill.consume(one, 'g', async ({ value }, { signal }) => {
    seen.push(String(value))
    signal.addEventListener('abort', () => seen.push(`${value} aborted`))
    if (value === 2) await new Promise<void>((resolve) => (finish = resolve))
  })
  kit.chaos.trouble('settle', { is: 'lose-answer' }, { times: 2 })
  await kit.mill.sendMany(one, [{ value: 1 }, { value: 2 }])
  await kit.until(() => kit.chaos.calls('settle') === 1)
  await kit.clock.advance(5_000)
  expect(kit.chaos.calls('settle')).toBe(3)
  finish?.()
  await kit.idle()
  expect(seen).toEqual(['1', '2'])
  expect(await kit.mill.groups.list(one)).toMatchObject([{ settled: 2 }])
  await kit.close()
})

describe('an engine in trouble', () => {
  test('that fails to lease is asked again, less and less often, and each failure is told', async () => {
    const kit = troubled()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1)
    kit.chaos.trouble('lease', { is: 'fail', error: new Error('no lease today') }, { times: 5 })
    const told: unknown[] = []
    const seen: number[] = []
    const consumer = kit.mill.consume(numbers, 'g', ({ value }) => void seen.push(value), { onError: (error) => told.push(error) })
    await consumer.ready
    await kit.clock.advance(100)
    expect(kit.chaos.calls('lease')).toBeLessThan(4)
    await kit.clock.advance(10_000)
    await kit.idle()
    expect(seen).toEqual([1])
    expect(told).toHaveLength(5)
    expect(kit.troubles).toEqual([])
    await kit.close()
  })

  test('that fails to join is asked again until it can be joined', async () => {
    const kit = troubled()
    await kit.mill.topics.ensure(numbers)
    kit.chaos.trouble('join', { is: 'fail' }, { times: 3 })
    const seen: number[] = []
    const consumer = kit.mill.consume(numbers, 'g', ({ value }) => void seen.push(value))
    await kit.mill.send(numbers, 1)
    expect(consumer.state).toBe('joining')
    await kit.clock.advance(5_000)
    await consumer.ready
    await kit.idle()
    expect(seen).toEqual([1])
    await kit.close()
  })

  test('that says the member is over: everything in hand is aborted, and it joins anew', async () => {
    const kit = troubled()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1)
    const signals: AbortSignal[] = []
    const consumer = kit.mill.consume(numbers, 'g', async (_, { signal }) => {
      signals.push(signal)
      if (signals.length === 1) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    }, { leaseMs: 1_000 })
    await kit.until(() => signals.length === 1)
    kit.chaos.trouble('lease', { is: 'fail', error: new MillraceError('LAPSED', 'the member is over') })
    await kit.mill.send(numbers, 6)
    await kit.until(() => signals[0]?.aborted ?? false)
    await kit.clock.advance(20_000)
    await kit.until(() => signals.length >= 3)
    await kit.idle()
    expect(consumer.state).toBe('running')
    expect(kit.troubles).toMatchObject([{ code: 'LAPSED' }])
    await kit.close()
  })

  test('that has died ends its consumers, which say so once', async () => {
    const clock = new HandClock()
    const engine = memory({ clock })
    const kit = testKit({ clock, engine })
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1)
    const aborted: unknown[] = []
    const consumer = kit.mill.consume(numbers, 'g', (_, { signal }) => new Promise(() => signal.addEventListener('abort', () => aborted.push(signal.reason))))
    await kit.until(() => consumer.inHand === 1)
    await engine.die()
    await clock.advance(2_000)
    expect([consumer.state, consumer.inHand]).toEqual(['failed', 0])
    expect(kit.troubles).toMatchObject([{ code: 'CLOSED' }])
    expect(aborted).toMatchObject([{ code: 'CLOSED' }])
    await clock.advance(60_000)
    expect(kit.troubles).toHaveLength(1)
    await consumer.close()
    expect(consumer.state).toBe('failed')
  })

  test('that is closed when a verdict is handed in ends its consumer, which does not try again', async () => {
    const kit = troubled()
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1)
    kit.chaos.trouble('settle', { is: 'fail', error: new MillraceError('CLOSED', 'closed behind its back') }, { times: 99 })
    const consumer = kit.mill.consume(numbers, 'g', () => undefined)
    await kit.until(() => consumer.state === 'failed')
    await kit.clock.advance(60_000)
    expect(kit.chaos.calls('settle')).toBe(1)
    expect(kit.troubles).toMatchObject([{ code: 'CLOSED' }])
    await kit.close()
  })

  test('that cannot take the keeper yet is asked again', async () => {
    const kit = troubled()
    kit.chaos.trouble('keep', { is: 'fail' }, { times: 2 })
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1, { delayMs: 60_000 })
    await kit.clock.advance(61_000)
    expect(await kit.published(numbers)).toHaveLength(1)
    await kit.close()
  })

  test('that fails to open is opened at the next use', async () => {
    const kit = troubled()
    kit.chaos.trouble('open', { is: 'fail', error: new MillraceError('STORE_BUSY', 'somebody is in there') })
    await expect(kit.mill.topics.ensure(numbers)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    await kit.mill.topics.ensure(numbers)
    await kit.mill.send(numbers, 1)
    await kit.close()
  })

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`at random (seed ${seed}) loses nothing that was answered, keeps each key’s order, and comes to rest`, async () => {
      const kit = troubled(seed)
      await kit.mill.topics.ensure(numbers)
      kit.chaos.randomly(0.3, [{ is: 'fail' }, { is: 'unknown' }, { is: 'lose-answer' }, { is: 'delay', ms: 50 }])
      const first = new Map<string, number[]>()
      const failed = new Set<number>()
      kit.mill.consume(numbers, 'g', ({ value, key }) => {
        if (value % 7 === 0 && !failed.has(value)) {
          failed.add(value)
          throw new Error('once')
        }
        const seen = first.get(key ?? '') ?? []
        if (!seen.includes(value)) first.set(key ?? '', [...seen, value])
      }, { retry: fixed({ attempts: 9, everyMs: 20 }), concurrency: 4, prefetch: 16 })
      const stored: number[] = []
      for (const { value } of items(100)) {
        let isAnswered = false
        void kit.mill.send(numbers, value).then(
          () => (stored.push(value), (isAnswered = true)),
          () => (isAnswered = true),
        )
        while (!isAnswered) await kit.clock.advance(60)
      }
      kit.chaos.calm()
      await worn(kit, () => stored.every((value) => first.get(String(value % 5))?.includes(value)))
      await kit.clock.advance(60_000)
      await kit.idle()
      expect(stored.length).toBeGreaterThan(30)
      for (const value of stored) expect(first.get(String(value % 5))).toContain(value)
      for (const seen of first.values()) expect(seen).toEqual([...seen].sort((one, other) => one - other))
      await kit.close()
    })
  }
})

test('a consumer’s own troubles never reach another, and an onError that throws stops nothing', async () => {
  const kit = troubled()
  await kit.mill.topics.ensure(numbers)
  kit.chaos.trouble('lease', { is: 'fail' }, { times: 2 })
  const seen: number[] = []
  kit.mill.consume(numbers, 'g', ({ value }) => void seen.push(value), {
    onError: () => {
      throw new Error('even this')
    },
  })
  await kit.mill.send(numbers, 1)
  await kit.clock.advance(5_000)
  await kit.idle()
  expect(seen).toEqual([1])
  await kit.close()
})

/** An engine whose members are as `change` makes them. */
function withMembers(engine: Engine, change: (membership: Membership) => Partial<Membership>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      if (name === 'join') {
        return async (request: JoinRequest) => {
          const membership = await target.join(request)
          const same: Membership = { lease: (ask) => membership.lease(ask), settle: (verdicts) => membership.settle(verdicts), leave: () => membership.leave() }
          return { ...same, ...change(membership) }
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

describe('a retry whose answer was lost and which came again meanwhile', () => {
  /** The first verdict counts, and its answer waits until it is let go, and is lost; from then on what is leased waits too. */
  function slow(leasesWait: boolean) {
    const clock = new HandClock()
    const gates = { answer: (): void => undefined, lease: (): void => undefined }
    const held = { answer: false, leases: 0 }
    const engine = withMembers(memory({ clock }), (membership) => ({
      async lease(ask) {
        const deliveries = await membership.lease(ask)
        if (leasesWait && held.answer && held.leases === 0 && deliveries.length > 0) {
          held.leases += 1
          await new Promise<void>((resolve) => (gates.lease = resolve))
        }
        return deliveries
      },
      async settle(verdicts) {
        const outcomes = await membership.settle(verdicts)
        if (held.answer) return outcomes
        held.answer = true
        await new Promise<void>((resolve) => (gates.answer = resolve))
        return outcomes.map(() => 'unknown')
      },
    }))
    return { ...testKit({ clock, engine }), gates, held }
  }

  for (const leasesWait of [false, true]) {
    test(`is not taken out of the hands that have it (${leasesWait ? 'leased, and on its way here' : 'running here'})`, async () => {
      const kit = slow(leasesWait)
      await kit.mill.topics.ensure(numbers)
      await kit.mill.send(numbers, 1)
      const runs: number[] = []
      let finish: (() => void) | undefined
      kit.mill.consume(numbers, 'g', async (_, { attempt }) => {
        runs.push(attempt)
        if (attempt === 1) throw new Error('once')
        await new Promise<void>((resolve) => (finish = resolve))
      }, { retry: [{ when: 'later', retry: fixed({ attempts: 9, everyMs: 10 }) }] })
      await kit.until(() => kit.held.answer)
      await kit.clock.advance(20)
      expect([runs.length, kit.held.leases]).toEqual(leasesWait ? [1, 1] : [2, 0])
      kit.gates.answer()
      await kit.clock.advance(5_000)
      kit.gates.lease()
      await kit.until(() => runs.length === 2)
      await kit.clock.advance(5_000)
      finish?.()
      await kit.idle()
      expect(runs).toEqual([1, 2])
      expect(await kit.mill.groups.list(numbers)).toMatchObject([{ settled: 1, retrying: 0 }])
      await kit.close()
    })
  }
})

test('an engine that leases nothing when asked is asked no more often than it rings or a second passes', async () => {
  const clock = new HandClock()
  let leases = 0
  const engine = withMembers(memory({ clock }), () => ({
    lease: async () => {
      leases += 1
      return []
    },
  }))
  const kit = testKit({ clock, engine })
  await kit.mill.topics.ensure(numbers)
  await kit.mill.consume(numbers, 'g', () => undefined).ready
  await clock.advance(10_000)
  expect(leases).toBeLessThan(15)
  await kit.close()
})
