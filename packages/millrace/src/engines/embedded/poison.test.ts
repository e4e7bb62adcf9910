import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type OtherProcess, Processes, request } from './processes.harness.js'

let processes: Processes
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
})
afterEach(() => processes.end())

const groups = ['one', 'two'] as const

describe('a message that kills its process', () => {
  it('is a dead letter of kind POISON after maxDeliveries in every group, and all its neighbours are finished', async () => {
    let other = await processes.open()
    await other.call('createTopic', { name: 't', partitions: 3, keep: {} })
    const drafts = Array.from({ length: 30 }, (_, index) => processes.draft('t', { partition: index % 3 }))
    const killer = drafts[10]?.id
    await other.call('publish', drafts)
    const started: string[] = []
    for (let kills = 0; ; kills += 1) {
      for (const group of groups) await other.call('work', await other.call('join', request(`${group}-${kills}`, { group, leaseMs: 1_000 })), killer)
      const isAtRest = await comesToRest(other)
      started.push(...other.all('got').filter(({ id }) => id === killer).map(({ group }) => group))
      if (isAtRest) break
      other = await processes.open()
    }

    const { topics } = await other.call('census')
    for (const group of groups) {
      expect(topics[0]?.groups.find((each) => each.group === group)).toMatchObject({ settled: 29, ready: 0, leased: 0, dead: 1 })
      const { items } = await other.call('holds', { topic: 't', group, why: 'dead', limit: 10 })
      expect(items.map(({ message, hold }) => [message.id, hold.attempt, hold.failure?.kind])).toEqual([[killer, 3, 'POISON']])
      // A delivery whose handler had not begun when the other group's killed the process counts too.
      expect(started.filter((each) => each === group).length).toBeLessThanOrEqual(3)
    }
  })

  it('runs exactly maxDeliveries times, alone after the first', async () => {
    const drafts = Array.from({ length: 6 }, () => processes.draft('t'))
    const killer = drafts[2]?.id
    const runs: (readonly [attempt: number, alone: boolean])[] = []
    for (let run = 0; run <= 3; run += 1) {
      const other = await processes.open()
      if (run === 0) await other.call('createTopic', { name: 't', partitions: 1, keep: {} })
      if (run === 0) await other.call('publish', drafts)
      await other.call('work', await other.call('join', request(`run-${run}`, { leaseMs: 1_000 })), killer)
      if (run < 3) await other.exited
      else await other.heard('finished', ({ id }) => id === drafts[5]?.id)
      runs.push(...other.all('got').filter(({ id }) => id === killer).map(({ attempt, alone }) => [attempt, alone] as const))
    }
    expect(runs).toEqual([[1, false], [2, true], [3, true]])
  })
})

/** True when nothing is left to do, false when the process was killed before. */
async function comesToRest(other: OtherProcess): Promise<boolean> {
  while (await other.next('idle')) {
    const census = await other.call('census').catch(() => undefined)
    if (census?.topics[0]?.groups.every(({ lag }) => lag === 0)) return true
  }
  return false
}
