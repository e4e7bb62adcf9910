import { type DeadLetter, Millrace, type MillraceOptions, type Peeked, type TopicRef } from '../broker/index.js'
import { type Clock, limits, MillraceError, type Millis } from '../core/index.js'
import type { Census, Engine, Page } from '../engine/index.js'
import { memory } from '../engines/memory/index.js'
import { seeded } from './chaos-engine.js'
import { HandClock } from './hand-clock.js'

export interface TestKitOptions extends Omit<MillraceOptions, 'engine' | 'clock'> {
  /** Default: a memory engine of its own, by the kit's clock. */
  readonly engine?: Engine
  /** Default: a HandClock. */
  readonly clock?: Clock
}

export interface IdleOptions {
  /** Real time, after which it gives up with TIMEOUT and says what is still to do. Default 5 s. */
  readonly timeoutMs?: Millis
}

export interface TestKit<C extends Clock> {
  readonly mill: Millrace
  readonly clock: C
  /** What consumers went on after. A test that expects none looks here. */
  readonly troubles: readonly unknown[]
  /**
   * Resolves when no group has anything ready or in hand. Delayed messages and retries that wait for their time do not
   * count; retries in place do, and on a HandClock somebody has to turn it.
   */
  idle(options?: IdleOptions): Promise<void>
  /** Resolves when it holds, looking again whenever everything else has run. Gives up with TIMEOUT as `idle` does. */
  until(holds: () => boolean, options?: IdleOptions): Promise<void>
  /** Everything in a topic's log, in order of partition and offset. */
  published<Input, Output>(topic: TopicRef<Input, Output>): Promise<readonly Peeked<Output>[]>
  deadLetters(topic?: TopicRef): Promise<readonly DeadLetter[]>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A queue for tests: in memory, by a clock that the test turns, with the same random numbers each time, unless told otherwise. */
export function testKit(options?: Omit<TestKitOptions, 'clock'>): TestKit<HandClock>
export function testKit<C extends Clock>(options: TestKitOptions & { readonly clock: C }): TestKit<C>
export function testKit(options: TestKitOptions = {}): TestKit<Clock> {
  const clock = options.clock ?? new HandClock()
  const troubles: unknown[] = []
  const mill = new Millrace({ onError: (error) => troubles.push(error), random: seeded(1), ...options, clock, engine: options.engine ?? memory({ clock }) })
  const close = (): Promise<void> => mill.close()
  return {
    mill,
    clock,
    troubles,
    idle: (idleOptions) => idle(mill, idleOptions),
    until,
    published: (topic) => all((cursor) => mill.peek(topic, { limit: limits.maxPage, ...cursor })),
    deadLetters: (topic) => all((cursor) => mill.deadLetters.list({ limit: limits.maxPage, ...cursor, ...(topic !== undefined && { topic }) })),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Looks again and again in between of everything else; twice in a row quiet is idle. */
async function idle(mill: Millrace, { timeoutMs = 5_000 }: IdleOptions = {}): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  for (let quiet = 0; quiet < 2; ) {
    const busy = stillBusy(await mill.census())
    quiet = busy.length === 0 ? quiet + 1 : 0
    if (performance.now() > giveUpAt) throw new MillraceError('TIMEOUT', `not idle after ${timeoutMs} ms: ${busy.join('; ')}. Does something wait for the clock to be turned?`)
    for (let turn = 0; turn < 3; turn += 1) await turned()
  }
}

async function until(holds: () => boolean, { timeoutMs = 5_000 }: IdleOptions = {}): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new MillraceError('TIMEOUT', `still not so after ${timeoutMs} ms. Does something wait for the clock to be turned?`)
    await turned()
  }
}

function turned(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function stillBusy({ topics }: Census): readonly string[] {
  return topics.flatMap(({ topic, groups }) =>
    groups.filter(({ ready, leased }) => ready + leased > 0).map(({ group, ready, leased }) => `group ${group} of topic ${topic} has ${ready} ready and ${leased} in hand`),
  )
}

async function all<T>(page: (cursor: { readonly cursor?: string }) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const next = await page(cursor === undefined ? {} : { cursor })
    items.push(...next.items)
    cursor = next.cursor
  } while (cursor !== undefined)
  return items
}
