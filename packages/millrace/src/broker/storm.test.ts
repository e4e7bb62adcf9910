import { expect, test } from 'vitest'
import { memory, memoryStore } from '../engines/memory/index.js'
import { chaosEngine, HandClock, seeded, testKit } from '../testing/index.js'
import type { Consumer } from './consumer.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const steps = topic<{ readonly key: string; readonly n: number }>('steps', { key: ({ key }) => key, partitions: 6 })
const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)

for (const batched of [false, true]) {
  for (const seed of [1, 2, 3, 4]) {
    test(`members come and go while keys are in flight (${batched ? 'batches' : 'messages'}, seed ${seed}): order holds, nobody works on a key that another works on, nothing is lost`, async () => {
      const clock = new HandClock()
      const store = memoryStore()
      const random = seeded(seed)
      const engine = () => chaosEngine(memory({ clock, store }), { clock, seed }).randomly(0.1, [{ is: 'lose-answer' }, { is: 'unknown' }, { is: 'delay', ms: 30 }], ['lease', 'settle'])
      const kits = [testKit({ clock, engine: engine() }), testKit({ clock, engine: engine() }), testKit({ clock, engine: engine() })]
      const [first] = kits
      await first?.mill.topics.ensure(steps)
      const finished = new Map<string, number[]>()
      const working = new Map<string, AbortSignal>()
      const overlaps: string[] = []

      const work = async (key: string, n: number, signal: AbortSignal, ms: number): Promise<void> => {
        const other = working.get(key)
        if (other && !other.aborted) overlaps.push(`${key} ${n}`)
        working.set(key, signal)
        await new Promise<void>((resolve) => void clock.after(ms, resolve))
        if (working.get(key) === signal) working.delete(key)
        const done = finished.get(key) ?? []
        if (!signal.aborted && !done.includes(n)) finished.set(key, [...done, n])
      }
      const join = (): Consumer => {
        const kit = kits[Math.floor(random() * kits.length)] ?? testKit({ clock })
        if (!batched) {
          return kit.mill.consume(steps, 'g', async ({ value: { key, n }, attempt }, { signal }) => {
            if (n % 9 === 0 && attempt === 1) throw new Error('once')
            await work(key, n, signal, Math.floor(random() * 40))
          }, { retry: fixed({ attempts: 20, everyMs: 25 }), concurrency: 8, prefetch: 40, drainMs: 500 })
        }
        return kit.mill.consumeBatch(steps, 'g', async (messages, { signal }) => {
          for (const { value: { key, n } } of messages) await work(key, n, signal, 2)
        }, { concurrency: 3, maxBatch: 10, drainMs: 500 })
      }

      const consumers = [join(), join()]
      for (let n = 0; n < 30; n += 1) {
        const sent = first?.mill.sendMany(steps, keys.map((key) => ({ value: { key, n } })))
        await clock.advance(50)
        await sent
        if (random() < 0.3 && consumers.length > 1) void consumers.shift()?.close({ deadlineMs: 200 })
        if (random() < 0.35) consumers.push(join())
      }
      const isWorkedOff = (): boolean => keys.every((key) => finished.get(key)?.length === 30)
      for (let round = 0; round < 300 && !isWorkedOff(); round += 1) await clock.advance(500)
      expect(overlaps).toEqual([])
      for (const key of keys) expect(finished.get(key)).toEqual(Array.from({ length: 30 }, (_, n) => n))
      const closing = kits.map((kit) => kit.close())
      await clock.advance(10_000)
      await Promise.all(closing)
    })
  }
}
