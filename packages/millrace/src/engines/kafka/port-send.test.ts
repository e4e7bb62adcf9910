import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clients } from './clients.harness.js'
import type { KafkaClient } from './port.js'
import { codeOf, header, offsetsOf, readerOf, record, topicOf } from './port.harness.js'

describe.each(clients)('records sent through $name', ({ missing, make }) => {
  let client: KafkaClient

  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    client = make()
    await client.open()
  })
  afterEach(() => client?.close())

  it('come back with their key, value, headers and time, at the offsets that were answered', async () => {
    const topic = await topicOf(client)
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const headers = [header('b', 1), header('a', 0, 255), header('b', 2), ['all', bytes], header('none'), ['text', Buffer.from('grüß')]] as const
    const sent = await client.send([record(topic, 'value', { key: Buffer.from('key'), headers, timestamp: 1_600_000_000_123 })])
    const { told } = await readerOf(client, topic)
    await told.count(1)
    const [read] = told.all
    expect(offsetsOf(sent)).toEqual([read?.offset])
    expect(read).toMatchObject({ topic, partition: 0, timestamp: 1_600_000_000_123 })
    expect([read?.key?.toString(), read?.value?.toString()]).toEqual(['key', 'value'])
    expect(read?.headers.map(([name, value]) => [name, [...value]])).toEqual(headers.map(([name, value]) => [name, [...value]]))
  })

  it('may have the name of a property that objects have by themselves as a header', async () => {
    const topic = await topicOf(client)
    await client.send([record(topic, 'v', { headers: [header('__proto__', 1), header('constructor', 2), header('7', 3), header('length', 4)] })])
    const { told } = await readerOf(client, topic)
    await told.count(1)
    expect(told.all[0]?.headers.map(([name, value]) => [name, [...value]])).toEqual([['__proto__', [1]], ['constructor', [2]], ['7', [3]], ['length', [4]]])
  })

  it('tell no bytes from no value, and no bytes from no key', async () => {
    const topic = await topicOf(client)
    const none = Buffer.alloc(0)
    offsetsOf(await client.send([record(topic, '', { value: none, key: none }), record(topic, '', { value: null, key: null }), record(topic, '', { value: Buffer.from(''), key: null }), record(topic, '', { value: null, key: none })]))
    const { told } = await readerOf(client, topic)
    await told.count(4)
    expect(told.all.map(({ value, key }) => [value?.length ?? null, key?.length ?? null])).toEqual([[0, 0], [null, null], [0, null], [null, 0]])
  })

  it('keep their order within a partition, in a call and from call to call, and get the clock of now', async () => {
    const topic = await topicOf(client, 2)
    const before = Date.now() - 1_000
    const calls = Array.from({ length: 20 }, (_, call) => client.send(Array.from({ length: 10 }, (__, index) => record(topic, `${call} ${index}`, { partition: index % 2 }))))
    const offsets = (await Promise.all(calls)).flatMap(offsetsOf)
    expect(offsets).toHaveLength(200)
    const { reader, told } = await readerOf(client, topic)
    reader.add(topic, 1, 0n)
    await told.count(200)
    for (const partition of [0, 1]) {
      const wanted = Array.from({ length: 20 }, (_, call) => Array.from({ length: 10 }, (__, index) => index).filter((index) => index % 2 === partition).map((index) => `${call} ${index}`)).flat()
      expect(told.all.filter((each) => each.partition === partition).map(({ value }) => value?.toString())).toEqual(wanted)
    }
    expect(told.all.every(({ timestamp }) => timestamp >= before && timestamp <= Date.now() + 1_000)).toBe(true)
  })

  it('may be 10,000 at once', async () => {
    const topic = await topicOf(client, 4)
    const offsets = offsetsOf(await client.send(Array.from({ length: 10_000 }, (_, index) => record(topic, `${index}`, { partition: index % 4 }))))
    for (const partition of [0, 1, 2, 3]) expect(offsets.filter((_, index) => index % 4 === partition)).toEqual(Array.from({ length: 2_500 }, (_, index) => BigInt(index)))
  })

  it('may be more than the client has room for', async () => {
    const small = make({ 'queue.buffering.max.messages': 100 })
    try {
      const topic = await topicOf(small)
      const sent = await Promise.all([small.send(Array.from({ length: 1_000 }, (_, index) => record(topic, `${index}`))), small.send([record(topic, 'after')])])
      expect(sent.flatMap(offsetsOf)).toEqual(Array.from({ length: 1_001 }, (_, index) => BigInt(index)))
    } finally {
      await small.close()
    }
  })

  it('are refused one by one: too large, not stored, and those beside it are', async () => {
    const topic = await topicOf(client)
    const sent = await client.send([record(topic, 'first'), record(topic, '', { value: Buffer.alloc(3_000_000, 1) }), record(topic, 'last')])
    expect(sent.map(codeOf)).toEqual([undefined, 'TOO_LARGE, stored no', undefined])
    expect(offsetsOf(await client.send([record(topic, 'later')]))).toEqual([2n])
  })

  it('are refused when there is no such topic or partition', async () => {
    const topic = await topicOf(client)
    const sent = await client.send([record('no-such-topic', 'lost'), record(topic, 'lost', { partition: 7 }), record(topic, 'kept')])
    expect(sent.map(codeOf)).toEqual(['UNKNOWN_TOPIC, stored no', 'UNKNOWN_TOPIC, stored no', undefined])
    expect(await client.admin.describeTopic('no-such-topic')).toBeUndefined()
  })

  it('are none when nothing is given, and refused after the close', async () => {
    expect(await client.send([])).toEqual([])
    const topic = await topicOf(client)
    await client.close()
    expect((await client.send([record(topic, 'late')])).map(codeOf)).toEqual(['CLOSED, stored no'])
  })
})
