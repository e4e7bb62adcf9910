import { expect, test } from 'vitest'
import { MillraceError, runUnit } from '../core/index.js'
import { testKit } from '../testing/index.js'
import type { Middleware } from './middleware.js'
import { fixed } from './retry-policy.js'
import { topic } from './topic-contract.js'

const plain = topic<string>('plain', { partitions: 1 })

/** Turns every byte round, and says so in a header. */
const mirror: Middleware = {
  name: 'mirror',
  outgoing: (message) => ({ ...message, value: message.value && Uint8Array.from(message.value).reverse(), headers: [...message.headers, ['mirrored', Buffer.from('yes')]] }),
  incoming: (message) => ({ ...message, value: message.value && Uint8Array.from(message.value).reverse() }),
}

/** Puts a letter in front, and takes it off. */
const prefix = (letter: string): Middleware => ({
  name: `prefix ${letter}`,
  outgoing: async (message) => ({ ...message, value: Buffer.concat([Buffer.from(letter), message.value ?? Buffer.of()]) }),
  incoming: async (message) => {
    if (message.value?.[0] !== letter.charCodeAt(0)) throw new MillraceError('CODEC', `${letter} is not in front`)
    return { ...message, value: message.value.subarray(1) }
  },
})

test('middleware changes what travels, in order, and undoes it in reverse before the handler sees it', async () => {
  await using kit = testKit({ middleware: [prefix('a'), prefix('b'), mirror] })
  await kit.mill.topics.ensure(plain)
  await kit.mill.send(plain, 'hi')
  await kit.mill.sendMany(plain, [{ value: 'you' }])
  const [stored] = (await kit.mill.engine.browse({ topic: 'plain', from: 'start', limit: 1 })).items
  expect(Buffer.from(stored?.value ?? []).toString()).toBe('"ih"ab')
  const seen: unknown[] = []
  kit.mill.consume(plain, 'g', ({ value, headers }) => void seen.push(value, headers.get('mirrored')))
  kit.mill.consumeBatch(plain, 'h', (messages) => void seen.push(...messages.map(({ value }) => value)))
  await kit.idle()
  expect(seen.sort()).toEqual(['hi', 'hi', 'yes', 'yes', 'you', 'you'])
  expect((await kit.published(plain)).map(({ value }) => value)).toEqual(['hi', 'you'])
})

test('dead letters are seen, searched and edited as they were before middleware', async () => {
  await using kit = testKit({ middleware: [mirror, prefix('a')] })
  await kit.mill.topics.ensure(plain)
  await kit.mill.send(plain, 'abc')
  const seen: string[] = []
  kit.mill.consume(plain, 'g', ({ value }) => {
    seen.push(value)
    if (value === 'abc') throw new Error('no')
  }, { retry: [{ deadLetter: true }] })
  await kit.idle()
  const { items: [letter] } = await kit.mill.deadLetters.search({ text: 'abc', topic: plain })
  expect(letter?.value).toBe('abc')
  await kit.mill.deadLetters.redrive({ edit: () => ({ value: 'xyz' }) })
  await kit.idle()
  expect(seen).toEqual(['abc', 'xyz'])
})

test('what middleware cannot undo is a failed attempt, and a dead letter when it is hopeless', async () => {
  let isDown = true
  const keys: Middleware = {
    name: 'keys',
    incoming: (message) => {
      if (isDown) throw new Error('key service is down')
      return message
    },
  }
  await using kit = testKit({ middleware: [keys] })
  await kit.mill.topics.ensure(plain)
  await kit.mill.send(plain, 'hi')
  const seen: string[] = []
  kit.mill.consume(plain, 'g', ({ value }, { attempt }) => void seen.push(`${value} ${attempt}`), { retry: fixed({ attempts: 2, everyMs: 1_000 }) })
  await kit.clock.advance(999)
  isDown = false
  await kit.clock.advance(2)
  await kit.idle()
  expect(seen).toEqual(['hi 2'])
})

test('an around hook for batches surrounds each run, sees each message’s trace, and its throw fails them all', async () => {
  const seen: string[] = []
  const around = (name: string): Middleware => ({
    name,
    async aroundBatch(messages, { group }, run) {
      seen.push(`${name} before ${group} ${messages.map(({ value, attempt, trace }) => `${String(value)}.${attempt} ${trace?.traceparent ?? 'none'}`).join(', ')}`)
      await run()
      seen.push(`${name} after`)
      if (name === 'outer' && messages[0]?.attempt === 1) throw new Error('too late')
    },
  })
  await using kit = testKit({ middleware: [around('outer'), around('inner')] })
  await kit.mill.topics.ensure(plain)
  await runUnit({ trace: { traceparent: '00-1' } }, () => kit.mill.sendMany(plain, [{ value: 'a' }]))
  await kit.mill.send(plain, 'b')
  kit.mill.consumeBatch(plain, 'g', () => undefined, { retry: fixed({ attempts: 2, everyMs: 0 }) })
  await kit.until(() => seen.length >= 4)
  await kit.clock.advance(1)
  await kit.idle()
  const first = ['outer before g a.1 00-1, b.1 none', 'inner before g a.1 00-1, b.1 none', 'inner after', 'outer after']
  expect(seen).toEqual([...first, ...first.map((line) => line.replaceAll('.1 ', '.2 '))])
})

test('an around hook for batches hears of wrong verdicts, and leaves right ones as they are', async () => {
  const seen: string[] = []
  const around: Middleware = {
    name: 'around',
    async aroundBatch(_messages, _context, run) {
      await run().catch((error: unknown) => {
        seen.push(String(error))
        throw error
      })
    },
  }
  await using kit = testKit({ middleware: [around] })
  await kit.mill.topics.ensure(plain)
  await kit.mill.sendMany(plain, [{ value: 'a' }, { value: 'b' }])
  kit.mill.consumeBatch(plain, 'g', (messages) => (messages[0]?.attempt === 1 ? ['done'] : ['done', { deadLetter: 'no' }]), { retry: fixed({ attempts: 3, everyMs: 10 }) })
  await kit.until(() => seen.length === 1)
  await kit.clock.advance(10)
  await kit.idle()
  expect(seen).toMatchObject([expect.stringContaining('1 verdicts for 2 messages')])
  expect(await kit.deadLetters()).toMatchObject([{ value: 'b' }])
})

test('an around hook surrounds each run, in order, and its throw is the handler’s', async () => {
  const seen: string[] = []
  const around = (name: string): Middleware => ({
    name,
    async around(message, { attempt }, run) {
      seen.push(`${name} before ${String(message.value)}.${attempt}`)
      await run()
      seen.push(`${name} after`)
      if (name === 'outer' && attempt === 1) throw new Error('too late')
    },
  })
  await using kit = testKit({ middleware: [around('outer'), around('inner')] })
  await kit.mill.topics.ensure(plain)
  await kit.mill.send(plain, 'hi')
  kit.mill.consume(plain, 'g', () => void seen.push('handler'), { retry: fixed({ attempts: 2, everyMs: 0 }) })
  await kit.until(() => seen.length >= 5)
  await kit.clock.advance(1)
  await kit.idle()
  expect(seen).toEqual([
    'outer before hi.1', 'inner before hi.1', 'handler', 'inner after', 'outer after',
    'outer before hi.2', 'inner before hi.2', 'handler', 'inner after', 'outer after',
  ])
})
