import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { currentUnit, type MillraceError, runUnit } from '../core/index.js'
import { memory } from '../engines/memory/index.js'
import { chaosEngine, HandClock, testKit, type TestKitOptions } from '../testing/index.js'
import { bytes } from './codec.js'
import type { StandardSchema } from './standard-schema.js'
import { topic } from './topic-contract.js'

const plain = topic<{ n: number }>('plain', { key: () => 'k', partitions: 4 })
const raw = topic('raw', { codec: bytes, partitions: 2 })

function troubledKit(options: Omit<TestKitOptions, 'clock' | 'engine'> = {}) {
  const clock = new HandClock()
  const chaos = chaosEngine(memory({ clock }), { clock })
  return { ...testKit({ ...options, engine: chaos, clock }), chaos }
}

async function refused(promise: Promise<unknown>): Promise<MillraceError> {
  return promise.then(
    () => expect.unreachable('it was taken'),
    (error: MillraceError) => error,
  )
}

describe('send', () => {
  test('answers with a receipt, and the message is as it was sent', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    const receipt = await kit.mill.send(plain, { n: 1 }, { id: 'one', headers: { color: 'blue' }, timestamp: 5, producerId: 'p' })
    expect(receipt).toMatchObject({ id: 'one', topic: 'plain', offset: expect.any(BigInt), timestamp: 5, duplicate: false })
    const [message] = await kit.published(plain)
    expect(message).toMatchObject({ id: 'one', key: 'k', value: { n: 1 }, timestamp: 5, producerId: 'p', partition: receipt.partition })
    expect(message?.headers.toJSON()).toEqual({ color: 'blue', 'content-type': 'application/json' })
  })

  test('knows a second one by its own id, where dedup names no other', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    const dedup = { windowMs: 1_000 }
    const first = await kit.mill.send(plain, { n: 1 }, { id: 'one', dedup })
    expect(await kit.mill.send(plain, { n: 2 }, { id: 'one', dedup })).toMatchObject({ duplicate: true, offset: first.offset })
    expect(await kit.mill.send(plain, { n: 3 }, { id: 'two', dedup: { id: 'one', windowMs: 1_000 } })).toMatchObject({ duplicate: true })
    expect(await refused(kit.mill.send(plain, { n: 4 }, { dedup }))).toMatchObject({ code: 'INVALID', field: 'dedup.id' })
    expect(await kit.mill.sendMany(plain, [{ value: { n: 5 }, dedup }])).toMatchObject([{ error: { code: 'INVALID', field: 'dedup.id' }, stored: 'no' }])
    expect(await kit.published(plain)).toHaveLength(1)
  })

  test('sends of one tick go to the engine together, in the order of the calls', async () => {
    await using kit = troubledKit()
    await kit.mill.topics.ensure(plain)
    await Promise.all(Array.from({ length: 50 }, (_, n) => kit.mill.send(plain, { n })))
    expect(kit.chaos.calls('publish')).toBe(1)
    expect((await kit.published(plain)).map(({ value }) => value?.n)).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  test('keeps the order of the calls where a schema takes its time', async () => {
    await using kit = testKit()
    const turns = [5, 1, 3]
    const slow: StandardSchema<{ n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        async validate(value) {
          const { n } = value as { n: number } // the test sends nothing else
          for (let turn = 0; turn < (turns[n] ?? 0); turn += 1) await new Promise((resolve) => setImmediate(resolve))
          return { value: { n } }
        },
      },
    }
    const checkedSlowly = topic('slow', { schema: slow, key: () => 'k', partitions: 1 })
    await kit.mill.topics.ensure(checkedSlowly)
    await Promise.all([0, 1, 2].map((n) => kit.mill.send(checkedSlowly, { n })))
    expect((await kit.published(checkedSlowly)).map(({ value }) => value?.n)).toEqual([0, 1, 2])
  })

  test('refuses what the schema refuses, naming the field', async () => {
    await using kit = testKit()
    const users = topic('users', { schema: z.object({ address: z.object({ city: z.string() }) }) })
    await kit.mill.topics.ensure(users)
    // As from a caller without types.
    const wrong = { address: { city: 7 } } as unknown as { address: { city: string } }
    const error = await refused(kit.mill.send(users, wrong))
    expect(error).toMatchObject({ code: 'SCHEMA', field: 'address.city', retryable: false })
    expect(await kit.published(users)).toEqual([])
  })

  test('what a schema changes on the way in is sent as it was given, and changed on arrival', async () => {
    await using kit = testKit()
    const lengths = topic('lengths', { schema: z.string().transform((text) => text.length) })
    await kit.mill.topics.ensure(lengths)
    await kit.mill.send(lengths, 'four')
    const [message] = await kit.published(lengths)
    expect(message?.value).toBe(4)
    expect(Buffer.from(message?.bytes ?? []).toString()).toBe('"four"')
  })

  test('refuses what the codec has no word for', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure('plain')
    expect(await refused(kit.mill.send('plain', undefined))).toMatchObject({ code: 'CODEC' })
    expect(await refused(kit.mill.send('plain', 1n))).toMatchObject({ code: 'CODEC' })
  })

  test('sends a tombstone as null bytes', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(raw)
    await kit.mill.send(raw, null, { key: 'k' })
    expect(await kit.published(raw)).toMatchObject([{ value: null, bytes: null, key: 'k' }])
  })

  test('to an unknown topic is an error, unless auto-creation is on', async () => {
    await using strict = testKit()
    expect(await refused(strict.mill.send(plain, { n: 1 }))).toMatchObject({ code: 'UNKNOWN_TOPIC' })
    expect(await refused(strict.mill.sendMany(plain, [{ value: { n: 1 } }]))).toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await using lenient = testKit({ autoCreate: { partitions: 7 } })
    await Promise.all([lenient.mill.send('any', 1), lenient.mill.send('any', 2), lenient.mill.send(plain, { n: 1 })])
    expect(await lenient.mill.topics.get('any')).toMatchObject({ partitions: 7 })
    expect(await lenient.mill.topics.get('plain')).toMatchObject({ partitions: 4 })
  })

  test('learns that a topic was removed and created again elsewhere', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    await kit.mill.send(plain, { n: 1 })
    await kit.mill.engine.topics.remove('plain')
    expect(await refused(kit.mill.send(plain, { n: 2 }))).toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await kit.mill.topics.ensure(plain)
    await kit.mill.send(plain, { n: 3 })
    expect(await kit.published(plain)).toHaveLength(1)
  })

  test('carries the trace and the bookmark of the caller', async () => {
    await using kit = testKit()
    await kit.mill.topics.ensure(plain)
    const bookmark = new Map([['db', { history: 'h', order: 7n }]])
    const seen: unknown[] = []
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await runUnit({ bookmark, trace: { traceparent, tracestate: 'a=b' } }, () => kit.mill.send(plain, { n: 1 }))
    kit.mill.consume(plain, 'g', (_, context) => {
      seen.push(context.bookmark, context.trace, currentUnit()?.bookmark, currentUnit()?.trace)
    })
    await kit.until(() => seen.length === 4)
    const trace = { traceparent, tracestate: 'a=b' }
    expect(seen).toEqual([bookmark, trace, bookmark, trace])
  })

  test('an answer that was lost is UNKNOWN_OUTCOME, a call that failed may have been stored', async () => {
    await using kit = troubledKit()
    await kit.mill.topics.ensure(plain)
    kit.chaos.trouble('publish', { is: 'lose-answer' })
    expect(await refused(kit.mill.send(plain, { n: 1 }))).toMatchObject({ code: 'UNKNOWN_OUTCOME', retryable: true })
    kit.chaos.trouble('publish', { is: 'fail' })
    const [answer] = await kit.mill.sendMany(plain, [{ value: { n: 2 } }])
    expect(answer).toMatchObject({ stored: 'unknown', error: { code: 'ENGINE_FAILED' } })
  })

  test('a signal that aborts before it is sent takes it back', async () => {
    await using kit = troubledKit()
    await kit.mill.topics.ensure(plain)
    expect(await refused(kit.mill.send(plain, { n: 1 }, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' })
    const abort = new AbortController()
    const sent = refused(kit.mill.send(plain, { n: 2 }, { signal: abort.signal }))
    abort.abort()
    expect(await sent).toMatchObject({ code: 'ABORTED' })
    kit.chaos.trouble('publish', { is: 'delay', ms: 1_000 })
    const late = new AbortController()
    const underWay = refused(kit.mill.send(plain, { n: 3 }, { signal: late.signal }))
    await kit.until(() => kit.chaos.calls('publish') === 1)
    late.abort()
    expect(await underWay).toMatchObject({ code: 'UNKNOWN_OUTCOME' })
    await kit.clock.advance(1_000)
    expect(await kit.published(plain)).toHaveLength(1)
  })
})

describe('sendMany', () => {
  test('gives one answer for each, and one message’s failure is not another’s', async () => {
    await using kit = testKit()
    const numbers = topic('numbers', { schema: z.number().max(5), partitions: 1 })
    await kit.mill.topics.ensure(numbers)
    const answers = await kit.mill.sendMany(numbers, [{ value: 1 }, { value: 9 }, { value: 2, partition: 4 }, { value: 3 }])
    expect(answers).toMatchObject([{ ok: { offset: expect.any(BigInt) } }, { stored: 'no', error: { code: 'SCHEMA' } }, { stored: 'no', error: { code: 'INVALID', field: 'partition' } }, { ok: {} }])
    expect((await kit.published(numbers)).map(({ value }) => value)).toEqual([1, 3])
  })

  test('takes more at once than the buffer holds', async () => {
    await using kit = testKit({ buffer: { maxMessages: 100 } })
    await kit.mill.topics.ensure(plain)
    const answers = await kit.mill.sendMany(plain, Array.from({ length: 2_500 }, (_, n) => ({ value: { n } })))
    expect(answers.every((answer) => 'ok' in answer)).toBe(true)
    expect((await kit.published(plain)).map(({ value }) => value?.n)).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
  })
})

describe('a full send buffer', () => {
  /** Four publishes under way, which is all there may be, and `waiting` messages in the buffer. */
  async function filled(whenFull: 'wait' | 'reject' | 'drop-oldest', waiting: number) {
    const kit = troubledKit({ buffer: { maxMessages: 3, whenFull, timeoutMs: 500 } })
    await kit.mill.topics.ensure(plain)
    kit.chaos.trouble('publish', { is: 'delay', ms: 2_000 }, { times: 4 })
    const underWay: Promise<unknown>[] = []
    for (let n = 0; n < 4; n += 1) {
      underWay.push(kit.mill.send(plain, { n }))
      await kit.until(() => kit.chaos.calls('publish') === n + 1)
    }
    const outcomes: string[] = []
    for (let n = 4; n < 4 + waiting; n += 1) {
      kit.mill.send(plain, { n }).then(
        () => outcomes.push(`${n} sent`),
        (error: MillraceError) => outcomes.push(`${n} ${error.code}`),
      )
    }
    return { kit, underWay, outcomes }
  }

  test('rejects with FULL when told to', async () => {
    const { kit, outcomes } = await filled('reject', 4)
    await kit.until(() => outcomes.length === 1)
    expect(outcomes).toEqual(['7 FULL'])
    await kit.clock.advance(2_000)
    expect(outcomes).toEqual(['7 FULL', '4 sent', '5 sent', '6 sent'])
    await kit.close()
  })

  test('drops the oldest that is not under way when told to', async () => {
    const { kit, outcomes } = await filled('drop-oldest', 5)
    await kit.until(() => outcomes.length === 2)
    expect(outcomes).toEqual(['4 FULL', '5 FULL'])
    await kit.clock.advance(2_000)
    expect(outcomes.slice(2)).toEqual(['6 sent', '7 sent', '8 sent'])
    await kit.close()
  })

  test('lets senders wait for room, in order, and not for ever', async () => {
    const { kit, outcomes } = await filled('wait', 4)
    await kit.clock.advance(499)
    expect(outcomes).toEqual([])
    await kit.clock.advance(1)
    expect(outcomes).toEqual(['7 FULL'])
    await kit.clock.advance(1_500)
    expect((await kit.published(plain)).map(({ value }) => value?.n)).toEqual([0, 1, 2, 3, 4, 5, 6])
    await kit.close()
  })
})
