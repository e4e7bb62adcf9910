import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { idsOf, type OtherProcess, Processes, request } from './processes.harness.js'

let processes: Processes
let sleeper: OtherProcess
let publisher: OtherProcess
beforeEach(async () => {
  processes = await Processes.start(import.meta.resolve('lmdb'))
  // No timer of the sleeper ever fires, so that it has nothing but the bell to wake it.
  sleeper = await processes.open({ isTimeStill: true })
  publisher = await processes.open()
  await publisher.call('createTopic', { name: 't', partitions: 2, keep: {} })
})
afterEach(() => processes.end())

describe('the bell', () => {
  it('wakes a lease that waits in another process, each time', async () => {
    const member = await sleeper.call('join', request('sleeper'))
    for (const id of ['one', 'two', 'three']) {
      const waiting = sleeper.call('lease', member, { max: 10, waitMs: 60_000 })
      // The store's thread answers in order: the lease waits by now.
      await sleeper.call('publish', [processes.draft('unknown')])
      await publisher.call('publish', [processes.draft('t', { id })])
      const leased = await waiting
      expect(idsOf(leased)).toEqual([id])
      await sleeper.call('settle', member, leased.map((delivery) => ({ delivery, is: 'done' })))
    }
  })

  it('tells who watches in another process', async () => {
    await sleeper.call('watch')
    await publisher.call('publish', [processes.draft('t')])
    await sleeper.heard('stir', ({ what }) => what === 'ready')
  })

  it('brings a freed partition to a member of another process', async () => {
    const first = await publisher.call('join', request('first', { leaseMs: 60_000 }))
    // Its clock stands at zero, long before the other's: it must not count as dead for that, so it says nothing of a beat.
    const second = await sleeper.call('join', request('second', { leaseMs: Number.MAX_SAFE_INTEGER }))
    await publisher.call('publish', [processes.draft('t', { id: 'left' })])
    const waiting = sleeper.call('lease', second, { max: 10, waitMs: 60_000 })
    await publisher.call('leave', first)
    expect(idsOf(await waiting)).toEqual(['left'])
  })
})
