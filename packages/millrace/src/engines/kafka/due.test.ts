import { describe, expect, it } from 'vitest'
import type { KeptHold } from './book.js'
import { Due } from './due.js'

function kept(id: string, until: number): KeptHold {
  const message = { id, topic: 't', partition: 0, offset: null, key: null, value: null, headers: [], timestamp: 0, producerId: '', kind: 'delay' as const }
  const row = { hold: { why: 'delay' as const, until, then: 'release' as const, attempt: 0 }, heldAt: 0, partition: 0, offset: null, blocks: false, park: false, message }
  return { id, row, version: 0n, epoch: 0, order: 0n }
}

function due(...holds: readonly KeptHold[]): Due {
  const all = new Due(({ row: { hold } }) => (hold.until === 'decided' ? undefined : hold.until))
  for (const hold of holds) all.put(hold)
  return all
}

const idsOf = (holds: readonly KeptHold[]): readonly string[] => holds.map(({ id }) => id)

describe('holds by when they are due', () => {
  it('come when their time has come, the earliest first, as long as they are not changed or removed', () => {
    const all = due(kept('c', 30), kept('a', 10), kept('b', 20))
    expect(idsOf(all.ripe(9, 10))).toEqual([])
    for (let times = 0; times < 2; times += 1) expect(idsOf(all.ripe(20, 10))).toEqual(['a', 'b'])
    all.remove('a')
    all.put(kept('b', 40))
    expect([idsOf(all.ripe(30, 10)), idsOf(all.ripe(40, 10))]).toEqual([['c'], ['c', 'b']])
  })

  it('are no more than asked for', () => {
    expect(idsOf(due(kept('a', 10), kept('b', 20)).ripe(20, 1))).toEqual(['a'])
  })

  it('are not due any more when the clock is set back', () => {
    const all = due(kept('a', 10))
    all.ripe(10, 10)
    expect([idsOf(all.ripe(9, 10)), idsOf(all.ripe(10, 10))]).toEqual([[], ['a']])
  })

  it('that are set aside come again when they are taken back, or changed', () => {
    const [a, b] = [kept('a', 10), kept('b', 10)]
    const all = due(a, b)
    for (const hold of all.ripe(10, 10)) all.setAside(hold)
    expect(idsOf(all.ripe(10, 10))).toEqual([])
    all.put(b)
    expect(idsOf(all.ripe(10, 10))).toEqual(['b'])
    all.takeBack()
    expect([...idsOf(all.ripe(10, 10))].sort()).toEqual(['a', 'b'])
  })
})
