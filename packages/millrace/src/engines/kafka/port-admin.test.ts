import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clients } from './clients.harness.js'
import type { KafkaClient } from './port.js'
import { fresh, Joined, record, topicOf } from './port.harness.js'

describe.each(clients)('the admin of $name', ({ missing, make }) => {
  let client: KafkaClient

  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    client = make()
    await client.open()
  })
  afterEach(() => client?.close())

  it('makes a topic once, ready for records, adds partitions, and removes it so that its name is free', async () => {
    const { admin } = client
    const name = fresh('topic')
    const topic = { name, partitions: 3, replicationFactor: 1, config: { 'cleanup.policy': 'compact' } }
    expect(await admin.describeTopic(name)).toBeUndefined()
    expect(await admin.removeTopic(name)).toBe(false)
    expect(await admin.createTopic(topic)).toBe('created')
    expect(await admin.createTopic(topic)).toBe('exists')
    expect(await client.send([record(name, 'at once', { partition: 2, key: Buffer.from('k') })])).toEqual([{ offset: 0n }])
    expect(await admin.describeTopic(name)).toMatchObject({ partitions: 3, replicationFactor: 1 })
    await admin.addPartitions(name, 5)
    expect((await admin.describeTopic(name))?.partitions).toBe(5)
    expect(await client.send([record(name, 'new', { partition: 4, key: Buffer.from('k') })])).toEqual([{ offset: 0n }])
    expect(await admin.removeTopic(name)).toBe(true)
    expect(await admin.createTopic(topic)).toBe('created')
    expect(await admin.bounds(name, [2])).toEqual([{ partition: 2, start: 0n, end: 0n }])
    expect(await client.send([record(name, 'anew', { key: Buffer.from('k') })])).toEqual([{ offset: 0n }])
  })

  it('says what is wrong with an order', async () => {
    const { admin } = client
    const name = await topicOf(client, 2)
    await expect(admin.addPartitions(fresh('none'), 2)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await expect(admin.addPartitions(name, 1)).rejects.toMatchObject({ code: 'INVALID' })
    await expect(admin.bounds(fresh('none'), [0])).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' })
    await admin.addPartitions(name, 2)
  })

  it('says the bounds, where a time begins, and deletes what is before a place', async () => {
    const { admin } = client
    const name = await topicOf(client, 2)
    await client.send([1_000, 2_000, 3_000, 4_000].map((timestamp) => record(name, 'v', { timestamp })))
    expect(await admin.offsetsAt(name, [0, 1], 2_500)).toEqual([2n, 0n])
    expect(await admin.offsetsAt(name, [0], 3_000)).toEqual([2n])
    expect(await admin.offsetsAt(name, [0], 9_000)).toEqual([4n])
    expect(await admin.offsetsAt(name, [0], 0)).toEqual([0n])
    await admin.deleteRecords(name, new Map([[0, 3n]]))
    await admin.deleteRecords(name, new Map([[0, 1n]]))
    await admin.deleteRecords(name, new Map())
    expect(await admin.bounds(name, [1, 0])).toEqual([{ partition: 1, start: 0n, end: 0n }, { partition: 0, start: 3n, end: 4n }])
  })

  it('tells the settings of a topic, and changes some of them', async () => {
    const { admin } = client
    const name = await topicOf(client, 1, { 'cleanup.policy': 'compact', 'min.insync.replicas': '1', 'segment.bytes': '1048576' })
    expect((await admin.describeTopic(name))?.config).toMatchObject({ 'cleanup.policy': 'compact', 'segment.bytes': '1048576', 'retention.ms': '604800000' })
    await admin.alterConfig(name, { 'cleanup.policy': 'delete', 'retention.ms': '-1' })
    expect((await admin.describeTopic(name))?.config).toMatchObject({ 'cleanup.policy': 'delete', 'segment.bytes': '1048576', 'retention.ms': '-1' })
  })

  it('tells the bounds of many topics at once, and leaves out what is not there', async () => {
    const { admin } = client
    const [one, other, none] = [await topicOf(client, 2), await topicOf(client, 1), fresh('none')]
    await client.send([record(one, 'a', { partition: 1 }), record(other, 'b'), record(other, 'c')])
    await admin.deleteRecords(other, new Map([[0, 1n]]))
    expect(await admin.manyBounds(new Map([[one, [0, 1]], [other, [0]]]))).toEqual(new Map([
      [one, [{ partition: 0, start: 0n, end: 0n }, { partition: 1, start: 0n, end: 1n }]],
      [other, [{ partition: 0, start: 1n, end: 2n }]],
    ]))
    expect([...(await admin.manyBounds(new Map([[none, [0]], [one, [0]]]))).keys()]).not.toContain(none)
    expect(await admin.manyBounds(new Map())).toEqual(new Map())
  })

  it('lists the places of groups, counts their members, and removes a group', async () => {
    const { admin } = client
    const name = await topicOf(client, 2)
    const group = fresh('group')
    expect(await admin.members(group)).toBe(0)
    const joined = await Joined.in(client, name, group)
    await joined.owns(2)
    expect(await admin.members(group)).toBe(1)
    expect(await admin.groups()).toContainEqual({ group, isEmpty: false })
    await joined.member.commit(new Map([[1, 5n]]))
    await expect(admin.removeGroup(group)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    await joined.member.leave()
    expect(await admin.members(group)).toBe(0)
    expect(await admin.groups()).toContainEqual({ group, isEmpty: true })
    expect(await admin.placesOf(group)).toEqual([{ topic: name, partition: 1, offset: 5n }])
    await admin.removeGroup(group)
    await admin.removeGroup(group)
    expect((await admin.groups()).map((each) => each.group)).not.toContain(group)
    expect(await admin.placesOf(group)).toEqual([])
  })
})
