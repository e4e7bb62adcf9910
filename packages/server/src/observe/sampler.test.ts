import type { Census } from 'millrace'
import { HandClock } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { Sampler } from './sampler.js'

function counts(clock: HandClock, published: Record<string, number>): Census {
  return {
    at: clock.wall(),
    topics: Object.entries(published).map(([topic, sent]) => ({
      topic,
      published: sent,
      messages: sent,
      bytes: 0,
      delayed: 0,
      prepared: 0,
      groups: [],
      partitions: [{ partition: 0, start: 0n, end: BigInt(sent), published: sent, messages: sent, bytes: 0 }],
    })),
  }
}

async function sampling(published: Record<string, number>) {
  const clock = new HandClock()
  let looks = 0
  const sampler = new Sampler(() => {
    looks += 1
    return Promise.resolve(counts(clock, published))
  }, clock)
  await sampler.start()
  return { clock, sampler, published, looks: () => looks }
}

describe('rates', () => {
  test('are what was sent over the time that passed', async () => {
    const { clock, sampler, published } = await sampling({ a: 1_000 })
    published['a'] = 1_100
    await clock.advance(10_000)
    expect((await sampler.now()).rate('a', undefined, 3_600_000)).toBe(10)
    expect((await sampler.now()).rate('a', 0, 3_600_000)).toBe(10)
  })

  test('look no further back than they are asked to', async () => {
    const { clock, sampler, published } = await sampling({ a: 0 })
    published['a'] = 6_000
    for (let tick = 0; tick < 24; tick += 1) await clock.advance(5_000)
    expect((await sampler.now()).rate('a', undefined, 120_000)).toBe(50)
    expect((await sampler.now()).rate('a', undefined, 60_000)).toBe(0)
  })

  test('of a new topic count from nothing', async () => {
    const { clock, sampler, published } = await sampling({})
    published['b'] = 50
    await clock.advance(1_000)
    expect((await sampler.now()).rate('b', undefined, 3_600_000)).toBe(50)
  })

  test('of a topic that was made again do not go below nothing', async () => {
    const { clock, sampler, published } = await sampling({ a: 500 })
    published['a'] = 10
    await clock.advance(5_000)
    expect((await sampler.now()).rate('a', undefined, 3_600_000)).toBe(0)
    published['a'] = 60
    await clock.advance(5_000)
    expect((await sampler.now()).rate('a', undefined, 3_600_000)).toBe(10)
  })

  test('of a topic that nobody knows are nothing', async () => {
    const { sampler } = await sampling({})
    expect((await sampler.now()).rate('x', undefined, 1_000)).toBe(0)
  })
})

test('the engine counts once for many who ask at the same time', async () => {
  const { clock, sampler, looks } = await sampling({ a: 1 })
  await clock.advance(1_000)
  const before = looks()
  await Promise.all(Array.from({ length: 20 }, () => sampler.census()))
  expect(looks()).toBe(before + 1)
})
