import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytes, type Codec, Millrace, topic, type TopicContract } from '../../broker/index.js'
import { brokers, noBroker, pure } from './clients.harness.js'
import { kafka, kafkajs } from './index.js'
import { fresh, until } from './port.harness.js'

const text: Codec<string> = { name: 'text', encode: (value) => Buffer.from(value), decode: (value) => Buffer.from(value ?? []).toString() }

/** One of Kafka's own tools, run to its end; what it printed. */
async function tool(name: string, ...args: readonly string[]): Promise<string> {
  return toolWith('', name, ...args)
}

async function toolWith(input: string, name: string, ...args: readonly string[]): Promise<string> {
  const answer = await fetch(`${process.env.SERVICES_AT}/kafka`, { method: 'POST', body: JSON.stringify({ tool: name, args, input }) })
  const said = await answer.text()
  if (!answer.ok) throw new Error(said)
  const { stdout } = JSON.parse(said) as { readonly stdout: string }
  return stdout
}

function lines(said: string): readonly string[] {
  return said.split('\n').filter((line) => line !== '')
}

/** The events of one name that a verifiable client printed. */
function eventsIn(said: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  return lines(said).map((line) => JSON.parse(line) as Record<string, unknown>).filter((event) => event.name === name)
}

describe("Kafka's own tools and Millrace on one topic", { timeout: 60_000 }, () => {
  let mill: Millrace
  let words: TopicContract<string>
  let group: string
  /** As the tools know them. */
  let there: { readonly topic: string; readonly group: string }

  beforeEach((context) => {
    if (noBroker !== undefined) context.skip(noBroker)
    const prefix = `${fresh('tools')}.`
    mill = new Millrace({ engine: kafka({ client: kafkajs({ module: pure, brokers }), prefix }) })
    words = topic<string>('words', { partitions: 2, codec: text, key: (word) => word.slice(0, 1) })
    group = 'readers'
    there = { topic: prefix + words.name, group: prefix + group }
  })
  afterEach(() => mill?.close())

  it('what the console producer writes is a message, with its key and its headers and the place for an id', async () => {
    await mill.topics.ensure(words)
    const seen: unknown[] = []
    mill.consume(words, group, ({ id, key, value, headers, producerId, partition, offset, topic: name }) => {
      seen.push([key, value, headers.get('colour'), producerId, id === `${name}-${partition}-${offset}`])
    })
    const flags = ['parse.key=true', 'parse.headers=true'].flatMap((each) => ['--reader-property', each])
    await toolWith('colour:red\tm\tmill\ncolour:blue\tm\tmouse\n', 'kafka-console-producer', '--topic', there.topic, ...flags)
    await until('two messages', () => seen.length === 2)
    expect(seen).toEqual([['m', 'mill', 'red', '', true], ['m', 'mouse', 'blue', '', true]])
  })

  it('what we write the console consumer shows, with its key and its headers', async () => {
    await mill.topics.ensure(words)
    await mill.send(words, 'mill', { id: 'one', headers: { colour: 'red' }, producerId: 'here' })
    const show = ['print.key=true', 'print.headers=true'].flatMap((each) => ['--formatter-property', each])
    const shown = await tool('kafka-console-consumer', '--topic', there.topic, '--from-beginning', '--max-messages', '1', ...show)
    expect(shown).toBe('millrace-id:one,millrace-producer:here,colour:red\tm\tmill\n')
  })

  it('a release that was a transaction is one message to a consumer that reads committed records', async () => {
    await mill.topics.ensure(words)
    const prepared = await mill.prepare(words, 'later', { producerGroup: group, id: 'half' })
    await mill.send(words, 'at once')
    await prepared.commit()
    const committed = ['--command-property', 'isolation.level=read_committed', '--formatter-property', 'print.headers=true']
    const shown = lines(await tool('kafka-console-consumer', '--topic', there.topic, '--from-beginning', '--max-messages', '2', ...committed))
    expect(shown.map((line) => line.split('\t')[1]).toSorted()).toEqual(['at once', 'later'])
    expect(shown.find((line) => line.endsWith('later'))).toContain('millrace-id:half')
    expect(shown.find((line) => line.endsWith('later'))).toContain('millrace-kind:transaction')
  })

  it('what was taken back, in a transaction that was aborted, nobody gets and nobody waits for', async () => {
    await mill.topics.ensure({ ...words.draft, partitions: 1 })
    const seen: string[] = []
    mill.consume(words, group, ({ value }) => void seen.push(value))
    await mill.send(words, 'one')
    await mill.groups.caughtUp(words)
    const producer = new pure.Kafka({ brokers: [...brokers], logLevel: pure.logLevel.NOTHING }).producer({ transactionalId: fresh('other'), maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: there.topic, messages: [{ value: 'two' }] })
    await transaction.abort()
    await producer.disconnect()
    await until('the marker', async () => (await mill.groups.positions(words, group))[0]?.end === 3n)
    expect((await mill.groups.caughtUp(words))[0]?.lag).toBe(0)
    expect(seen).toEqual(['one'])
  })

  it('all that the verifiable producer was told is stored arrives once, in its order', async () => {
    await mill.topics.ensure({ ...words.draft, partitions: 1 })
    const seen: number[] = []
    mill.consume(topic(words.name, { codec: bytes }), group, ({ value }) => void seen.push(Number(Buffer.from(value ?? []).toString())), { order: 'partition' })
    const said = await tool('kafka-verifiable-producer', '--topic', there.topic, '--max-messages', '500')
    await until('500 messages', () => seen.length >= 500)
    expect(eventsIn(said, 'producer_send_success')).toHaveLength(500)
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index))
  })

  it('all that we were told is stored reaches the verifiable consumer', async () => {
    await mill.topics.ensure(words)
    const sent = await mill.sendMany(words, Array.from({ length: 500 }, (_, index) => ({ value: `${index}`, key: `${index}` })))
    expect(sent.filter((each) => 'ok' in each)).toHaveLength(500)
    const said = await tool('kafka-verifiable-consumer', '--topic', there.topic, '--group-id', `${there.group}-2`, '--reset-policy', 'earliest', '--max-messages', '500')
    const counts = eventsIn(said, 'records_consumed').map(({ count }) => Number(count))
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(500)
  })

  it('the tool for groups shows our group, its members and how far it is', async () => {
    await mill.topics.ensure(words)
    const sent = await mill.sendMany(words, Array.from({ length: 100 }, (_, index) => ({ value: `${index}`, key: `${index}` })))
    expect(sent.filter((each) => 'ok' in each)).toHaveLength(100)
    const consumer = mill.consume(words, group, () => undefined)
    await mill.groups.caughtUp(words)
    // Places are committed half a second behind, and partitions are shared out one after another.
    await until('a lag of 0', async () => lagsIn(await tool('kafka-consumer-groups', '--describe', '--group', there.group)).join() === '0,0')
    const members = await tool('kafka-consumer-groups', '--describe', '--group', there.group, '--members')
    expect(lines(members)).toHaveLength(2)
    expect(members).toContain(consumer.member)
    expect(await tool('kafka-consumer-groups', '--describe', '--group', there.group, '--state')).toMatch(/cooperative-sticky\s+Stable\s+1/)
    const ends = lines(await tool('kafka-get-offsets', '--topic', there.topic)).map((line) => Number(line.split(':')[2]))
    expect(ends.reduce((sum, each) => sum + each, 0)).toBe(100)
  })

  it('what a consumer group of others has not read stays, and goes once it has', async () => {
    const kept = topic<string>(words.name, { partitions: 1, keep: { count: 0 }, codec: text })
    await mill.topics.ensure(kept)
    await mill.groups.create(kept, group)
    await mill.sendMany(kept, ['one', 'two', 'three'].map((value) => ({ value })))
    const read = ['--topic', there.topic, '--group', fresh('foreign'), '--max-messages']
    expect(await tool('kafka-console-consumer', ...read, '1', '--command-property', 'auto.offset.reset=earliest')).toBe('one\n')
    mill.consume(kept, group, () => undefined)
    await mill.groups.caughtUp(kept)
    const first = async (): Promise<bigint | undefined> => (await mill.census()).topics.find((each) => each.topic === kept.name)?.partitions[0]?.start
    await until('the first to be removed', async () => (await first()) === 1n)
    expect(await tool('kafka-console-consumer', ...read, '2')).toBe('two\nthree\n')
    await until('the others to be removed', async () => (await first()) === 3n)
  })
})

/** One for each partition. */
function lagsIn(said: string): readonly string[] {
  const [head = '', ...rows] = lines(said)
  const column = head.trim().split(/\s+/u).indexOf('LAG')
  return rows.map((row) => row.trim().split(/\s+/u)[column] ?? '')
}
