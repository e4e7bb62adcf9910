import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { sumOf } from '../../actors/sending.mjs'

const readMs = 20_000

/** Makes the topics of a run, and says at its end what is in the log and where the groups stand, by Kafka's own offsets. */
export async function play(part) {
  const kafka = new Kafka({ clientId: part.process, brokers: part.settings.brokers, logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  return {
    create: (scene) => create(part, admin, scene),
    drained: (topics, withinMs) => drained(admin, topics, withinMs),
    rest: (topics, drain) => rest({ part, kafka, admin }, topics, drain),
    end: () => admin.disconnect(),
  }
}

async function create({ recorder, adapter, settings }, admin, { topics, groups }) {
  for (const { name, partitions } of topics) {
    recorder.record('topic', { topic: name, survives: adapter.survives(settings) })
    await admin.createTopics({ topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1 }], waitForLeaders: true })
  }
  for (const { topic, group } of groups) recorder.record('group', { topic, group, mode: 'share', from: 'start' })
}

/** Until every group stands at the end of every partition. */
async function drained(admin, topics, withinMs) {
  const began = performance.now()
  for (;;) {
    const left = await leftIn(admin, topics)
    const elapsedMs = Math.round(performance.now() - began)
    if (left.length === 0) return { elapsedMs, withinMs, left: [] }
    if (elapsedMs > withinMs) return { elapsedMs: null, withinMs, left }
    await pause(200)
  }
}

async function leftIn(admin, topics) {
  const places = await Promise.all(topics.map((topic) => placesOf(admin, topic)))
  return places.flatMap(({ groups }) => groups).filter(({ ready }) => ready > 0)
}

/** `published`: places in the log, which has messages only; `groups`: how many of them each has passed, and has not. */
async function placesOf(admin, topic) {
  const ends = await admin.fetchTopicOffsets(topic)
  const published = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  const { groups: known } = await admin.listGroups()
  const groups = await Promise.all(known.map(async ({ groupId: group }) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    const passed = ends.reduce((sum, { partition, low }) => sum + Math.max(0, Number(partitions.find((each) => each.partition === partition)?.offset ?? -1) - Number(low)), 0)
    return { group, ready: published - passed, settled: passed }
  }))
  return { ends, published, groups }
}

async function rest({ part: { recorder }, kafka, admin }, topics, drain) {
  const write = (of, fields = {}) => recorder.record('rest', { of, ...fields })
  write('begin')
  for (const topic of topics) {
    const { ends, published, groups } = await placesOf(admin, topic)
    for (const [partition, messages] of await logOf(kafka, topic, ends)) write('stored', { topic, partition, messages })
    write('census', { topic, published, groups: groups.map((each) => ({ ...each, leased: 0, retrying: 0, lent: 0, parked: 0, dead: 0, purged: 0 })) })
  }
  write('drained', { elapsedMs: drain.elapsedMs, withinMs: drain.withinMs })
  write('end')
}

/** All of a topic, by partition. */
async function logOf(kafka, topic, ends) {
  const pages = new Map(ends.map(({ partition }) => [partition, []]))
  const open = new Map(ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]))
  if (open.size === 0) return pages
  const consumer = kafka.consumer({ groupId: `observer-${randomUUID()}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const read = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`the log of ${topic} could not be read within ${readMs} ms`)), readMs).unref()
    const eachBatch = async ({ batch: { partition, messages } }) => {
      for (const { offset, value } of messages) pages.get(partition).push({ id: JSON.parse(value).id, offset, sum: sumOf(value) })
      if (BigInt(messages.at(-1).offset) + 1n >= open.get(partition)) open.delete(partition)
      if (open.size === 0) resolve()
    }
    consumer.run({ autoCommit: false, eachBatch }).catch(reject)
  })
  try {
    await read
    return pages
  } finally {
    await consumer.disconnect()
  }
}
