import { describe, expect, test } from 'vitest'
import { topic } from '../broker/index.js'
import { memory } from '../engines/memory/index.js'
import { chaosEngine, seeded } from './chaos-engine.js'
import { HandClock } from './hand-clock.js'
import { testKit } from './test-kit.js'

const plain = topic<number>('plain', { partitions: 2 })

describe('the test kit', () => {
  test('knows when everything was worked off, what was published, and what died', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    const seen: number[] = []
    kit.mill.consume(plain, 'g', async ({ value }) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (value === 3) throw new Error('three')
      seen.push(value)
    }, { retry: [{ deadLetter: true }] })
    await kit.mill.sendMany(plain, [1, 2, 3, 4].map((value) => ({ value })))
    await kit.idle()
    expect(seen.sort()).toEqual([1, 2, 4])
    expect((await kit.published(plain)).map(({ value }) => value).sort()).toEqual([1, 2, 3, 4])
    expect((await kit.deadLetters()).map(({ value }) => value)).toEqual([3])
    expect(kit.troubles).toEqual([])
  })

  test('says what is still to do when it gives up', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    await kit.mill.groups.create(plain, 'idle')
    await kit.mill.send(plain, 1)
    await expect(kit.idle({ timeoutMs: 1 })).rejects.toThrow('group idle of topic plain has 1 ready and 0 in hand')
    await expect(kit.until(() => false, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })
})

describe('the chaos engine', () => {
  async function troubled() {
    const clock = new HandClock()
    const chaos = chaosEngine(memory({ clock }), { clock })
    const kit = testKit({ clock, engine: chaos })
    await kit.mill.topics.ensure(plain)
    return { kit, chaos }
  }

  test('troubles the calls it was told to, and no other', async () => {
    const { kit, chaos } = await troubled()
    chaos.trouble('publish', { is: 'fail', error: new Error('second') }, { nth: 2 })
    await kit.mill.send(plain, 1)
    await expect(kit.mill.send(plain, 2)).rejects.toThrow('second')
    await kit.mill.send(plain, 3)
    expect(chaos.calls('publish')).toBe(3)
    expect(await kit.published(plain)).toHaveLength(2)
    await kit.close()
  })

  test('tells an answer that was lost from a call that never happened only in the store', async () => {
    const { kit, chaos } = await troubled()
    chaos.trouble('publish', { is: 'lose-answer' }).trouble('publish', { is: 'unknown' }, { nth: 2 })
    const codes = []
    for (const value of [1, 2]) codes.push(await kit.mill.send(plain, value).catch((error: { code: string }) => error.code))
    expect(codes).toEqual(['UNKNOWN_OUTCOME', 'UNKNOWN_OUTCOME'])
    expect((await kit.published(plain)).map(({ value }) => value)).toEqual([1])
    await kit.close()
  })

  test('delays by the clock', async () => {
    const { kit, chaos } = await troubled()
    chaos.trouble('publish', { is: 'delay', ms: 500 })
    let isSent = false
    void kit.mill.send(plain, 1).then(() => (isSent = true))
    await kit.clock.advance(499)
    expect(isSent).toBe(false)
    await kit.clock.advance(1)
    expect(isSent).toBe(true)
    await kit.close()
  })

  test('is calm when told to be, and its random numbers are the same for the same seed', async () => {
    const { kit, chaos } = await troubled()
    chaos.randomly(1, [{ is: 'fail' }]).calm()
    await kit.mill.send(plain, 1)
    const numbers = (seed: number): number[] => Array.from({ length: 5 }, seeded(seed))
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
    await kit.close()
  })
})
