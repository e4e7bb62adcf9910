import { beforeEach, describe, expect, it } from 'vitest'
import { HandClock } from '../../testing/hand-clock.js'
import { type Cluster, Foreigners } from './foreigners.js'
import type { GroupPlace, GroupState } from './port.js'

describe('places of consumer groups of others', () => {
  const clock = new HandClock()
  let groups: GroupState[]
  let places: Record<string, GroupPlace[]>
  let asked: string[]
  let topics: Set<string>
  let foreigners: Foreigners

  beforeEach(() => {
    groups = []
    places = {}
    asked = []
    topics = new Set(['orders'])
    const admin: Cluster['admin'] = {
      groups: async () => groups,
      placesOf: async (group) => {
        asked.push(group)
        return places[group] ?? []
      },
    }
    foreigners = new Foreigners({ admin, clock, topics: () => topics })
  })

  const at = (offset: bigint, topic = 'orders'): GroupPlace => ({ topic, partition: 0, offset })

  it('the lowest counts, and ours do not', async () => {
    groups = ['ours', 'slow', 'fast', 'elsewhere'].map((group) => ({ group, isEmpty: false }))
    places = { ours: [at(1n)], slow: [at(5n)], fast: [at(9n)], elsewhere: [at(2n, 'other')] }
    expect(await foreigners.lowest('orders', new Set(['ours']))).toEqual(new Map([[0, 5n]]))
  })

  it('are asked for once for all topics, and anew after a while', async () => {
    topics.add('other')
    groups = [{ group: 'g', isEmpty: false }]
    places = { g: [at(3n), at(4n, 'other')] }
    await foreigners.lowest('orders', new Set())
    expect(await foreigners.lowest('other', new Set())).toEqual(new Map([[0, 4n]]))
    expect(asked).toEqual(['g'])
    await clock.advance(10_000)
    await foreigners.lowest('orders', new Set())
    expect(asked).toEqual(['g', 'g'])
  })

  it('a group without members and without places here is left alone for a minute, unless it gets members', async () => {
    groups = [{ group: 'old', isEmpty: true }, { group: 'used', isEmpty: true }]
    await foreigners.lowest('orders', new Set())
    await clock.advance(10_000)
    groups = [{ group: 'old', isEmpty: true }, { group: 'used', isEmpty: false }]
    places = { used: [at(7n)] }
    expect(await foreigners.lowest('orders', new Set())).toEqual(new Map([[0, 7n]]))
    expect(asked).toEqual(['old', 'used', 'used'])
    await clock.advance(60_000)
    await foreigners.lowest('orders', new Set())
    expect(asked.filter((group) => group === 'old')).toHaveLength(2)
  })

  it('a group without members that holds a place here is asked each time', async () => {
    groups = [{ group: 'stopped', isEmpty: true }]
    places = { stopped: [at(7n)] }
    await foreigners.lowest('orders', new Set())
    places = { stopped: [at(2n)] }
    await clock.advance(10_000)
    expect(await foreigners.lowest('orders', new Set())).toEqual(new Map([[0, 2n]]))
  })

  it('a topic that is new has the places that were there before it', async () => {
    groups = [{ group: 'old', isEmpty: true }]
    places = { old: [at(6n, 'adopted')] }
    await foreigners.lowest('orders', new Set())
    topics.add('adopted')
    expect(await foreigners.lowest('adopted', new Set())).toEqual(new Map([[0, 6n]]))
  })
})
