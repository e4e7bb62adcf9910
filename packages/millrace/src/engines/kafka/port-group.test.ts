import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clients } from './clients.harness.js'
import type { KafkaClient } from './port.js'
import { fresh, Joined, topicOf, until } from './port.harness.js'

describe.each(clients)('members of a group through $name', ({ missing, make }) => {
  let client: KafkaClient
  let topic: string
  let group: string

  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    client = make()
    await client.open()
    topic = await topicOf(client, 6)
    group = fresh('group')
  })
  afterEach(() => client?.close())

  it('share the partitions, hand over when a third joins, and take over at once when one leaves', async () => {
    const first = await Joined.in(client, topic, group)
    await first.owns(6)
    const second = await Joined.in(client, topic, group)
    await Promise.all([first.owns(3), second.owns(3)])
    const third = await Joined.in(client, topic, group)
    await Promise.all([first, second, third].map((each) => each.owns(2)))
    expect([first, second, third].flatMap(({ owned }) => [...owned]).toSorted()).toEqual([0, 1, 2, 3, 4, 5])
    const left = performance.now()
    await second.member.leave()
    expect(second.revokedOnes.toSorted()).toHaveLength(3)
    await Promise.all([first.owns(3), third.owns(3)])
    // Far below the session.
    expect(performance.now() - left).toBeLessThan(4_000)
    expect([first, second, third].flatMap(({ lostOnes }) => lostOnes)).toEqual([])
  })

  it('of one group in two topics have the partitions of each, whoever came first', async () => {
    const other = await topicOf(client, 4)
    const [first, second] = [await Joined.in(client, topic, group), await Joined.in(client, other, group)]
    await Promise.all([first.owns(6), second.owns(4)])
    await client.admin.addPartitions(other, 5)
    await second.owns(5)
    expect([first, second].flatMap(({ lostOnes }) => lostOnes)).toEqual([])
  })

  it('keep what they need not give, and are waited for before another has what they give', async () => {
    const first = await Joined.in(client, topic, group)
    await first.owns(6)
    let handOver = (): void => undefined
    const asked: number[] = []
    first.handOver = (partitions) => {
      asked.push(...partitions)
      return new Promise((resolve) => (handOver = resolve))
    }
    const second = await Joined.in(client, topic, group)
    await until('the hand-over', () => asked.length > 0)
    expect(asked).toHaveLength(3)
    expect(second.owned.size).toBe(0)
    expect(await first.member.commit(new Map(asked.map((partition) => [partition, 7n])))).toBe('committed')
    expect(second.owned.size).toBe(0)
    first.handOver = () => Promise.resolve()
    handOver()
    await second.owns(3)
    expect([...second.owned].toSorted()).toEqual(asked.toSorted())
    expect(first.revokedOnes.toSorted()).toEqual(asked.toSorted())
  })

  it('commit places that the tools of operators see, and not for partitions that are not theirs', async () => {
    const first = await Joined.in(client, topic, group)
    await first.owns(6)
    expect(await first.member.commit(new Map([[0, 3n], [1, 2n ** 40n]]))).toBe('committed')
    expect((await client.admin.placesOf(group)).toSorted((one, other) => one.partition - other.partition)).toEqual([{ topic, partition: 0, offset: 3n }, { topic, partition: 1, offset: 2n ** 40n }])
    const second = await Joined.in(client, topic, group)
    await second.owns(3)
    const [given] = second.owned
    expect(await first.member.commit(new Map([[given ?? -1, 9n]]))).toBe('stale')
    expect(await second.member.commit(new Map([[given ?? -1, 8n]]))).toBe('committed')
    await second.member.leave()
    expect(await second.member.commit(new Map([[given ?? -1, 9n]]))).toBe('stale')
    expect(await client.admin.placesOf(group)).toContainEqual({ topic, partition: given, offset: 8n })
  })

  it('do not wait for one that leaves while it is still joining', async () => {
    // A session that is longer than this test waits for anything.
    const patient = { sessionMs: 40_000 }
    const first = await Joined.in(client, topic, group, patient)
    await first.owns(6)
    for (let count = 1; count <= 4; count += 1) {
      const passing = await Joined.in(client, topic, group, patient)
      await passing.member.leave()
    }
    const second = await Joined.in(client, topic, group, patient)
    await first.member.leave()
    await second.owns(6)
  })

  it('take over from a dead one when its session is over', async () => {
    const [first, second] = [await Joined.in(client, topic, group), await Joined.in(client, topic, group)]
    await Promise.all([first.owns(3), second.owns(3)])
    const told = first.revokedOnes.length
    first.member.die()
    await second.owns(6)
    expect(first.revokedOnes).toHaveLength(told)
    expect(await first.member.commit(new Map([[0, 1n]]))).toBe('stale')
  })

  it('are told when the topic has more partitions', async () => {
    const first = await Joined.in(client, topic, group, {})
    await first.owns(6)
    await client.admin.addPartitions(topic, 8)
    await first.owns(8)
  })

  it('are told what they had when the client closes', async () => {
    const first = await Joined.in(client, topic, group)
    await first.owns(6)
    await client.close()
    expect(first.revokedOnes.toSorted()).toEqual([0, 1, 2, 3, 4, 5])
  })
})
