import { describe, expect, it } from 'vitest'
import { keyOf, Rubbish } from './rubbish.js'

const [first, second, end, refused] = ['1', '2', 'end', 'no'].map((version) => keyOf('a', version)) as [string, string, string, string]

describe('the keys of a ledger that are not current', () => {
  it('are removed in the order of the log, each when the one before it is gone', () => {
    const rubbish = new Rubbish()
    for (const key of [first, second, end]) rubbish.addPast(key)
    rubbish.claim('a')
    expect(rubbish.next()).toEqual([first])
    expect(rubbish.next()).toEqual([first])
    rubbish.gone(first)
    expect(rubbish.next()).toEqual([second])
    rubbish.gone(second)
    rubbish.gone(end)
    expect(rubbish.next()).toEqual([])
  })

  it('were refused: then they go before what they were refused for', () => {
    const rubbish = new Rubbish()
    rubbish.addPast(first)
    rubbish.addIdle(refused)
    rubbish.addPast(end)
    rubbish.claim('a')
    expect(rubbish.next()).toEqual([refused])
    rubbish.gone(refused)
    expect(rubbish.next()).toEqual([first])
  })

  it('are left to whoever has made them, until they are claimed', () => {
    const rubbish = new Rubbish()
    rubbish.addPast(first)
    rubbish.addPast(keyOf('b', '1'))
    expect([rubbish.next(), rubbish.claim('nothing')]).toEqual([[], false])
    rubbish.claim('b')
    expect(rubbish.next()).toEqual([keyOf('b', '1')])
    expect(rubbish.claimAll()).toBe(true)
    expect(rubbish.next()).toEqual([keyOf('b', '1'), first])
  })
})
