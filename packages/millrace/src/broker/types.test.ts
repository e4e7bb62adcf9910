import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Handler, Received } from './received.js'
import { bytes } from './codec.js'
import type { Millrace } from './millrace.js'
import { topic, type TopicContract } from './topic-contract.js'

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false

function same<One, Other>(answer: Same<One, Other>): void {
  expect(answer).toBe(true)
}

const answers = topic('answers', {
  schema: z.object({ user: z.string(), at: z.string().transform((text) => new Date(text)), tries: z.number().default(1) }),
  key: (answer) => answer.user,
  partitions: 8,
})
type Sent = { user: string; at: string; tries?: number | undefined }
type Got = { user: string; at: Date; tries: number }

test('send takes what the schema takes, and a handler gets what it gives', () => {
  same<typeof answers, TopicContract<Sent, Got>>(true)
  same<{ user: number; at: string } extends Parameters<typeof answers.key>[0] ? true : false, false>(true)
  const use = (mill: Millrace): void => {
    void mill.send(answers, { user: 'u', at: '2026-01-01' })
    void mill.sendMany(answers, [{ value: { user: 'u', at: '2026-01-01' } }])
    mill.consume(answers, 'g', (message) => same<typeof message, Received<Got>>(true))
    mill.consumeBatch(answers, 'g', (messages) => same<typeof messages, readonly Received<Got>[]>(true))
    void mill.peek(answers).then(({ items }) => same<NonNullable<(typeof items)[number]['value']>, Got>(true))
  }
  expect(use).toBeTypeOf('function')
})

test('a topic without a schema has the type it is given, or the codec’s, or unknown', () => {
  const orders = topic<{ id: number }>('orders', { key: (order) => order.id })
  same<typeof orders, TopicContract<{ id: number }>>(true)
  const raw = topic('raw', { codec: bytes })
  same<typeof raw, TopicContract<Uint8Array | null>>(true)
  const plain = topic('plain')
  same<typeof plain, TopicContract>(true)
  const use = (mill: Millrace): void => {
    void mill.send('plain', { anything: true })
    const handler: Handler<unknown> = (message) => same<typeof message.value, unknown>(true)
    mill.consume('plain', 'g', handler)
    mill.consume('plain', 'g', (message) => same<typeof message, Received<unknown>>(true))
  }
  expect(use).toBeTypeOf('function')
})

test('a key is text, whatever the contract makes it from, and absent when there is none', () => {
  expect(topic<{ id: number }>('orders', { key: (order) => order.id }).key({ id: 7 })).toBe('7')
  expect(topic('plain').key({})).toBeNull()
})
