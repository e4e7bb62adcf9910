import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Random } from '../random.mjs'
import { consumerKilled } from '../rows/f02-consumer-killed.mjs'
import { poison } from '../rows/f15-poison.mjs'
import { rivalAdapter } from './adapter.mjs'
import { play as consumer } from './actors/consumer.mjs'
import { adapter as confluent } from './confluent.mjs'
import { adapter as kafkajs } from './kafkajs.mjs'
import { adapter as toolkit } from './mq-toolkit.mjs'

/** Writes down in memory. */
function recorder() {
  const lines = []
  let calls = 0
  const record = (kind, fields) => lines.push({ kind, ...fields })
  const invoke = (op, fields) => {
    const call = (calls += 1)
    record('invoke', { op, call, ...fields })
    return { ok: (answer) => record('ok', { call, ...answer }), info: (error) => record('info', { call, code: error.code }) }
  }
  return { lines, record, invoke, together: (work) => work() }
}

/** A consumer on a client that does what the test says. */
async function consuming(options = {}) {
  const told = recorder()
  const seams = {}
  const client = { consume: async (request) => Object.assign(seams, request, { close: () => undefined }), close: () => undefined }
  const verbs = await consumer({
    adapter: rivalAdapter({ name: 'fake', open: () => Promise.resolve(client) }),
    recorder: told, random: new Random(1), process: 'a-1.1', generation: 1, options: { topic: 't', group: 'a', workMs: 0, ...options },
  })
  return { ...told, ...seams, verbs }
}

function message(offset) {
  return { partition: 0, offset: String(offset), key: 'k', value: JSON.stringify({ id: `k-${offset}`, key: 'k', sequence: offset }) }
}

it('a verdict is answered when the broker has confirmed a place behind its message', async () => {
  const { handle, taken, lines } = await consuming()
  for (const offset of [1, 2, 3]) await handle(message(offset))
  taken('0', '3')
  const answered = lines.filter(({ kind }) => kind === 'ok').map(({ call }) => lines.find((each) => each.kind === 'invoke' && each.call === call).id)
  expect(answered).toEqual(['k-1', 'k-2'])
})

it('what was not confirmed before its group shared out anew never is, nor what was still in its handler then', async () => {
  const { handle, taken, moved, lines } = await consuming()
  await handle(message(1))
  const running = handle(message(2))
  moved()
  await running
  taken(0, 3)
  expect(lines.filter(({ kind }) => kind === 'ok')).toEqual([])
})

it('a handler that fails asks for its message again, as often as it fails, and counts the tries', async () => {
  const { handle, lines } = await consuming({ failing: { share: 1, forMs: Infinity } })
  for (let tries = 0; tries < 2; tries += 1) await expect(handle(message(1))).rejects.toThrow('away')
  expect(lines.map(({ kind, is, attempt }) => is ?? `${kind} ${attempt}`)).toEqual(['delivered 1', 'retry', 'delivered 2', 'retry'])
})

it('a row is played without what a rival has not, and one that asks for more is not played', () => {
  const played = kafkajs.plays(consumerKilled)
  expect(new Set(played.scene.parts.map(({ role }) => role))).toEqual(new Set(['producer', 'consumer']))
  expect(played.checks).not.toContain('I7')
  expect(kafkajs.plays(poison).cannot()).toContain('F2')
})

describe('a rival sends, consumes, and has its place confirmed where it says so', () => {
  for (const [{ rival }, client] of [[kafkajs, 'each'], [kafkajs, 'batch'], [confluent, 'low-level'], [confluent, 'promises'], [toolkit]]) {
    it([rival.name, client].filter((each) => each).join(' '), { timeout: 120_000 }, (context) => exchange(rival, client, context))
  }
})

async function exchange(rival, client, context) {
  const why = rival.missing?.({}) ?? rival.missingHere?.()
  if (why !== undefined) context.skip(`${rival.name}: ${why}`)
  const answer = await fetch(`${process.env.SERVICES_AT}/kafka?nodes=1`)
  if (!answer.ok) context.skip(await answer.text())
  const { brokers } = await answer.json()
  const topic = `rival-${randomUUID()}`
  await made(brokers, topic)
  const opened = await rival.open({ settings: { brokers, client, isQuiet: true, ...(await rival.prepare?.({})) }, process: 'test' })
  const seen = []
  const untold = rival.untold?.({ client }) ?? []
  const confirmed = new Promise((resolve) => {
    const taken = (partition, next) => Number(partition) === 1 && BigInt(next) === 2n && resolve()
    const handle = async ({ key, offset }) => {
      seen.push(`${String(key)} ${offset}`)
      if (seen.length === 2 && untold.includes('I8')) resolve()
    }
    const joining = opened.consume({ topic, group: `of-${topic}`, member: 'm', leaseMs: 6_000, handle, taken, moved: () => undefined })
    onTestFinished(async () => {
      await (await joining).close()
      await opened.close()
    }, 60_000)
  })
  const facts = [1, 2].map((sequence) => ({ id: `k-${sequence}`, key: 'k', sequence }))
  const places = await opened.send(topic, facts.map((each) => ({ id: each.id, key: 'k', partition: 1, facts: each, value: Buffer.from(JSON.stringify(each)) })))
  expect(places.map(({ offset }) => offset ?? 'not told')).toEqual(untold.includes('I11') ? ['not told', 'not told'] : ['0', '1'])
  await confirmed
  expect(seen).toEqual(['k 0', 'k 1'])
}

async function made(brokers, topic) {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] })
  await admin.disconnect()
}
