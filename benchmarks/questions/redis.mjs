import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, topic } from 'millrace'
import { redisDelays } from '../redis-delays.mjs'
import { Flow } from '../redis-flow.mjs'
import { commandsPerSecond, redisEngine, server, usedBytes, Valkey } from '../redis-place.mjs'
import { redisRivals } from '../redis-rivals.mjs'
import { RawNodeRedis, RawStreams } from '../rivals/redis-raw.mjs'
import { chosen, isChosen, runRounds } from '../rounds.mjs'
import { batchSize, blobs, consumed, inLanes, itemsOf, keptTopic, millOf, partitions, sendBatches, rateAndCpu } from '../workload.mjs'

// How near does the engine on Redis come to the bare clients, and how far is it from others' queues?

const underWay = 4
const callers = 256
const handlerMs = 5
const keys = 100
const idleGroups = 10
const valueBytes = 200
const items = itemsOf(blobs(valueBytes, 40_000))
const ordered = Array.from({ length: 5_000 }, (_, index) => ({ value: Buffer.from(String(Math.floor(index / keys))), key: `key-${index % keys}` }))
const topics = { sent: keptTopic('sent'), backlog: keptTopic('backlog'), ordered: topic('ordered', { codec: bytes, partitions: 1 }), waiting: keptTopic('waiting'), idle: keptTopic('idle') }
/** @param {string} name */
const streamsOf = (name) => Array.from({ length: partitions }, (_, index) => `raw:{${name}/${index}}`)
const streams = { sent: streamsOf('sent'), backlog: streamsOf('backlog'), ordered: ['raw:ordered'], waiting: streamsOf('waiting') }

/** @typedef {{ url: string, mill: import('millrace').Millrace, raw: RawStreams, rivals: Awaited<ReturnType<typeof redisRivals>> }} Place */

/** @param {import('../main.mjs').Asked} asked */
export async function ask({ rounds = 3, full, progress }) {
  const { url, says, stop } = await server()
  /** @type {string[]} */
  const notes = [says]
  const mill = await millOf(await redisEngine('ioredis', url), Object.values(topics))
  const raw = new RawStreams(url)
  const place = { url, mill, raw, rivals: await redisRivals(url, notes) }
  try {
    const cases = [
      ...(isChosen('idle-commands') ? [await idle(place, progress)].flat() : []),
      ...(await runRounds(chosen([...sends(place), ...(await others(place)), ...(await consumers(place)), ...orders(place), ...waiting(place)]), { rounds, progress })),
      ...(isChosen('in-and-out') ? await flow(url, full, rounds, progress) : []),
      ...(isChosen('delays') ? await redisDelays(url, full ? 1_000_000 : 100_000, progress) : []),
    ]
    return { cases, notes }
  } finally {
    await Promise.all([mill.close(), raw.close(), place.rivals.close()])
    await stop()
  }
}

/** @param {Place} place @param {import('millrace').Millrace} [mill] */
function singles({ mill: own }, mill = own) {
  return rateAndCpu(items.length, () => inLanes(items.length, callers, (index) => mill.send(topics.sent, items[index].value, { key: items[index].key })))
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function sends(place) {
  const { mill, raw, rivals } = place
  const unit = 'messages/s'
  return [
    {
      name: 'send-single', unit, against: 'bare', by: 'bare-single', besides: rivals.besides('single'), says: `${callers} callers, each awaits its send`,
      also: [{ name: 'send-single-cpu', unit: 'µs', against: 'bare', by: 'bare-single-cpu', says: 'CPU time of this process for each message' }],
      round: () => singles(place),
    },
    {
      name: 'bare-single', unit, says: 'ioredis, enableAutoPipelining: the same callers, each awaits XADD * value key, 8 streams',
      also: [{ name: 'bare-single-cpu', unit: 'µs' }], round: () => rateAndCpu(items.length, () => raw.singles(streams.sent, items, callers)),
    },
    {
      name: 'send-bulk', unit, against: 'bare', by: 'bare-bulk', besides: rivals.besides('bulk'), says: `batches of ${batchSize}, ${underWay} under way`,
      also: [{ name: 'send-bulk-cpu', unit: 'µs', against: 'bare', by: 'bare-bulk-cpu' }],
      round: () => rateAndCpu(items.length, () => sendBatches(mill, items, underWay, topics.sent)),
    },
    {
      name: 'bare-bulk', unit, says: `ioredis: pipelines of ${batchSize} XADD, ${underWay} under way`,
      also: [{ name: 'bare-bulk-cpu', unit: 'µs' }], round: () => rateAndCpu(items.length, () => raw.batches(streams.sent, items, batchSize, underWay)),
    },
    ...rivals.sends(callers, batchSize, underWay),
  ]
}

/** The same on the other clients. @param {Place} place @returns {Promise<import('../rounds.mjs').Contender[]>} */
async function others(place) {
  const unit = 'messages/s'
  /** @param {import('../redis-place.mjs').Library} library */
  const open = async (library) => millOf(await redisEngine(library, place.url), [])
  const [valkey, node] = await Promise.all([open('iovalkey'), open('redis')])
  const [bareValkey, bareNode] = [new RawStreams(place.url, Valkey), await RawNodeRedis.open(place.url)]
  return [
    { name: 'send-single-iovalkey', unit, against: 'bare', by: 'bare-single-iovalkey', says: 'the engine on iovalkey', round: async () => (await singles(place, valkey))[0] ?? 0, close: () => valkey.close() },
    { name: 'bare-single-iovalkey', unit, round: async () => (await rateAndCpu(items.length, () => bareValkey.singles(streams.sent, items, callers)))[0] ?? 0, close: () => bareValkey.close() },
    { name: 'send-single-node-redis', unit, against: 'bare', by: 'bare-single-node-redis', says: 'the engine on node-redis', round: async () => (await singles(place, node))[0] ?? 0, close: () => node.close() },
    { name: 'bare-single-node-redis', unit, round: async () => (await rateAndCpu(items.length, () => bareNode.singles(streams.sent, items, callers)))[0] ?? 0, close: () => bareNode.close() },
  ]
}

/** @param {Place} place @returns {Promise<import('../rounds.mjs').Contender[]>} */
async function consumers({ mill, raw, rivals }) {
  const unit = 'messages/s'
  let groups = 0
  await sendBatches(mill, items, underWay, topics.backlog)
  await raw.batches(streams.backlog, items, batchSize, underWay)
  return [
    {
      name: 'consume', unit, against: 'bare', by: 'bare-consume', besides: rivals.besides('consume'), says: 'one asynchronous handler for each message, order by key; from the first message to the last verdict stored',
      also: [{ name: 'consume-cpu', unit: 'µs', against: 'bare', by: 'bare-consume-cpu', says: 'CPU time of this process for each message' }],
      round: () => consumed(mill, topics.backlog, items.length, `group-${groups++}`, (group, begin) => mill.consume(topics.backlog, group, async () => begin())),
    },
    {
      name: 'consume-batch', unit, against: 'bare', by: 'bare-consume', says: 'a handler for each batch',
      also: [{ name: 'consume-batch-cpu', unit: 'µs' }],
      round: () => consumed(mill, topics.backlog, items.length, `group-${groups++}`, (group, begin) => mill.consumeBatch(topics.backlog, group, async () => begin())),
    },
    {
      name: 'bare-consume', unit, says: 'ioredis: XREADGROUP COUNT 500 and XACK, a loop for each of 8 streams, the next are read while XACK is on its way; an asynchronous handler for each message',
      also: [{ name: 'bare-consume-cpu', unit: 'µs' }],
      round: () => rateAndCpu(items.length, () => raw.drain(streams.backlog, `raw-${groups++}`, async () => undefined)),
    },
    ...rivals.consumes(),
  ]
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function orders({ mill, raw }) {
  let groups = 0
  let isThere = false
  const few = ordered.slice(0, 200)
  const ideal = keys * (1_000 / handlerMs)
  const fill = async () => {
    if (!isThere) await Promise.all([sendBatches(mill, ordered, underWay, topics.ordered), raw.batches(streams.ordered, few, few.length, 1)])
    isThere = true
  }
  return [
    {
      name: 'key-order', unit: 'messages/s', against: 'serial', says: `${keys} keys in one partition, handlers of ${handlerMs} ms; the order of each key checked`,
      also: [{ name: 'key-order-of-ideal', unit: '%', says: `of ${ideal.toLocaleString('en')} messages/s: ${keys} keys, each a message at a time` }],
      round: async () => {
        await fill()
        /** @type {Map<string | null, number>} */
        const last = new Map()
        const [speed = 0] = await consumed(mill, topics.ordered, ordered.length, `order-${groups++}`, (group, begin) => mill.consume(topics.ordered, group, async ({ key, value }) => {
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
      name: 'serial', unit: 'messages/s', says: 'ioredis: XREADGROUP COUNT 1, the handler, XACK: all that keeps the order without more',
      round: async () => {
        await fill()
        return (await rateAndCpu(few.length, () => raw.drain(streams.ordered, `serial-${groups++}`, () => sleep(handlerMs), 1)))[0] ?? 0
      },
    },
  ]
}

/** @param {Place} place @returns {import('../rounds.mjs').Contender[]} */
function waiting({ url, mill, raw, rivals }) {
  /** @param {() => Promise<unknown>} fill @param {() => Promise<unknown>} empty */
  const grown = async (fill, empty) => {
    const before = await usedBytes(url)
    await fill()
    const each = ((await usedBytes(url)) - before) / items.length
    await empty()
    return each
  }
  return [
    {
      name: 'bytes-per-message', unit: 'bytes', against: 'bare', by: 'bare-bytes', besides: rivals.besides('bytes'), says: `used_memory for each waiting message: a value of ${valueBytes} bytes, key, id, producer and time`,
      round: () => grown(() => sendBatches(mill, items, underWay, topics.waiting), async () => {
        await mill.topics.remove(topics.waiting.name)
        await mill.topics.ensure(topics.waiting)
      }),
    },
    { name: 'bare-bytes', unit: 'bytes', says: 'the streams of bare XADD: value and key', round: () => grown(() => raw.batches(streams.waiting, items, batchSize, underWay), () => raw.remove(streams.waiting)) },
    ...rivals.bytes(grown),
  ]
}

/** What a member asks for while nothing comes. Measured once. @param {Place} place @param {(text: string) => void} progress @returns {Promise<import('../rounds.mjs').Case[]>} */
async function idle({ url, mill }, progress) {
  /** @param {number} count */
  const withGroups = async (count) => {
    progress(`idle: ${count} groups`)
    const all = Array.from({ length: count }, (_, index) => mill.consume(topics.idle, `idle-${index}`, async () => undefined))
    await sleep(2_000)
    const found = await commandsPerSecond(url, 5_000)
    await Promise.all(all.map((each) => each.close()))
    return found
  }
  const [one, many] = [await withGroups(1), await withGroups(1 + idleGroups)]
  const each = Math.round(((many - one) / idleGroups) * 100) / 100
  return [
    { name: 'idle-commands', value: each, unit: 'commands/s', says: `of a member of a group that has nothing to do, ${partitions} partitions: what each of ${idleGroups} more groups adds; a script is one command` },
    { name: 'idle-commands-instance', value: Math.round((one - each) * 100) / 100, unit: 'commands/s', says: `of an instance beside its members, ${Object.keys(topics).length} topics` },
  ]
}

/** @param {string} url @param {boolean} full @param {number} rounds @param {(text: string) => void} progress */
async function flow(url, full, rounds, progress) {
  const stream = await Flow.open(url)
  let capacity = 0
  const says = 'one process sends in batches, another has a handler for each message; 8 partitions; what was read is removed meanwhile'
  return runRounds([
    {
      name: 'in-and-out', unit: 'messages/s', says, also: [{ name: 'in-and-out-cpu', unit: 'µs', says: 'CPU time of the process that reads for each message' }],
      round: async () => {
        const found = await stream.flood(full ? 60_000 / (rounds + 1) : 3_000)
        capacity = found[0] ?? 0
        return found
      },
      close: () => stream.close(),
    },
    { name: 'end-to-end-p99', unit: 'ms', says: '10,000 single sends a second: from the send in one process to the handler in another', also: [{ name: 'end-to-end-p50', unit: 'ms' }], round: () => stream.latencies(10_000, 2_000) },
    {
      name: 'end-to-end-p99-half', unit: 'ms', says: 'the same at half of what in-and-out reached in its last round', also: [{ name: 'end-to-end-p50-half', unit: 'ms' }],
      round: () => stream.latencies((capacity || 20_000) / 2, 2_000),
    },
  ], { rounds, progress })
}
