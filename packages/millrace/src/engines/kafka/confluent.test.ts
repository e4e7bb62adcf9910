import { once } from 'node:events'
import { createServer } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.js'
import { brokers, native, noNative, pure } from './clients.harness.js'
import { confluent } from './confluent.js'
import { KafkajsConfigs, noConfigs } from './confluent/configs.js'
import { addressed, fromNative, toNative } from './confluent/header.js'
import { checkSettings } from './confluent/settings.js'
import type { ConfluentModule } from './confluent/structure.js'
import { fresh, header, Joined, readerOf, record, topicOf, until } from './port.harness.js'

describe('the native client', () => {
  let module: ConfluentModule

  beforeEach((context) => {
    if (native === undefined) context.skip(noNative)
    else module = native
  })

  it('says CONFIG in its time when nothing answers at the address, and can be closed', async () => {
    // A server that takes connections and says nothing.
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const client = confluent({ module, brokers: [`127.0.0.1:${port}`], answerMs: 500 })
    await expect(client.open()).rejects.toMatchObject({ code: 'CONFIG' })
    await client.close()
    server.close()
  })

  it('says CONFIG for a setting that librdkafka does not know', async () => {
    const client = confluent({ module, brokers, settings: { 'no.such.setting': 1 } })
    await expect(client.open()).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('no.such.setting') })
    await client.close()
  })

  it('cannot change the settings of a topic by itself and says what to do', async () => {
    const client = confluent({ module, brokers })
    try {
      const topic = await topicOf(client)
      await expect(client.admin.alterConfig(topic, {})).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining("import('kafkajs')") })
      expect((await client.admin.describeTopic(topic))?.config).toEqual({})
    } finally {
      await client.close()
    }
  })

  it('changes settings beside those that others have made', async () => {
    const client = confluent({ module, brokers })
    const configs = new KafkajsConfigs({ module: pure }, brokers, systemClock, 5_000)
    try {
      const topic = await topicOf(client, 1, { 'segment.bytes': '1048576' })
      await configs.alter(topic, { 'retention.ms': '1000' })
      expect(await configs.describe(topic)).toMatchObject({ 'segment.bytes': '1048576', 'retention.ms': '1000' })
    } finally {
      await Promise.all([configs.close(), client.close()])
    }
  })

  it('joins a group anew that has thrown it out, and has its partitions again', async () => {
    const client = confluent({ module, brokers })
    const admin = new pure.Kafka({ brokers: [...brokers], logLevel: pure.logLevel.NOTHING }).admin()
    try {
      const [topic, group] = [await topicOf(client, 3), fresh('group')]
      const joined = await Joined.in(client, topic, group)
      await joined.owns(3)
      await admin.connect()
      const [known] = (await admin.describeGroups([group])).groups[0]?.members ?? []
      // Of a static member it is its own name and one that the broker gave.
      const other = new module.RdKafka.KafkaConsumer({ 'metadata.broker.list': brokers.join(), 'group.id': group, 'group.instance.id': known?.memberId.slice(0, -37), 'partition.assignment.strategy': 'cooperative-sticky', 'session.timeout.ms': 6_000 })
      other.on('error', () => undefined)
      await new Promise((resolve) => other.connect({ topic, allTopics: false, timeout: 5_000 }, resolve))
      other.subscribe([topic])
      await until('the member is thrown out', () => joined.lostOnes.length === 3)
      await new Promise<void>((resolve) => void other.disconnect(() => resolve()))
      await joined.owns(3)
      await joined.member.leave()
    } finally {
      await Promise.all([admin.disconnect(), client.close()])
    }
  })

  it('is closed in the middle of everything, again and again, and the process lives', async () => {
    for (let round = 0; round < 5; round += 1) {
      const client = confluent({ module, brokers })
      const topic = await topicOf(client, 3)
      const joined = await Joined.in(client, topic, fresh('group'))
      await joined.owns(3)
      const transactor = await client.transactor(fresh('transactor'))
      const { reader } = await readerOf(client, topic)
      const work = Promise.allSettled([
        ...Array.from({ length: 20 }, () => client.send(Array.from({ length: 200 }, () => record(topic, 'v')))),
        ...Array.from({ length: 5 }, () => transactor.commit([record(topic, 'v')])),
        joined.member.commit(new Map([[0, 1n]])),
        client.admin.bounds(topic, [0, 1, 2]),
        client.reader({ records: () => undefined, end: () => undefined, lost: () => undefined, trouble: () => undefined }),
        client.transactor(fresh('transactor')),
      ])
      await Promise.all([client.close(), client.close()])
      reader.pause(topic, 0)
      reader.add(topic, 1, 0n)
      for (const { status } of await work) expect(['fulfilled', 'rejected']).toContain(status)
    }
  })
})

describe('settings for librdkafka', () => {
  it('may be anything but what the promises rest on', () => {
    checkSettings({ 'security.protocol': 'sasl_ssl', 'sasl.username': 'u', 'linger.ms': 3 })
    for (const field of ['acks', 'enable.idempotence', 'isolation.level', 'enable.auto.commit', 'transactional.id', 'group.id', 'auto.offset.reset']) {
      expect(() => checkSettings({ [field]: 'x' })).toThrow(expect.objectContaining({ code: 'CONFIG', field }))
    }
  })

  it('of topics need a second client', async () => {
    await expect(noConfigs.alter('topic', {})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expect(await noConfigs.describe('topic')).toEqual({})
  })
})

describe('what the native client is given', () => {
  it('has an address even where there are no bytes, which it would send as null', () => {
    const none = addressed(Buffer.alloc(0))
    expect([none?.length, none?.buffer.byteLength === 0]).toEqual([0, false])
    expect(addressed(null)).toBeNull()
  })

  it('is one property for each header, in order, and comes back the same', () => {
    const headers = [header('a', 1, 255), header('b'), header('a', 2), header('7', 3), header('__proto__', 4)]
    expect(fromNative(toNative(headers)).map(([name, value]) => [name, [...value]])).toEqual(headers.map(([name, value]) => [name, [...value]]))
    expect(toNative([])).toBeUndefined()
    expect(fromNative(undefined)).toEqual([])
  })

  it('finds a header in the prototype when the client has set it there', () => {
    const odd = Object.create(Buffer.from([9]))
    expect(fromNative([odd]).map(([name, value]) => [name, [...value]])).toEqual([['__proto__', [9]]])
  })
})
