import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clients } from './clients.harness.js'
import type { KafkaClient, NewRecord } from './port.js'
import { fresh, offsetsOf, readerOf, record, topicOf, until } from './port.harness.js'

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `${from + index}`)
const numbered = (topic: string, from: number, to: number, partition = 0): NewRecord[] => numbers(from, to).map((each) => record(topic, each, { partition }))

describe.each(clients)('a reader of $name', ({ missing, make }) => {
  let client: KafkaClient

  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    client = make()
    await client.open()
  })
  afterEach(() => client?.close())

  it('is told the end of an empty topic, what comes later, and the end again', async () => {
    const topic = await topicOf(client)
    const { told } = await readerOf(client, topic)
    await told.ended(topic, 0n)
    await client.send(numbered(topic, 0, 3))
    await told.ended(topic, 3n)
    expect(told.values()).toEqual(numbers(0, 3))
  })

  it('reads from a place, jumps back and forth, and brings nothing of before a jump after it', async () => {
    const topic = await topicOf(client)
    await client.send(numbered(topic, 0, 5_000))
    const { reader, told } = await readerOf(client, topic, 4_000n)
    await told.count(1)
    for (const [from, to] of [[10, 5_000], [4_999, 5_000], [0, 5_000]] as const) {
      reader.add(topic, 0, BigInt(from))
      const before = told.all.length
      await until('the rest', () => told.values().slice(before).length >= to - from)
      expect(told.values().slice(before)).toEqual(numbers(from, to))
    }
  })

  it('brings nothing of a partition that is taken out or paused, from the call on, even in the middle of what has come', async () => {
    const topic = await topicOf(client, 3)
    for (const partition of [0, 1, 2]) await client.send(numbered(topic, 0, 3_000, partition))
    const { reader, told } = await readerOf(client, topic)
    let isStopped = false
    told.onRecords = (_, partition) => {
      if (isStopped && partition !== 1) throw new Error(`records of ${partition} after it was stopped`)
      if (partition !== 1 || isStopped) return
      isStopped = true
      reader.pause(topic, 0)
      reader.remove(topic, 2)
    }
    reader.add(topic, 2, 0n)
    reader.add(topic, 1, 0n)
    await told.ended(topic, 3_000n, 1)
    await client.send(numbered(topic, 3_000, 3_010, 1))
    await told.ended(topic, 3_010n, 1)
    told.onRecords = undefined
    reader.resume(topic, 0)
    await told.ended(topic, 3_000n, 0)
    expect(told.all.filter(({ partition }) => partition === 0).map(({ value }) => value?.toString())).toEqual(numbers(0, 3_000))
  })

  it('loses nothing and doubles nothing when it is paused at each call with records', async () => {
    const topic = await topicOf(client, 2)
    await Promise.all([0, 1].map((partition) => client.send(numbered(topic, 0, 10_000, partition))))
    const { reader, told } = await readerOf(client, topic)
    told.onRecords = (_, partition) => {
      reader.pause(topic, partition)
      setImmediate(() => reader.resume(topic, partition))
    }
    reader.add(topic, 1, 0n)
    await told.ended(topic, 10_000n, 0)
    await told.ended(topic, 10_000n, 1)
    for (const partition of [0, 1]) expect(told.all.filter((each) => each.partition === partition).map(({ value }) => value?.toString())).toEqual(numbers(0, 10_000))
  })

  it('keeps a pause that was asked for before the first record', async () => {
    const topic = await topicOf(client, 2)
    await Promise.all([0, 1].map((partition) => client.send(numbered(topic, 0, 10, partition))))
    const { reader, told } = await readerOf(client, topic)
    reader.pause(topic, 0)
    reader.add(topic, 1, 0n)
    await told.ended(topic, 10n, 1)
    expect(told.all.filter(({ partition }) => partition === 0)).toEqual([])
    reader.resume(topic, 0)
    await told.ended(topic, 10n, 0)
  })

  it('brings committed records only, and is told an end behind the markers of transactions', async () => {
    const topic = await topicOf(client)
    const transactor = await client.transactor(fresh('transactor'))
    const { told } = await readerOf(client, topic)
    expect(await transactor.commit(numbered(topic, 0, 2))).toBe('committed')
    // The second record is refused, so that the first is aborted.
    expect(await transactor.commit([record(topic, 'aborted'), record(topic, '', { value: Buffer.alloc(3_000_000, 1) })])).toBe('aborted')
    expect(await transactor.commit(numbered(topic, 2, 4))).toBe('committed')
    // The answer to a commit comes before its markers are in the log.
    await told.count(4)
    const [bounds] = await client.admin.bounds(topic, [0])
    await told.ended(topic, bounds?.end ?? -1n)
    expect(told.values()).toEqual(numbers(0, 4))
    expect(bounds?.end).toBeGreaterThan(told.all.at(-1)?.offset ?? 0n)
    const second = await readerOf(client, topic, bounds?.end)
    await second.told.ended(topic, bounds?.end ?? -1n)
  })

  it('is told that its place was deleted, and reads the others on', async () => {
    const topic = await topicOf(client, 2)
    await Promise.all([0, 1].map((partition) => client.send(numbered(topic, 0, 10, partition))))
    await client.admin.deleteRecords(topic, new Map([[0, 6n]]))
    const { reader, told } = await readerOf(client, topic, 3n)
    reader.add(topic, 1, 3n)
    await until('the loss', () => told.losses.length > 0)
    expect(told.losses).toEqual([`${topic} 0 deleted`])
    await told.ended(topic, 10n, 1)
    reader.add(topic, 0, 6n)
    await told.ended(topic, 10n, 0)
    expect(told.all.filter(({ partition }) => partition === 0).map(({ offset }) => offset)).toEqual([6n, 7n, 8n, 9n])
  })

  it('is told that its place lies beyond the log', async () => {
    const topic = await topicOf(client)
    await client.send(numbered(topic, 0, 3))
    const { told } = await readerOf(client, topic, 50n)
    await until('the loss', () => told.losses.length > 0)
    expect(told.losses).toEqual([`${topic} 0 deleted`])
  })

  it('is told that its topic is gone', async () => {
    const topic = await topicOf(client)
    const { told } = await readerOf(client, topic)
    await told.ended(topic, 0n)
    await client.admin.removeTopic(topic)
    await until('the loss', () => told.losses.length > 0)
    expect(told.losses).toEqual([`${topic} 0 gone`])
  })

  it('reads several topics, and closes alone', async () => {
    const [one, two] = [await topicOf(client), await topicOf(client)]
    const first = await readerOf(client, one)
    const second = await readerOf(client, two)
    first.reader.add(two, 0, 0n)
    await second.reader.close()
    expect(offsetsOf(await client.send([record(one, 'a'), record(two, 'b')]))).toEqual([0n, 0n])
    await first.told.count(2)
    expect(first.told.values().toSorted()).toEqual(['a', 'b'])
    expect(second.told.all).toEqual([])
  })
})
