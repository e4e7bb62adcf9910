import { expect, it } from 'vitest'
import { HandClock } from './hand-clock.js'

it('after an advance both clocks have moved by exactly that much, whatever timers stopped it on the way', async () => {
  const clock = new HandClock()
  const wall = clock.wall()
  for (let each = 0; each < 50; each += 1) clock.after(each * 7.3, () => undefined)
  await clock.advance(60_000)
  expect([clock.wall() - wall, clock.monotonic()]).toEqual([60_000, 60_000])
})

it('timers fire in the order in which they are due, each at its time', async () => {
  const clock = new HandClock()
  const fired: number[] = []
  for (const ms of [30, 10, 20]) clock.after(ms, () => fired.push(clock.monotonic()))
  await clock.advance(25)
  expect(fired).toEqual([10, 20])
})

it('the wall clock may jump alone', async () => {
  const clock = new HandClock()
  const wall = clock.wall()
  await clock.jumpWall(-3_600_000)
  await clock.advance(10)
  expect([clock.wall() - wall, clock.monotonic()]).toEqual([-3_599_990, 10])
})
