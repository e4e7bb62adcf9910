import { expect, it } from 'vitest'
import { Millrace } from '../../broker/index.js'
import { brokers, noBroker, pure } from './clients.harness.js'
import { kafka, kafkajs } from './index.js'
import { fresh, until } from './port.harness.js'

it('counts a message that goes from the log to the dead letters while it counts, once', async (context) => {
  if (noBroker !== undefined) context.skip(noBroker)
  const client = kafkajs({ module: pure, brokers })
  let whileCounting: () => Promise<void> = () => Promise.resolve()
  const { members } = client.admin
  client.admin.members = async (group) => {
    if (group.startsWith(prefix)) await whileCounting()
    return members.call(client.admin, group)
  }
  const prefix = fresh('census')
  const mill = new Millrace({ engine: kafka({ client, prefix }) })
  const topic = 'words'
  await mill.topics.ensure({ name: topic, partitions: 1 })
  let fail: () => void = () => undefined
  const failing = new Promise<void>((resolve) => (fail = resolve))
  let isHandled = false
  mill.consume(topic, 'readers', async (_, { deadLetter }) => {
    isHandled = true
    await failing
    deadLetter('no use')
  })
  await mill.send(topic, 'word')
  await until('the handler', () => isHandled)
  whileCounting = async () => {
    whileCounting = () => Promise.resolve()
    fail()
    await until('the dead letter', async () => (await mill.deadLetters.list({ topic })).items.length === 1)
  }
  const [counted] = (await mill.census()).topics.find((each) => each.topic === topic)?.groups ?? []
  await mill.close()
  expect([counted?.lag, counted?.dead]).toEqual([0, 1])
})
