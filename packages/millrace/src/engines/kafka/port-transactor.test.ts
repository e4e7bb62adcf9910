import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clients } from './clients.harness.js'
import type { KafkaClient } from './port.js'
import { fresh, readerOf, record, topicOf } from './port.harness.js'

describe.each(clients)('a transactor of $name', ({ missing, make }) => {
  let client: KafkaClient

  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    client = make()
    await client.open()
  })
  afterEach(() => client?.close())

  it('commits records of several topics and partitions together, again and again', async () => {
    const [one, two] = [await topicOf(client, 2), await topicOf(client)]
    const transactor = await client.transactor(fresh('transactor'))
    for (const value of ['a', 'b', 'c']) expect(await transactor.commit([record(one, value), record(one, value, { partition: 1 }), record(two, value)])).toBe('committed')
    const { reader, told } = await readerOf(client, one)
    reader.add(one, 1, 0n)
    reader.add(two, 0, 0n)
    await told.count(9)
    expect(told.values().toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'])
  })

  it('runs commits that are asked for at once one after another', async () => {
    const topic = await topicOf(client)
    const transactor = await client.transactor(fresh('transactor'))
    expect(await Promise.all(['a', 'b', 'c'].map((value) => transactor.commit([record(topic, value)])))).toEqual(['committed', 'committed', 'committed'])
    const { told } = await readerOf(client, topic)
    await told.count(3)
    expect(told.values()).toEqual(['a', 'b', 'c'])
  })

  it('aborts when one record is refused, and goes on', async () => {
    const topic = await topicOf(client)
    const transactor = await client.transactor(fresh('transactor'))
    expect(await transactor.commit([record(topic, 'not this'), record('no-such-topic', 'nor this')])).toBe('aborted')
    expect(await transactor.commit([record(topic, 'this')])).toBe('committed')
    const { told } = await readerOf(client, topic)
    await told.count(1)
    expect(told.values()).toEqual(['this'])
  })

  it('is fenced by the next one of its id: nothing of it becomes visible, however often it tries', async () => {
    const topic = await topicOf(client)
    const id = fresh('transactor')
    const first = await client.transactor(id)
    expect(await first.commit([record(topic, 'before')])).toBe('committed')
    const second = await client.transactor(id)
    expect(await first.commit([record(topic, 'never')])).toBe('fenced')
    expect(await first.commit([record(topic, 'never')])).toBe('fenced')
    expect(await second.commit([record(topic, 'after')])).toBe('committed')
    const { told } = await readerOf(client, topic)
    await told.count(2)
    const [bounds] = await client.admin.bounds(topic, [0])
    await told.ended(topic, bounds?.end ?? -1n)
    expect(told.values()).toEqual(['before', 'after'])
  })

  it('does nothing after its close, and the client lives on', async () => {
    const topic = await topicOf(client)
    const transactor = await client.transactor(fresh('transactor'))
    await transactor.close()
    await expect(transactor.commit([record(topic, 'late')])).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await client.send([record(topic, 'alive')])).toEqual([{ offset: 0n }])
  })
})
