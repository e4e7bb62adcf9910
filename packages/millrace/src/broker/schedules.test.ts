import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cron } from 'croner'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from '../engines/embedded/index.js'
import { memory, memoryStore } from '../engines/memory/index.js'
import { chaosEngine, HandClock, type TestKit, testKit } from '../testing/index.js'
import { bytes } from './codec.js'
import type { Schedule } from './schedule.js'
import { topic } from './topic-contract.js'

const reports = topic<string>('reports', { partitions: 4 })
const minute = 60_000
const everyMinute = { name: 'tick', everyMs: minute, value: 'tick' }

/** Instances on one store, each with a clock of its own when they are to differ. */
async function world() {
  const clock = new HandClock()
  const store = memoryStore()
  const start = (own = clock) => testKit({ clock: own, engine: memory({ clock: own, store }) })
  const first = start()
  await first.mill.topics.ensure(reports)
  return { clock, start, first }
}

async function times(kit: TestKit<HandClock>): Promise<string[]> {
  return (await kit.published(reports)).map(({ delayedUntil }) => new Date(delayedUntil ?? 0).toISOString().slice(11, 19)).sort()
}

async function held(kit: TestKit<HandClock>): Promise<string[]> {
  return (await kit.mill.delays.list()).items.map(({ hold }) => new Date(hold.until).toISOString().slice(11, 19)).sort()
}

describe('a schedule', () => {
  test('sends its message at each slot, with an id, a header and a time that name the slot', async () => {
    const { clock, first } = await world()
    expect(await first.mill.schedules.set(reports, { ...everyMinute, headers: { a: 'b' }, key: 'k' })).toEqual(new Date('2026-01-01T00:01:00Z'))
    await clock.advance(3 * minute + 1)
    expect(await times(first)).toEqual(['00:01:00', '00:02:00', '00:03:00'])
    const [message] = await first.published(reports)
    expect(message).toMatchObject({ value: 'tick', key: 'k', kind: 'delay', delayedUntil: Date.UTC(2026, 0, 1, 0, 1) })
    expect(message?.id).toMatch(/^tick@2026-01-01T00:01:00.000Z~/)
    expect([message?.headers.get('a'), message?.headers.get('millrace-schedule')]).toEqual(['b', 'tick'])
    await first.close()
  })

  test.each([
    // The hour from 2 to 3 is left out on the 29th: croner runs it as that hour would begin.
    ['left out', Date.UTC(2026, 2, 28), ['03-28T01:30', '03-29T01:00', '03-30T00:30']],
    ['there twice', Date.UTC(2026, 9, 24), ['10-24T00:30', '10-25T00:30', '10-26T01:30']],
  ])('by a cron in a time zone runs once in the night whose hour is %s', async (_, from, expected) => {
    const clock = new HandClock(from)
    await using kit = testKit({ clock })
    await kit.mill.topics.ensure(reports)
    await kit.mill.schedules.set(reports, { name: 'nightly', cron: new Cron('30 2 * * *', { timezone: 'Europe/Berlin' }), value: 'x' })
    await clock.advance(3 * 24 * 60 * minute)
    expect((await kit.published(reports)).map(({ delayedUntil }) => new Date(delayedUntil ?? 0).toISOString().slice(5, 16)).sort()).toEqual(expected)
  })

  test('by a function ends when there is no next time', async () => {
    const { clock, first } = await world()
    const last = Date.UTC(2026, 0, 1, 0, 2)
    const cron = (after: Date) => (after.getTime() < last ? new Date(Math.min(after.getTime() + minute, last)) : null)
    await first.mill.schedules.set(reports, { name: 'twice', cron, value: 'x' })
    await clock.advance(10 * minute)
    expect(await times(first)).toEqual(['00:01:00', '00:02:00'])
    expect(first.troubles).toEqual([])
    await first.close()
  })

  test.each<[field: string, schedule: object]>([
    ['name', { ...everyMinute, name: 'no/name' }],
    ['name', { ...everyMinute, name: 'x'.repeat(160) }],
    ['everyMs', { ...everyMinute, everyMs: 99 }],
    ['cron', { name: 'x', value: 'x', cron: () => null }],
    ['cron', { name: 'x', value: 'x', cron: () => new Date(0) }],
    ['cron', { name: 'x', value: 'x', cron: () => new Date('never') }],
    ['headers.a', { ...everyMinute, headers: { a: 1 } }],
    ['cron', { ...everyMinute, cron: () => null }],
    ['cron', { name: 'x', value: 'x' }],
  ])('whose %s is wrong is refused, naming it: %j', async (field, schedule) => {
    await using kit = testKit()
    await kit.mill.topics.ensure(reports)
    // As JavaScript may call it.
    await expect(kit.mill.schedules.set(reports, schedule as Schedule<string>)).rejects.toMatchObject({ code: 'INVALID', field })
    expect((await kit.mill.schedules.list()).items).toEqual([])
  })

  test('needs its topic, and ends with it', async () => {
    const { clock, first } = await world()
    await expect(first.mill.schedules.set('nowhere', everyMinute)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await first.mill.schedules.set(reports, everyMinute)
    await first.mill.topics.remove('reports')
    await clock.advance(10 * minute)
    expect(first.troubles).toMatchObject([{ code: 'UNKNOWN_TOPIC' }])
    expect((await first.mill.schedules.list()).items).toEqual([])
    await first.close()
  })

  test.each(['unknown', 'lose-answer'] as const)('whose change was cut short (%s) is changed by another try', async (is) => {
    const clock = new HandClock()
    const chaos = chaosEngine(memory({ clock }), { clock })
    await using kit = testKit({ clock, engine: chaos })
    await kit.mill.topics.ensure(reports)
    chaos.trouble('decide', { is })
    await kit.mill.schedules.set(reports, everyMinute)
    await expect(kit.mill.schedules.set(reports, { ...everyMinute, value: 'other' })).rejects.toMatchObject({ code: 'UNKNOWN_OUTCOME' })
    await kit.mill.schedules.set(reports, { ...everyMinute, value: 'other' })
    await clock.advance(minute + 1)
    expect((await kit.published(reports)).map(({ value }) => value)).toEqual(['other'])
  })

  test('whose value its topic refuses changes nothing', async () => {
    await using kit = testKit()
    const checkedTopic = topic('checked', { schema: z.object({ n: z.number() }) })
    await kit.mill.topics.ensure(checkedTopic)
    await kit.mill.schedules.set(checkedTopic, { name: 'n', everyMs: minute, value: { n: 1 } })
    await expect(kit.mill.schedules.set(checkedTopic, { name: 'n', everyMs: minute, value: { n: 'one' as unknown as number } })).rejects.toMatchObject({ code: 'SCHEMA', field: 'n' })
    await kit.clock.advance(minute + 1)
    expect(await kit.published(checkedTopic)).toMatchObject([{ value: { n: 1 } }])
  })

  test('goes on after the engine failed', async () => {
    const clock = new HandClock()
    const chaos = chaosEngine(memory({ clock }), { clock })
    await using kit = testKit({ clock, engine: chaos })
    await kit.mill.topics.ensure(reports)
    await kit.mill.schedules.set(reports, everyMinute)
    for (const _ of [1, 2]) chaos.trouble('publish', { is: 'unknown' })
    await clock.advance(5 * minute + 1)
    expect(await times(kit)).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00', '00:05:00'])
  })
})

describe('a schedule that many instances have', () => {
  test('sends each slot once, whoever of them lives', async () => {
    const { clock, start, first } = await world()
    const [second, third] = [start(), start()]
    await Promise.all([first, second, third].map(({ mill }) => mill.schedules.set(reports, everyMinute)))
    expect(await held(first)).toEqual(['00:01:00'])
    await clock.advance(2 * minute)
    await first.close()
    await clock.advance(2 * minute)
    await second.close()
    await clock.advance(2 * minute + 1)
    expect(await times(third)).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00', '00:05:00', '00:06:00'])
    await third.close()
  })

  test('sends each slot once though their clocks differ by minutes', async () => {
    const { clock, start, first } = await world()
    const ahead = new HandClock(clock.wall() + 7 * minute + 123)
    const second = start(ahead)
    await Promise.all([first, second].map(({ mill }) => mill.schedules.set(reports, everyMinute)))
    for (let step = 0; step < 60; step += 1) {
      await clock.advance(minute / 6)
      await ahead.advance(minute / 6)
    }
    const ids = (await first.published(reports)).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect((await times(first)).slice(0, 17)).toEqual(Array.from({ length: 17 }, (_, at) => `00:${String(at + 1).padStart(2, '0')}:00`))
    await Promise.all([first.close(), second.close()])
  })

  test('dies with all of them in the due second: the next slot is planned already', async () => {
    const { clock, start, first } = await world()
    await first.mill.schedules.set(reports, everyMinute)
    await clock.advance(minute - 400)
    await first.close()
    const keeper = start()
    await keeper.mill.open()
    await clock.advance(10 * minute)
    expect(await times(keeper)).toEqual(['00:01:00', '00:02:00'])
    await keeper.close()
  })

  test('catches up with one message for the time when nobody lived, and goes on by the clock', async () => {
    const { clock, start, first } = await world()
    await first.mill.schedules.set(reports, everyMinute)
    await clock.advance(90_000)
    await first.close()
    await clock.advance(60 * minute)
    const second = start()
    await second.mill.schedules.set(reports, everyMinute)
    await clock.advance(minute)
    expect(await times(second)).toEqual(['00:01:00', '00:02:00', '01:02:00'])
    await second.close()
  })

  test('is not sent twice when the wall clock is set back and everything restarts', async () => {
    const { clock, start, first } = await world()
    await first.mill.schedules.set(reports, everyMinute)
    await clock.advance(5 * minute + 1)
    await first.close()
    await clock.jumpWall(-3 * minute)
    const second = start()
    await second.mill.schedules.set(reports, everyMinute)
    await clock.advance(5 * minute)
    expect(await times(second)).toEqual(['00:01:00', '00:02:00', '00:03:00', '00:04:00', '00:05:00', '00:06:00', '00:07:00'])
    await second.close()
  })
})

describe('a schedule that changes', () => {
  const halves = { name: 'tick', cron: new Cron('30 * * * * *'), value: 'half' }

  test('takes the slot of the old plan away, and the old plan stands back in every instance', async () => {
    const { clock, start, first } = await world()
    const second = start()
    await first.mill.schedules.set(reports, everyMinute)
    await second.mill.schedules.set(reports, halves)
    expect(await held(first)).toEqual(['00:00:30'])
    await clock.advance(3 * minute)
    expect(await times(first)).toEqual(['00:00:30', '00:01:30', '00:02:30'])
    await Promise.all([first.close(), second.close()])
  })

  test.each([0, 1, 2, 3, 4, 5, 6])('while the old plan is about to plan its slot, %s turns apart, takes that slot away too', async (turns) => {
    const { clock, start, first } = await world()
    const second = start()
    let changed: Promise<unknown> | undefined
    const later = async () => {
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      await second.mill.schedules.set(reports, halves)
    }
    const cron = (after: Date) => {
      if (clock.wall() === Date.UTC(2026, 0, 1, 0, 0, 59)) changed ??= later()
      return new Date(Math.floor(after.getTime() / minute + 1) * minute)
    }
    await first.mill.schedules.set(reports, { name: 'tick', cron, value: 'old' })
    await clock.advance(minute - 1)
    await changed
    expect((await held(first)).filter((time) => time !== '00:01:00')).toEqual(['00:01:30'])
    await clock.advance(3 * minute)
    expect((await times(first)).filter((time) => time !== '00:01:00')).toEqual(['00:01:30', '00:02:30', '00:03:30'])
    await Promise.all([first.close(), second.close()])
  })

  test('gets its new value at the very slot that was planned, and can change back', async () => {
    const { clock, first } = await world()
    for (const value of ['one', 'two', 'one', 'two', 'three']) await first.mill.schedules.set(reports, { ...everyMinute, value })
    expect(await held(first)).toEqual(['00:01:00'])
    await clock.advance(minute + 1)
    expect((await first.published(reports)).map(({ value }) => value)).toEqual(['three'])
    await first.close()
  })

  test('goes on by the old plan when no instance with the new one is left', async () => {
    const { clock, start, first } = await world()
    const second = start()
    await first.mill.schedules.set(reports, everyMinute)
    await second.mill.schedules.set(reports, halves)
    await second.close()
    await clock.advance(5 * minute + 1)
    expect(await times(first)).toEqual(['00:00:30', '00:02:00', '00:03:00', '00:04:00', '00:05:00'])
    await first.close()
  })

  test('leaves other schedules and delays of the topic alone', async () => {
    const { first } = await world()
    await first.mill.send(reports, 'mine', { id: 'tick@mine', delayMs: minute })
    await first.mill.schedules.set(reports, { ...everyMinute, name: 'other' })
    await first.mill.schedules.set(reports, everyMinute)
    await first.mill.schedules.set(reports, halves)
    expect(await first.mill.schedules.remove(reports, 'tick')).toBe(true)
    expect(await held(first)).toEqual(['00:01:00', '00:01:00'])
    await first.close()
  })
})

describe('a schedule that is removed', () => {
  test('has no slot any more and ends in every instance; set again it runs from now', async () => {
    const { clock, start, first } = await world()
    const second = start()
    for (const { mill } of [first, second]) await mill.schedules.set(reports, everyMinute)
    expect((await second.mill.schedules.list()).items).toEqual([{ topic: 'reports', name: 'tick', everyMs: minute, next: new Date('2026-01-01T00:01:00Z') }])
    expect(await first.mill.schedules.remove('reports', 'tick')).toBe(true)
    expect(await first.mill.schedules.remove('reports', 'tick')).toBe(false)
    expect(await held(first)).toEqual([])
    await clock.advance(5 * minute)
    expect(await times(first)).toEqual([])
    expect((await first.mill.schedules.list()).items).toEqual([])
    await first.mill.schedules.set(reports, everyMinute)
    await clock.advance(minute + 1)
    expect(await times(first)).toEqual(['00:06:00'])
    await Promise.all([first.close(), second.close()])
  })

  test('one slot of it can be cancelled alone', async () => {
    const { clock, start, first } = await world()
    const second = start()
    for (const { mill } of [first, second]) await mill.schedules.set(reports, everyMinute)
    const [slot] = (await first.mill.delays.list({ topic: reports })).items
    expect(await first.mill.delays.cancel(reports, slot?.message.id ?? '')).toBe(true)
    await clock.advance(2 * minute + 1)
    expect(await times(first)).toEqual(['00:02:00'])
    await Promise.all([first.close(), second.close()])
  })
})

test('on the embedded engine a schedule survives its process: the slot is sent once, and the next follows', async () => {
  const path = await mkdtemp(join(tmpdir(), 'millrace-schedules-'))
  const clock = new HandClock()
  const raw = topic<Uint8Array | null>('raw', { codec: bytes, partitions: 3 })
  const schedule = { name: 'tick', everyMs: minute, value: Buffer.from('x') }
  const start = () => testKit({ clock, engine: embedded({ path, lmdb: import.meta.resolve('lmdb'), clock }) })
  const first = start()
  expect((await first.mill.schedules.list()).items).toEqual([])
  expect(await first.mill.schedules.remove(raw, 'tick')).toBe(false)
  await first.mill.topics.ensure(raw)
  await first.mill.schedules.set(raw, schedule)
  await clock.advance(90_000)
  await first.close()
  await clock.advance(10 * minute)
  const second = start()
  await second.mill.schedules.set(raw, schedule)
  await clock.advance(minute)
  expect((await second.published(raw)).map(({ delayedUntil }) => ((delayedUntil ?? 0) - Date.UTC(2026, 0, 1)) / minute).sort((a, b) => a - b)).toEqual([1, 2, 12])
  expect(await second.mill.schedules.remove(raw, 'tick')).toBe(true)
  expect((await second.mill.delays.list()).items).toEqual([])
  await second.close()
  await rm(path, { recursive: true })
})
