import { describe, expect, test } from 'vitest'
import { currentUnit, runUnit } from '../core/index.js'
import { memory, memoryStore } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit } from '../testing/index.js'
import { topic } from './topic-contract.js'

const orders = topic<{ readonly id: number }>('orders', { partitions: 1 })
const options = { producerGroup: 'shop' }

async function opened() {
  const clock = new HandClock()
  const chaos = chaosEngine(memory({ clock }), { clock })
  const kit = { ...testKit({ clock, engine: chaos }), chaos }
  await kit.mill.topics.ensure(orders)
  return kit
}

describe('a transaction', () => {
  test('whose work succeeds is read once committed, and not before', async () => {
    await using kit = await opened()
    const done = await kit.mill.transaction(orders, { id: 1 }, options, async (unit) => {
      expect(unit).toBe(currentUnit())
      expect(unit.inTransaction).toBe(true)
      expect(await kit.published(orders)).toEqual([])
      return 'paid'
    })
    expect(done).toMatchObject({ result: 'paid', outcome: 'committed' })
    expect(await kit.published(orders)).toMatchObject([{ id: done.id, value: { id: 1 }, kind: 'transaction' }])
  })

  test('whose work throws is rolled back and compensated, and the error goes on', async () => {
    await using kit = await opened()
    const undone: unknown[] = []
    const error = new Error('card refused')
    await expect(kit.mill.transaction(orders, { id: 1 }, { ...options, compensate: (why) => void undone.push(why) }, () => Promise.reject(error))).rejects.toBe(error)
    expect(undone).toEqual([error])
    await kit.clock.advance(3_600_000)
    expect(await kit.published(orders)).toEqual([])
  })

  test('whose commit is not answered has still succeeded, and a check-back decides it', async () => {
    await using kit = await opened()
    const asked: unknown[] = []
    await kit.mill.answers('shop', ({ id, value }) => {
      asked.push([id, value])
      return 'commit'
    })
    kit.chaos.trouble('decide', { is: 'unknown' })
    expect(await kit.mill.transaction(orders, { id: 1 }, { ...options, id: 'order-1' }, async () => 'paid')).toMatchObject({ result: 'paid', outcome: 'pending' })
    expect(await kit.published(orders)).toEqual([])
    await kit.clock.advance(6_001)
    await kit.until(() => asked.length === 1)
    await kit.clock.advance(1)
    expect(asked).toEqual([['order-1', { id: 1 }]])
    expect(await kit.published(orders)).toHaveLength(1)
  })

  test('inside another follows it: committed after the outer commit, and not when that fails', async () => {
    await using kit = await opened()
    await runUnit({}, async () => {
      const unit = currentUnit()
      await unit?.transaction(async () => {
        expect(await kit.mill.transaction(orders, { id: 1 }, options, async () => 1)).toMatchObject({ outcome: 'pending' })
        expect(await kit.published(orders)).toEqual([])
      })
      expect(await kit.published(orders)).toHaveLength(1)
      const failing = unit?.transaction(async () => {
        await kit.mill.transaction(orders, { id: 2 }, options, async () => 1)
        throw new Error('outer')
      })
      await expect(failing).rejects.toThrow('outer')
    })
    expect(await kit.published(orders)).toHaveLength(1)
  })
})

describe('a prepared message that nobody decides', () => {
  test('is asked about on any instance of its producer group, until somebody knows', async () => {
    const clock = new HandClock()
    const store = memoryStore()
    const one = testKit({ clock, engine: memory({ clock, store }) })
    const other = testKit({ clock, engine: memory({ clock, store }) })
    await one.mill.topics.ensure(orders)
    await one.mill.prepare(orders, { id: 1 }, options)
    await one.close()
    const lefts: number[] = []
    await other.mill.answers('shop', ({ checksLeft }) => {
      lefts.push(checksLeft)
      return lefts.length < 3 ? 'unknown' : 'commit'
    })
    await clock.advance(5_999)
    expect(lefts).toEqual([])
    await clock.advance(61_000)
    expect(lefts).toHaveLength(3)
    expect(await other.published(orders)).toHaveLength(1)
    await other.close()
  })

  test('is rolled back when the checker says so, compensated before that counts', async () => {
    await using kit = await opened()
    const undone: string[] = []
    await kit.mill.answers('shop', () => 'rollback', {
      compensate: ({ id }) => {
        undone.push(id)
        if (undone.length === 1) throw new Error('not now')
      },
    })
    await kit.mill.prepare(orders, { id: 1 }, { ...options, id: 'x' })
    await kit.clock.advance(6_001)
    expect(undone).toEqual(['x'])
    await kit.clock.advance(30_000)
    expect(undone).toEqual(['x', 'x'])
    await kit.clock.advance(3_600_000)
    expect(undone).toHaveLength(2)
    expect(await kit.published(orders)).toEqual([])
  })

  test('is parked when its questions are used up, never lost, and can still be decided', async () => {
    await using kit = await opened()
    let asked = 0
    await kit.mill.answers('shop', () => {
      asked += 1
      throw new Error('database is down')
    })
    const prepared = await kit.mill.prepare(orders, { id: 1 }, { ...options, checks: 3, immunityMs: 1_000, everyMs: 2_000 })
    await kit.clock.advance(3_600_000)
    expect(asked).toBe(3)
    expect(await prepared.commit()).toBe('done')
    expect(await prepared.commit()).toBe('gone')
    expect(await prepared.rollback()).toBe('gone')
    expect(await kit.published(orders)).toHaveLength(1)
  })
})
