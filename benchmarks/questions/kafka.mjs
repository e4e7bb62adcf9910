import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, topic } from 'millrace'
import { broker, kafkaEngine, kafkaModules } from '../kafka-place.mjs'
import { kafkaDelays } from '../kafka-delays.mjs'
import { rebalance, restart } from '../kafka-troubles.mjs'
import { kafkajsSingles, RawConsumer, RawProducer } from '../rivals/kafka-raw.mjs'
import { chosen, isChosen, runRounds } from '../rounds.mjs'
import { batchSize, blobs, consumed, inLanes, itemsOf, keptTopic, millOf, rate, sendBatches, rateAndCpu } from '../workload.mjs'

// How near does the engine on Kafka come to the bare clients?

const underWay = 4
const callers = 256
const handlerMs = 5
const keys = 100
const items = itemsOf(blobs(200, 100_000))
const few = items.slice(0, 50_000)
const ordered = Array.from({ length: 10_000 }, (_, index) => ({ value: Buffer.from(String(Math.floor(index / keys))), key: `key-${index % keys}` }))
const topics = { sent: keptTopic('sent'), singles: keptTopic('singles'), backlog: keptTopic('backlog'), ordered: topic('ordered', { codec: bytes, partitions: 1 }) }

/** @typedef {{ mill: import('millrace').Millrace, pure: import('millrace').Millrace, producer: RawProducer, bare: Awaited<ReturnType<typeof kafkajsSingles>>, brokers: readonly string[], native: any }} Place */

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, full, progress }) {
  const [modules, { brokers, node, stop }] = await Promise.all([kafkaModules(), broker()])
  const mill = await millOf(kafkaEngine('confluent', brokers, modules), Object.values(topics))
  const pure = await millOf(kafkaEngine('kafkajs', brokers, modules), [])
  const producer = await RawProducer.open(modules.native, brokers)
  const bare = await kafkajsSingles(modules.pure, brokers)
  const place = { mill, pure, producer, bare, brokers, native: modules.native }
  try {
    progress('the broker is warmed up')
    await warmUp(place)
    const engine = () => kafkaEngine('confluent', brokers, modules)
    const cases = [
      ...(await runRounds(chosen([...sends(place), ...consumers(place), ...orders(place), ...singles(place), rebalance(engine)]), { rounds, progress })),
      ...(isChosen('delays') ? await kafkaDelays(brokers, full ? 1_000_000 : 100_000, progress) : []),
      // At last: its file cache is cold then.
      ...(node ? await runRounds(chosen([restart(engine, node)]), { rounds: Math.min(rounds, 2), progress }) : []),
    ]
    return { cases, notes: node ? [] : ['the broker was given by SERVICES_KAFKA: it was not killed'] }
  } finally {
    await Promise.all([mill.close(), pure.close(), producer.close(), bare.close()])
    await stop()
  }
}

/** A broker that has just started compiles while it works. @param {Place} place */
async function warmUp({ mill, producer }) {
  for (let times = 0; times < 3; times += 1) await producer.batches(topics.sent.name, items, batchSize, underWay)
  await sendBatches(mill, items, underWay, topics.backlog)
  await sendBatches(mill, ordered, underWay, topics.ordered)
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function sends({ mill, producer }) {
  const unit = 'messages/s'
  return [
    {
      name: 'send', unit, against: 'raw', says: `os: acks=all, idempotent, id and producer as headers; batches of ${batchSize}, ${underWay} under way`,
      also: [{ name: 'send-cpu', unit: 'µs', against: 'raw', by: 'raw-cpu', says: 'CPU time of this process for each message' }],
      round: () => rateAndCpu(items.length, () => sendBatches(mill, items, underWay, topics.sent)),
    },
    {
      name: 'raw', unit, says: 'the native client by its low-level calls: the same settings, headers and batches, every delivery report awaited',
      also: [{ name: 'raw-cpu', unit: 'µs' }],
      round: () => rateAndCpu(items.length, () => producer.batches(topics.sent.name, items, batchSize, underWay)),
    },
    { name: 'raw-bare', unit, says: 'no headers, no reports: one flush at the end', round: () => rate(items.length, () => producer.bare(topics.sent.name, items)) },
  ]
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function consumers({ mill, brokers, native }) {
  const unit = 'messages/s'
  let groups = 0
  return [
    {
      name: 'consume', unit, against: 'raw', by: 'raw-consume', says: 'one asynchronous handler for each message, order by key; from the first message to the last verdict stored',
      also: [{ name: 'consume-cpu', unit: 'µs', against: 'raw', by: 'raw-consume-cpu' }],
      round: () => consumed(mill, topics.backlog, items.length, `group-${groups++}`, (group, begin) => mill.consume(topics.backlog, group, async () => begin())),
    },
    {
      name: 'consume-batch', unit, against: 'raw', by: 'raw-consume', says: 'a handler for each batch',
      also: [{ name: 'consume-batch-cpu', unit: 'µs' }],
      round: () => consumed(mill, topics.backlog, items.length, `group-${groups++}`, (group, begin) => mill.consumeBatch(topics.backlog, group, async () => begin())),
    },
    {
      name: 'raw-consume', unit, says: 'the native client by its low-level calls: read_committed, 1,000 at a time, an asynchronous handler for each message, each batch committed',
      also: [{ name: 'raw-consume-cpu', unit: 'µs' }],
      round: async () => {
        const consumer = await RawConsumer.open(native, brokers, `raw-${process.pid}-${groups++}`)
        const handle = async () => undefined
        const found = await consumer.drain(topics.backlog.name, items.length, (messages) => Promise.all(messages.map(handle)))
        await consumer.close()
        return [items.length / (found.ms / 1_000), found.cpu / items.length]
      },
    },
  ]
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function orders({ mill, brokers, native }) {
  let groups = 0
  const oneByOne = 200
  const ideal = keys * (1_000 / handlerMs)
  return [
    {
      name: 'key-order', unit: 'messages/s', against: 'raw-key-order', says: `${keys} keys in one partition, handlers of ${handlerMs} ms; the order of each key checked`,
      also: [{ name: 'key-order-of-ideal', unit: '%', says: `of ${ideal.toLocaleString('en')} messages/s: ${keys} keys, each a message at a time` }],
      round: async () => {
        /** @type {Map<string | null, number>} */
        const last = new Map()
        const [speed] = await consumed(mill, topics.ordered, ordered.length, `order-${groups++}`, (group, begin) => mill.consume(topics.ordered, group, async ({ key, value }) => {
          begin()
          const place = Number(value)
          if (place !== (last.get(key) ?? -1) + 1) throw new Error(`${key}: ${place} after ${last.get(key)}`)
          last.set(key, place)
          await sleep(handlerMs)
        }, { concurrency: keys }))
        return [speed, (speed / ideal) * 100]
      },
    },
    {
      name: 'raw-key-order', unit: 'messages/s', says: 'the native client, one message at a time, which is all that keeps the order',
      round: async () => {
        const consumer = await RawConsumer.open(native, brokers, `raw-order-${process.pid}-${groups++}`)
        const { ms } = await consumer.drain(topics.ordered.name, oneByOne, async (messages) => {
          for (const _ of messages) await sleep(handlerMs)
        }, 100)
        await consumer.close()
        return oneByOne / (ms / 1_000)
      },
    },
  ]
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function singles({ mill, pure, producer, bare }) {
  const unit = 'messages/s'
  const some = few.slice(0, 2_000)
  /** @param {import('millrace').Millrace} by */
  const own = (by) => inLanes(few.length, callers, (index) => by.send(topics.singles, few[index].value, { key: few[index].key }))
  return [
    {
      name: 'send-single', unit, against: 'raw', by: 'raw-single', says: `${callers} callers, each awaits its send`,
      also: [{ name: 'send-single-cpu', unit: 'µs', against: 'raw', by: 'raw-single-cpu' }],
      round: () => rateAndCpu(few.length, () => own(mill)),
    },
    { name: 'raw-single', unit, says: 'the native client, the same', also: [{ name: 'raw-single-cpu', unit: 'µs' }], round: () => rateAndCpu(few.length, () => producer.singles(topics.singles.name, few, callers)) },
    { name: 'send-single-kafkajs', unit, against: 'kafkajs-single', says: 'the engine on kafkajs: the same', round: () => rate(few.length, () => own(pure)) },
    { name: 'kafkajs-single', unit, says: 'kafkajs, the same', round: () => rate(some.length, () => bare.singles(topics.singles.name, some, callers)) },
  ]
}
