import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokers, noBroker } from '../clients.harness.js'
import type { KafkaClient } from '../port.js'
import { codeOf, offsetsOf, readerOf, record, topicOf } from '../port.harness.js'
import { FaultySockets } from './faulty-sockets.harness.js'
import { kafkajs } from './index.js'

const module = await import('kafkajs')

describe('records whose answers get lost, through kafkajs', () => {
  const sockets = new FaultySockets()
  let client: KafkaClient
  let topic: string

  beforeEach(async (context) => {
    if (noBroker !== undefined) context.skip(noBroker)
    client = kafkajs({ module, brokers, settings: { socketFactory: sockets.factory }, patienceMs: 2_000 })
    await client.open()
    topic = await topicOf(client)
  })
  afterEach(async () => {
    sockets.answersToLose = 0
    await client?.close()
  })

  it('are sent again and stored once, at the offset of the first time', async () => {
    await client.send([record(topic, 'before')])
    sockets.answersToLose = 3
    expect(offsetsOf(await client.send([record(topic, 'a'), record(topic, 'b')]))).toEqual([1n, 2n])
    expect(sockets.answersToLose).toBe(0)
    expect(offsetsOf(await client.send([record(topic, 'after')]))).toEqual([3n])
    const { told } = await readerOf(client, topic)
    await told.ended(topic, 4n)
    expect(told.values()).toEqual(['before', 'a', 'b', 'after'])
  })

  it('for longer than the client waits are unknown, and the next ones are not taken for their repetition', async () => {
    await client.send([record(topic, 'before')])
    sockets.answersToLose = Infinity
    expect((await client.send([record(topic, 'lost')])).map(codeOf)).toEqual(['UNKNOWN_OUTCOME, stored unknown'])
    sockets.answersToLose = 0
    expect(offsetsOf(await client.send([record(topic, 'x')]))).toEqual([2n])
    expect(offsetsOf(await client.send([record(topic, 'y')]))).toEqual([3n])
    const { told } = await readerOf(client, topic)
    await told.ended(topic, 4n)
    expect(told.values()).toEqual(['before', 'lost', 'x', 'y'])
  })

  it('do not hinder a transaction from being whole', async () => {
    const transactor = await client.transactor(topic)
    sockets.answersToLose = 2
    expect(await transactor.commit([record(topic, 'a'), record(topic, 'b')])).toBe('committed')
    expect(await transactor.commit([record(topic, 'c')])).toBe('committed')
    const { told } = await readerOf(client, topic)
    await told.count(3)
    expect(told.values()).toEqual(['a', 'b', 'c'])
  })
})
