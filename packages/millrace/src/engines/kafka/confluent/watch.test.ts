import { describe, expect, it } from 'vitest'
import { HandClock } from '../../../testing/hand-clock.js'
import { Place } from './place.js'
import { Watch } from './watch.js'

/** A topic of one partition that is read at place 650, and what a cluster says of it. */
function watched() {
  const clock = new HandClock()
  const place = new Place('orders', 0, 650n)
  place.native = 'flowing'
  const losses: string[] = []
  const says = { partitions: 1 as number | undefined, end: 650n }
  const admin = {
    partitionsOf: async () => says.partitions,
    bounds: async () => [{ partition: 0, start: 0n, end: says.end }],
    logEnds: async () => [says.end],
  }
  const none = (): void => undefined
  const watch = new Watch(clock, admin, { places: () => [place], outMs: () => 0, lost: (_, why) => losses.push(why), ended: none, stalled: none, unanswered: none })
  watch.begin()
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) await clock.advance(1_000)
  }
  // An error makes it look at once, and errors come in swarms.
  const swarm = async (): Promise<void> => {
    for (let count = 0; count < 10; count += 1) {
      watch.lookNow()
      await clock.advance(1)
    }
  }
  return { says, losses, pass, swarm }
}

describe('a place that is read', () => {
  it.each([
    ['whose log seems to end where it did when that was last written down', { partitions: 1, end: 132n }],
    ['that is unknown', { partitions: undefined, end: 650n }],
  ])('%s, on a broker that has just started, is not lost', async (_, atFirst) => {
    const { says, losses, pass, swarm } = watched()
    Object.assign(says, atFirst)
    await swarm()
    await pass(2)
    Object.assign(says, { partitions: 1, end: 650n })
    await pass(5)
    Object.assign(says, atFirst)
    await pass(2)
    expect(losses).toEqual([])
  })

  it.each([
    ['deleted', { partitions: 1, end: 132n }],
    ['gone', { partitions: undefined, end: 650n }],
  ])('is %s when that lasts', async (why, says) => {
    const { losses, pass, ...test } = watched()
    Object.assign(test.says, says)
    await pass(10)
    expect(losses[0]).toBe(why)
  })
})
