import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded } from './index.js'
import { type OtherProcess, Processes } from './processes.harness.js'

let processes: Processes
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
})
afterEach(() => processes.end())

/** Every id in the topic, partition by partition. */
async function logOf(engine: Engine, topic: string): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await engine.browse({ topic, from: 'start', limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
  }
  return ids
}

function storedBy(all: readonly OtherProcess[]): string[] {
  return all.flatMap((other) => other.all('stored').flatMap(({ ids }) => ids))
}

/** Resolves when the process has been told of so many answers to its publishes. */
function storedBatches(other: OtherProcess, batches: number): Promise<unknown> {
  let left = batches - other.all('stored').length
  return other.heard('stored', () => (left -= 1) < 0)
}

describe('a process that is killed while it publishes', () => {
  // What it does next when it is killed differs with batch size, calls under way and how long it ran.
  const kills = [
    { batch: 1, underWay: 1, after: 3 },
    { batch: 1, underWay: 8, after: 25 },
    { batch: 50, underWay: 2, after: 7 },
    { batch: 400, underWay: 4, after: 2 },
    { batch: 7, underWay: 3, after: 60 },
    { batch: 1_000, underWay: 1, after: 1 },
  ]
  for (const durability of ['os', 'fsync'] as const) {
    it(`loses nothing that was answered, stores nothing twice, and leaves a store that opens by itself, at ${durability}`, async () => {
      const all: OtherProcess[] = []
      for (const [run, { batch, underWay, after }] of kills.entries()) {
        const other = await processes.open({ durability })
        all.push(other)
        if (run === 0) await other.call('createTopic', { name: 't', partitions: 3, keep: {} })
        await other.call('flood', { topic: 't', partitions: 3, batch, underWay, prefix: `run${run}` })
        await storedBatches(other, after)
        await other.kill()
      }
      const engine = guard(embedded({ ...processes.options, durability }))
      await engine.open()
      const there = await logOf(engine, 't')
      await engine.close()
      expect(new Set(there).size).toBe(there.length)
      expect(storedBy(all).filter((id) => !new Set(there).has(id))).toEqual([])
    })
  }

  it('never blocks the writer: another goes on publishing, however often one is killed in a burst', async () => {
    const engine = guard(embedded(processes.options))
    await engine.open()
    const publish = (id: string) => engine.publish([processes.draft('t', { id })])
    const first = await processes.open()
    await first.call('createTopic', { name: 't', partitions: 2, keep: {} })
    await first.kill()
    const all: OtherProcess[] = []
    for (let round = 0; round < 8; round += 1) {
      const other = await processes.open()
      all.push(other)
      await other.call('flood', { topic: 't', partitions: 2, batch: 100 + round * 50, underWay: 4, prefix: `burst${round}` })
      await storedBatches(other, 1 + (round % 4))
      const between = publish(`between-${round}`)
      await other.kill()
      expect(await between).toEqual([{ ok: expect.objectContaining({ id: `between-${round}` }) }])
      expect(await publish(`after-${round}`)).toEqual([{ ok: expect.objectContaining({ id: `after-${round}` }) }])
    }
    const there = new Set(await logOf(engine, 't'))
    expect(storedBy(all).filter((id) => !there.has(id))).toEqual([])
    await engine.close()
  })
})

describe('a process that ends itself while it publishes', () => {
  it('finishes its commit first, so that it ends and another goes on publishing', async () => {
    const engine = guard(embedded(processes.options))
    await engine.open()
    const first = await processes.open()
    await first.call('createTopic', { name: 't', partitions: 2, keep: {} })
    await first.kill()
    for (let round = 0; round < 6; round += 1) {
      const other = await processes.open()
      await other.call('flood', { topic: 't', partitions: 2, batch: 300, underWay: 8, prefix: `exit${round}` })
      await storedBatches(other, 1 + round)
      // Its answer may not get out any more.
      other.call('exit', 3 * round).catch(() => undefined)
      expect(await other.exited).toEqual({ code: 7, signal: null })
      expect(await engine.publish([processes.draft('t', { id: `after-${round}` })])).toEqual([{ ok: expect.objectContaining({ id: `after-${round}` }) }])
    }
    await engine.close()
  })
})
