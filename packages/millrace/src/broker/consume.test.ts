import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { currentUnit } from '../core/index.js'
import { testKit } from '../testing/index.js'
import { bytes } from './codec.js'
import { custom, exponential, fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

interface Step {
  readonly key: string
  readonly n: number
}

const steps = topic<Step>('steps', { key: (step) => step.key, partitions: 1 })
const all = (keys: string, each: number): Step[] => Array.from({ length: each }, (_, n) => [...keys].map((key) => ({ key, n }))).flat()
const items = (values: readonly Step[]): { value: Step }[] => values.map((value) => ({ value }))

/** Handlers that wait to be let go. */
function gate() {
  const waiting: (() => void)[] = []
  return {
    waiting,
    pass: () => new Promise<void>((resolve) => waiting.push(resolve)),
    open: () => waiting.splice(0).forEach((go) => go()),
  }
}

describe('order', () => {
  test('by key: one of a key at a time, in order, and other keys of the partition at the same time', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('abc', 4)))
    const running = new Set<string>()
    const seen: Record<string, number[]> = { a: [], b: [], c: [] }
    let most = 0
    const doors = gate()
    const consumer = kit.mill.consume(steps, 'g', async ({ value: { key, n } }) => {
      expect(running.has(key)).toBe(false)
      running.add(key)
      most = Math.max(most, running.size)
      seen[key]?.push(n)
      await doors.pass()
      running.delete(key)
    })
    for (let round = 0; round < 4; round += 1) {
      await kit.until(() => doors.waiting.length === 3)
      doors.open()
    }
    await kit.idle()
    expect(most).toBe(3)
    expect(seen).toEqual({ a: [0, 1, 2, 3], b: [0, 1, 2, 3], c: [0, 1, 2, 3] })
    expect(consumer.inHand).toBe(0)
  })

  test('by partition: one at a time, whatever the key', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('abc', 2)))
    const doors = gate()
    const seen: string[] = []
    kit.mill.consume(steps, 'g', async ({ value }) => {
      seen.push(value.key + value.n)
      await doors.pass()
    }, { order: 'partition' })
    for (let round = 1; round <= 6; round += 1) {
      await kit.until(() => doors.waiting.length === 1)
      expect(seen).toHaveLength(round)
      doors.open()
    }
    await kit.idle()
    expect(seen).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1'])
  })

  test('none: all at once, up to the concurrency', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('a', 10)))
    const doors = gate()
    kit.mill.consume(steps, 'g', () => doors.pass(), { order: 'none', concurrency: 4 })
    await kit.until(() => doors.waiting.length === 4)
    await new Promise((resolve) => setImmediate(resolve))
    expect(doors.waiting).toHaveLength(4)
    for (let left = 10; left > 0; left -= 1) {
      await kit.until(() => doors.waiting.length > 0)
      doors.waiting.shift()?.()
    }
    await kit.idle()
  })

  test('of a key holds through retries in place, while other keys go on', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('ab', 3)))
    const seen: string[] = []
    kit.mill.consume(steps, 'g', ({ value: { key, n } }, { attempt }) => {
      seen.push(`${key}${n}.${attempt}`)
      if (key === 'a' && n === 1 && attempt < 3) throw new Error('not yet')
    }, { retry: fixed({ attempts: 5, everyMs: 100 }) })
    await kit.until(() => seen.includes('b2.1'))
    expect(seen).toContain('a1.1')
    expect(seen).not.toContain('a2.1')
    await kit.clock.advance(200)
    await kit.idle()
    expect(seen.filter((each) => each.startsWith('a'))).toEqual(['a0.1', 'a1.1', 'a1.2', 'a1.3', 'a2.1'])
  })
})

describe('a handler that fails', () => {
  test('is run again until its attempts are used up, and then the message is a dead letter with everything known about it', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(steps, { key: 'a', n: 1 }, { id: 'bad', headers: { color: 'red' } })
    const attempts: number[] = []
    kit.mill.consume(steps, 'g', (_, { attempt }) => {
      attempts.push(attempt)
      throw Object.assign(new Error('first line\nsecond'), { code: 'EBROKEN' })
    }, { retry: exponential({ attempts: 3, firstMs: 10, jitter: 'none' }) })
    await kit.until(() => attempts.length === 1)
    const firstAt = kit.clock.wall()
    await kit.clock.advance(30)
    await kit.idle()
    expect(attempts).toEqual([1, 2, 3])
    const [letter, ...more] = await kit.deadLetters(steps)
    expect(more).toEqual([])
    expect(letter).toMatchObject({
      messageId: 'bad', topic: 'steps', group: 'g', key: 'a', value: { key: 'a', n: 1 }, reason: 'first line', kind: 'EBROKEN', attempts: 3, firstAt, lastAt: firstAt + 30,
    })
    expect(letter?.stack).toContain('second')
    expect(letter?.headers.get('color')).toBe('red')
  })

  test('follows the rules: some die at once, some come later with their attempts counted, whoever takes them', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items([{ key: 'a', n: 1 }, { key: 'b', n: 2 }, { key: 'b', n: 3 }]))
    const seen: string[] = []
    kit.mill.consume(steps, 'g', ({ value: { n }, failure }, { attempt }) => {
      seen.push(`${n}.${attempt}${failure ? ` after ${failure.reason}` : ''}`)
      if (n === 1) throw new TypeError('no such thing')
      if (n === 2 && attempt < 3) throw new Error('busy')
    }, { retry: [{ match: { name: 'TypeError' }, deadLetter: true }, { retry: fixed({ attempts: 3, everyMs: 1_000 }), when: 'later' }] })
    await kit.idle()
    expect(seen).toEqual(['1.1', '2.1', '3.1'])
    await kit.clock.advance(2_000)
    await kit.idle()
    expect(seen.slice(3)).toEqual(['2.2 after busy', '2.3 after busy'])
    expect(await kit.deadLetters()).toMatchObject([{ kind: 'TypeError', attempts: 1 }])
  })

  test('with park, later messages of its key wait behind one that comes later', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('ab', 3)))
    const seen: string[] = []
    kit.mill.consume(steps, 'g', ({ value: { key, n } }, { attempt }) => {
      seen.push(`${key}${n}.${attempt}`)
      if (key === 'a' && n === 0 && attempt === 1) throw new Error('not yet')
    }, { park: true, retry: [{ retry: fixed({ attempts: 3, everyMs: 1_000 }), when: 'later' }] })
    await kit.idle()
    await kit.mill.send(steps, { key: 'a', n: 3 })
    await kit.idle()
    expect(seen).toEqual(['a0.1', 'b0.1', 'b1.1', 'b2.1'])
    await kit.clock.advance(1_000)
    await kit.idle()
    expect(seen.slice(4)).toEqual(['a0.2', 'a1.1', 'a2.1', 'a3.1'])
  })

  test('can say itself that it is hopeless, or when to come again', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items([{ key: 'a', n: 1 }, { key: 'b', n: 2 }]))
    const seen: string[] = []
    kit.mill.consume(steps, 'g', ({ value: { n } }, context) => {
      seen.push(`${n}.${context.attempt}`)
      if (n === 1) context.deadLetter('nobody wants it')
      if (context.attempt < 3) context.retryLater(60_000)
    }, { retry: fixed({ attempts: 1, everyMs: 0 }) })
    await kit.idle()
    for (const attempt of [2, 3]) {
      await kit.clock.advance(61_000)
      await kit.until(() => seen.length === attempt + 1)
      await kit.idle()
    }
    expect(seen).toEqual(['1.1', '2.1', '2.2', '2.3'])
    expect(await kit.deadLetters()).toMatchObject([{ reason: 'nobody wants it', kind: 'DeadLetter', attempts: 1 }])
  })

  test('beyond its deadline: its signal aborts, the attempt has failed, and its late result is ignored', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items([{ key: 'a', n: 1 }, { key: 'a', n: 2 }]))
    const doors = gate()
    const seen: string[] = []
    kit.mill.consume(steps, 'g', async ({ value: { n } }, { attempt, signal }) => {
      seen.push(`${n}.${attempt}`)
      if (n === 2) return
      signal.addEventListener('abort', () => seen.push(`${n}.${attempt} aborted`))
      await doors.pass()
    }, { deadlineMs: 1_000, retry: fixed({ attempts: 2, everyMs: 10 }) })
    await kit.until(() => doors.waiting.length === 1)
    await kit.clock.advance(1_010)
    await kit.until(() => doors.waiting.length === 2)
    doors.waiting.shift()?.()
    await kit.clock.advance(1_000)
    await kit.idle()
    expect(seen).toEqual(['1.1', '1.1 aborted', '1.2', '1.2 aborted', '2.1'])
    expect(await kit.deadLetters()).toMatchObject([{ kind: 'TIMEOUT', attempts: 2 }])
    doors.open()
  })
})

describe('a message that cannot be read', () => {
  test('is a dead letter with the reason, and never strands its neighbours', async () => {
    await using kit = testKit()
    const raw = topic('steps', { codec: bytes })
    const strict = topic('steps', { schema: z.object({ key: z.string(), n: z.number() }) })
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(raw, Buffer.from('{"key":"a"'))
    await kit.mill.send(steps, { key: 'b', n: 1 })
    await kit.mill.send(raw, Buffer.from('{"key":"c","n":"one"}'))
    await kit.mill.send(raw, Buffer.of(0xff))
    await kit.mill.send(steps, { key: 'd', n: 2 })
    const seen: number[] = []
    const batches: number[] = []
    kit.mill.consume(strict, 'g', ({ value }) => void seen.push(value.n))
    kit.mill.consumeBatch(strict, 'batches', (messages) => void batches.push(...messages.map(({ value }) => value.n)))
    await kit.idle()
    expect([seen, batches]).toEqual([[1, 2], [1, 2]])
    for (const group of ['g', 'batches']) {
      const { items: letters } = await kit.mill.deadLetters.list({ topic: steps, group })
      expect(letters.map(({ kind, attempts }) => `${kind} ${attempts}`)).toEqual(['CODEC 1', 'SCHEMA 1', 'CODEC 1'])
      expect(letters[1]?.reason).toContain('n of a message of topic steps')
    }
    expect(kit.troubles).toEqual([])
  })

  test('an error of the handler’s own sends is the handler’s, and is retried', async () => {
    await using kit = testKit()
    const strict = topic('strict', { schema: z.number() })
    await kit.mill.topics.ensure(steps)
    await kit.mill.topics.ensure(strict)
    await kit.mill.send(steps, { key: 'a', n: 1 })
    let runs = 0
    kit.mill.consume(steps, 'g', async (_, { send }) => {
      runs += 1
      // As from a caller without types.
      await send(strict, (runs === 1 ? 'text' : 1) as number)
    }, { retry: fixed({ attempts: 2, everyMs: 0 }) })
    await kit.until(() => runs === 1)
    await kit.clock.advance(1)
    await kit.idle()
    expect(await kit.deadLetters()).toEqual([])
    expect(await kit.published(strict)).toHaveLength(1)
  })
})

describe('groups', () => {
  test('every group sees every message, and inside a group each goes to one', async () => {
    await using kit = testKit()
    const spread = topic<Step>('spread', { key: ({ key }) => key, partitions: 8 })
    await kit.mill.topics.ensure(spread)
    const seen: Record<string, string[]> = { one: [], two: [], other: [] }
    const count = (name: string) => ({ value }: { value: Step }) => void seen[name]?.push(value.key)
    const consumers = [kit.mill.consume(spread, 'g', count('one')), kit.mill.consume(spread, 'g', count('two')), kit.mill.consume(spread, 'h', count('other'))]
    await Promise.all(consumers.map(({ ready }) => ready))
    await kit.clock.advance(20_000)
    await kit.mill.sendMany(spread, items(all('abcdefghijklmnopqrstuvwxyz', 1)))
    await kit.idle()
    expect(seen.other).toHaveLength(26)
    expect(seen.one?.length).toBeGreaterThan(0)
    expect(seen.two?.length).toBeGreaterThan(0)
    expect([...(seen.one ?? []), ...(seen.two ?? [])].sort().join('')).toBe('abcdefghijklmnopqrstuvwxyz')
  })

  test('a broadcast member sees all that is sent after it joined, and cannot put off', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(steps, { key: 'a', n: 0 })
    const seen: string[] = []
    const members = ['x', 'y'].map((member) => kit.mill.consume(steps, 'g', ({ value: { n } }) => void seen.push(member + n), { mode: 'broadcast' }))
    await Promise.all(members.map(({ ready }) => ready))
    await kit.mill.send(steps, { key: 'a', n: 1 })
    await kit.until(() => seen.length === 2)
    expect(seen.sort()).toEqual(['x1', 'y1'])
    expect(() => kit.mill.consume(steps, 'g', () => undefined, { mode: 'broadcast', retry: [{ retry: fixed({ attempts: 2, everyMs: 1 }), when: 'later' }] })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
  })
})

describe('a consumer', () => {
  test('of an unknown topic says so, once, and is over', async () => {
    await using kit = testKit()
    const consumer = kit.mill.consume('nowhere', 'g', () => undefined)
    await expect(consumer.ready).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    expect(consumer.state).toBe('failed')
    expect(kit.troubles).toMatchObject([{ code: 'UNKNOWN_TOPIC' }])
    await consumer.close()
  })

  test('that is paused starts nothing until it is resumed', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    const seen: number[] = []
    const consumer = kit.mill.consume(steps, 'g', ({ value: { n } }) => void seen.push(n))
    await consumer.ready
    consumer.pause()
    expect(consumer.state).toBe('paused')
    await kit.mill.sendMany(steps, items(all('a', 3)))
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([])
    consumer.resume()
    await kit.idle()
    expect(seen).toEqual([0, 1, 2])
  })

  test('goes on when its paused group or topic does', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    const seen: number[] = []
    await kit.mill.consume(steps, 'g', ({ value: { n } }) => void seen.push(n)).ready
    await kit.mill.groups.pause(steps, 'g')
    await kit.mill.send(steps, { key: 'a', n: 1 })
    await kit.clock.advance(3_000)
    expect(seen).toEqual([])
    await kit.mill.groups.pause(steps, 'g', false)
    await kit.until(() => seen.length === 1)
    await kit.mill.topics.pause('steps')
    await kit.mill.send(steps, { key: 'a', n: 2 })
    await kit.clock.advance(3_000)
    expect(seen).toEqual([1])
    await kit.mill.topics.pause('steps', false)
    await kit.until(() => seen.length === 2)
  })

  test('that remembers finished ids runs each once, and remembers no failed one', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    for (const n of [1, 2, 3]) await kit.mill.send(steps, { key: 'a', n }, { id: 'same' })
    const seen: string[] = []
    kit.mill.consume(steps, 'g', ({ value: { n } }, { attempt }) => {
      seen.push(`${n}.${attempt}`)
      if (seen.length === 1) throw new Error('no')
    }, { retry: fixed({ attempts: 2, everyMs: 0 }), idempotent: { max: 10, windowMs: 60_000 } })
    await kit.until(() => seen.length === 1)
    await kit.clock.advance(1)
    await kit.idle()
    expect(seen).toEqual(['1.1', '1.2'])
    await kit.clock.advance(60_000)
    await kit.mill.send(steps, { key: 'a', n: 4 }, { id: 'same' })
    await kit.idle()
    expect(seen).toEqual(['1.1', '1.2', '4.1'])
  })

  test('whose policy itself fails falls back on the default, and says so', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(steps, { key: 'a', n: 1 })
    let runs = 0
    kit.mill.consume(steps, 'g', () => {
      runs += 1
      throw new Error('no')
    }, { retry: custom({ attempts: 9, delayMs: () => expect.unreachable('the policy is broken') }) })
    await kit.clock.advance(10_000)
    await kit.idle()
    expect(runs).toBe(5)
    expect(kit.troubles).toHaveLength(5)
    expect(await kit.deadLetters()).toHaveLength(1)
  })

  test('takes what it is not given from what the consumers have in common', async () => {
    await using kit = testKit({ consumers: { retry: [{ deadLetter: true }], deadlineMs: 50 } })
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(steps, { key: 'a', n: 1 })
    const runs: string[] = []
    const fail = (group: string) => (): void => {
      runs.push(group)
      throw new Error('no')
    }
    kit.mill.consume(steps, 'common', fail('common'))
    kit.mill.consume(steps, 'own', fail('own'), { retry: fixed({ attempts: 2, everyMs: 0 }) })
    kit.mill.consumeBatch(steps, 'batch', fail('batch'))
    kit.mill.consume(steps, 'slow', () => new Promise(() => undefined))
    await kit.clock.advance(50)
    await kit.idle()
    expect(runs.sort()).toEqual(['batch', 'common', 'own', 'own'])
    expect((await kit.deadLetters()).map(({ group, kind }) => `${group} ${kind}`).sort()).toEqual(['batch Error', 'common Error', 'own Error', 'slow TIMEOUT'])
  })

  test('outlives its topic: removed and created again, it goes on', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    const seen: number[] = []
    await kit.mill.consume(steps, 'g', ({ value: { n } }) => void seen.push(n)).ready
    await kit.mill.topics.remove('steps')
    await kit.clock.advance(5_000)
    await kit.mill.topics.ensure(steps)
    await kit.mill.send(steps, { key: 'a', n: 1 })
    await kit.clock.advance(20_000)
    await kit.idle()
    expect(seen).toEqual([1])
  })

  test('runs its handler in a unit of work of its own', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(steps)
    await kit.mill.sendMany(steps, items(all('ab', 1)))
    const units: unknown[] = []
    kit.mill.consume(steps, 'g', async () => {
      await Promise.resolve()
      units.push(currentUnit())
    })
    await kit.until(() => units.length === 2)
    expect(units[0]).toBeDefined()
    expect(units[0]).not.toBe(units[1])
  })
})
