import { HandClock } from 'millrace/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { Turns } from './turns.js'

const never = new AbortController().signal
let clock: HandClock
let turns: Turns

beforeEach(() => {
  clock = new HandClock()
  turns = new Turns(clock)
})

/** Work that ends when it is told to. */
function held(waitMs = 1_000, signal = never) {
  let end = (): void => undefined
  let wait: (now: boolean) => void = () => undefined
  let began = false
  const done = turns.take(waitMs, signal, (waits) => {
    began = true
    wait = waits
    return new Promise<string>((resolve) => {
      end = () => resolve('worked')
    })
  })
  return { done, end: () => end(), waits: (now: boolean) => wait(now), began: () => began }
}

describe('turns', () => {
  test('are taken one after the other, in the order of coming', async () => {
    const [first, second, third] = [held(), held(), held()]
    expect([first.began(), second.began()]).toEqual([true, false])
    first.end()
    await first.done
    await clock.advance(0)
    expect([second.began(), third.began()]).toEqual([true, false])
    second.end()
    await clock.advance(0)
    third.end()
    expect(await Promise.all([second.done, third.done])).toEqual(['worked', 'worked'])
  })

  test('that would not wait are given up at once while the first only waits', async () => {
    const first = held()
    first.waits(true)
    expect(await held(0).done).toBeUndefined()
    first.end()
  })

  test('that would not wait come all the same when the first is at work', async () => {
    const first = held()
    const second = held(0)
    await clock.advance(5_000)
    first.end()
    await clock.advance(0)
    second.end()
    expect(await second.done).toBe('worked')
  })

  test('end in time while the first waits on', async () => {
    const first = held()
    const second = held(500)
    first.waits(true)
    await clock.advance(500)
    expect(await second.done).toBeUndefined()
    first.end()
    expect(await first.done).toBe('worked')
  })

  test('whose caller is gone are passed over', async () => {
    const gone = new AbortController()
    const first = held()
    const second = held(1_000, gone.signal)
    const third = held()
    gone.abort()
    expect(await second.done).toBeUndefined()
    first.end()
    await clock.advance(0)
    expect(third.began()).toBe(true)
    third.end()
  })

  test('go on after one that fails', async () => {
    await expect(turns.take(0, never, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await turns.take(0, never, () => Promise.resolve(1))).toBe(1)
  })
})
