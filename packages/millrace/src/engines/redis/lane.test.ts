import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.js'
import type { Published } from '../../engine/engine.js'
import { type OwnRedis, ownRedis } from './clients/servers.harness.js'
import { Bench, draft, logOf } from './engine.harness.js'
import { Lane } from './lane.js'
import type { RedisFailure } from './port.js'
import type { RedisEngine } from './redis.js'
import { RedisStore } from './store.js'
import type { Writes } from './writes.js'

const longMs = 60_000
let server: OwnRedis | { readonly missing: string }
let bench: Bench
let engine: RedisEngine
let store: RedisStore
beforeAll(async () => void (server = await ownRedis({})), longMs)
afterAll(async () => {
  if ('stop' in server) await server.stop()
})
beforeEach(async (context) => {
  if ('missing' in server) {
    context.skip(server.missing)
    return
  }
  bench = new Bench(server.url)
  engine = await bench.engineWith()
  store = new RedisStore({ client: await bench.client(), clock: systemClock, prefix: bench.prefix, report: () => undefined }, { changed: () => undefined, restore: async () => undefined })
  await store.open()
})
afterEach(async () => {
  await store.close()
  await bench.close()
})

const lost: RedisFailure = Object.assign(new Error('the connection was lost'), { became: 'unknown' as const, code: 'CONNECTION' })

type Run = Writes['run']

/** A lane whose runs go through `around`: by the number of the run, from 0. */
function laneThrough(around: (run: () => ReturnType<Run>, index: number) => ReturnType<Run>): { readonly send: (...values: readonly string[]) => Promise<Published>[]; readonly runs: () => number } {
  let runs = 0
  const writes: Pick<Writes, 'run'> = { run: (...args) => around(() => store.writes.run(...args), runs++) }
  const lane = new Lane(
    {
      instance: store.instance, clock: systemClock, writes, publishes: 'PUBLISH',
      part: (topic, partition) => store.part(topic, partition), known: (topic) => store.known(topic), idle: () => [], heal: (topic, partition) => store.heal(topic, partition), came: () => undefined,
    },
    { topic: 't', partition: 0, confirmation: undefined, name: 'lane' },
  )
  const send = (...values: readonly string[]): Promise<Published>[] => {
    const answers = values.map((value) => new Promise<Published>((resolve) => lane.add({ draft: draft(value), end: resolve })))
    lane.flush()
    return answers
  }
  return { send, runs: () => runs }
}

describe('a lane', { timeout: longMs }, () => {
  it('sends a batch again whose answer was lost, and it is stored once and answered with its place', async () => {
    const { send, runs } = laneThrough(async (run, index) => {
      const written = await run()
      if (index === 0) throw lost
      return written
    })
    const answers = await Promise.all([...send('a', 'b'), ...send('c')])
    expect(runs()).toBe(3)
    const { items } = await engine.browse({ topic: 't', from: 'start', limit: 9 })
    expect(items.map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
    expect(answers.map((answer) => 'ok' in answer && answer.ok.offset)).toEqual(items.map(({ offset }) => offset))
  })

  it('keeps the order when a batch got lost on its way: those behind it wait until it is there', async () => {
    const { send, runs } = laneThrough(async (run, index) => {
      if (index === 0) throw lost
      return run()
    })
    const answers = await Promise.all([...send('a'), ...send('b'), ...send('c')])
    expect(answers.every((answer) => 'ok' in answer)).toBe(true)
    expect(await logOf(engine)).toEqual(['a', 'b', 'c'])
    expect(runs()).toBeGreaterThan(3)
  })

  it('says what may have become of a batch that never got an answer', async () => {
    const refused: RedisFailure = Object.assign(new Error('NOPERM this user has no permissions'), { became: 'refused' as const, code: 'NOPERM' })
    const { send } = laneThrough(async (run, index) => {
      await run()
      throw index === 0 ? lost : refused
    })
    const [answer] = await Promise.all(send('a'))
    expect(answer).toMatchObject({ stored: 'unknown' })
  })

  it('goes on with a topic that was removed and made again', async () => {
    const { send } = laneThrough((run) => run())
    await Promise.all(send('old'))
    const config = (await engine.topics.list())[0]!
    await engine.topics.remove('t')
    await engine.topics.create(config)
    const [answer] = await Promise.all(send('new'))
    expect(answer).toMatchObject({ ok: { partition: 0 } })
    expect(await logOf(engine)).toEqual(['new'])
  })

  it('stores nothing in a topic that was removed', async () => {
    const { send } = laneThrough((run) => run())
    await Promise.all(send('old'))
    await engine.topics.remove('t')
    const [answer] = await Promise.all(send('late'))
    expect(answer).toMatchObject({ stored: 'no', error: { code: 'UNKNOWN_TOPIC' } })
    expect(await (await bench.client()).command(['EXISTS', store.part('t', 0).log])).toBe(0)
  })
})
