import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Codec, Millrace, topic } from '../../broker/index.js'
import { clientOf } from './clients/index.js'
import { libraries, type Made } from './clients/libraries.harness.js'
import { call, plain as asText } from './engine.harness.js'
import { redis } from './index.js'
import type { Argument, RedisClient } from './port.js'

const longMs = 60_000
const page = readFileSync(new URL('../../../../../docs/engines/redis.md', import.meta.url), 'utf8')
const text: Codec<string> = { name: 'text', encode: (value) => Buffer.from(value), decode: (value) => Buffer.from(value ?? []).toString() }
const words = topic<string>('words', { partitions: 1, codec: text, keep: { count: 0 }, key: (word) => word.slice(0, 1) })

describe.each(['7.0', '8.2', 'valkey-9'])('plain clients and Millrace on one topic of %s', { timeout: longMs }, (version) => {
  let mill: Millrace
  let made: Made
  let plain: RedisClient
  let log: string

  beforeEach(async (context) => {
    const answer = await fetch(`${process.env.SERVICES_AT}/redis?version=${version}&topology=standalone`)
    if (!answer.ok) context.skip(await answer.text())
    const { url } = (await answer.json()) as { readonly url: string }
    const library = libraries[0] ?? context.skip('there is no library')
    made = await library.standalone(url)
    plain = clientOf(made.client)
    const prefix = `${randomUUID().slice(0, 8)}:`
    log = `${prefix}{words/0}log`
    mill = new Millrace({ engine: redis({ client: made.client, prefix }) })
    await mill.topics.ensure(words)
  })
  afterEach(async () => {
    await mill?.close()
    await made?.end()
  })

  const say = (name: string, ...args: readonly Argument[]): Promise<unknown> => call(plain, name, log, ...args)
  /** What a plain consumer of a group reads next: id, value and key of each entry. */
  const read = async (group: string, count: number): Promise<readonly { readonly id: string; readonly value: string | undefined; readonly key: string | undefined }[]> => {
    const answer = asText(await plain.command(['XREADGROUP', 'GROUP', group, 'me', 'COUNT', count, 'STREAMS', log, '>'], log)) as readonly [string, readonly [string, readonly string[]][]][] | null
    return (answer?.[0]?.[1] ?? []).map(([id, fields]) => {
      const field = (name: string): string | undefined => fields[fields.findIndex((each, index) => index % 2 === 0 && each === name) + 1]
      return { id, value: field('value'), key: field('key') }
    })
  }

  it('a plain XREADGROUP reads values and keys, and what it has not acknowledged stays', async () => {
    await plain.command(['XGROUP', 'CREATE', log, 'plain', '0', 'MKSTREAM'], log)
    await mill.groups.create(words, 'ours')
    await mill.sendMany(words, ['mill', 'race', 'wheel'].map((value) => ({ value })))
    const first = await read('plain', 2)
    expect(first.map(({ value, key }) => [value, key])).toEqual([['mill', 'm'], ['race', 'r']])
    mill.consume(words, 'ours', () => undefined)
    await mill.groups.caughtUp(words)
    await say('XACK', 'plain', first[1]?.id ?? '')
    const left = async (): Promise<readonly string[]> => (await mill.peek(words)).items.map(({ value }) => String(value))
    // The janitor has been there when our own group is shown as finished.
    await vi.waitFor(async () => expect(await lagOf('ours')).toBe(0), longMs)
    expect(await left()).toEqual(['mill', 'race', 'wheel'])
    await say('XACK', 'plain', first[0]?.id ?? '')
    await vi.waitFor(async () => expect(await left()).toEqual(['wheel']), longMs)
    const [last] = await read('plain', 2)
    await say('XACK', 'plain', last?.id ?? '')
    await vi.waitFor(async () => expect(await left()).toEqual([]), longMs)
  })

  it('a plain XADD is a message: with a key, an id and headers, or with one field of any name', async () => {
    const seen: unknown[] = []
    mill.consume(words, 'ours', ({ id, key, value, headers }) => void seen.push([id, key, value, headers.get('colour')]), { order: 'partition' })
    await say('XADD', '*', 'value', 'mill', 'key', 'm', 'id', 'one', 'colour', 'red')
    const place = await say('XADD', '*', 'payload', 'race')
    await vi.waitFor(() => expect(seen).toHaveLength(2), longMs)
    expect(seen).toEqual([['one', 'm', 'mill', 'red'], [`words-0-${String(place)}`, null, 'race', undefined]])
  })

  it('more than 4,096 plain XADDs of one millisecond are read, each once', async () => {
    const count = 9_000
    const add = `for i = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], ARGV[2] .. '-' .. (i - 1), 'value', i, 'key', i % 7) end return redis.call('XLEN', KEYS[1])`
    const seen = new Map<string, number>()
    await mill.groups.create(words, 'ours')
    await mill.groups.create(words, 'theirs')
    // The ids that `*` gives within MULTI, where time stands still.
    expect(await plain.run({ name: 'burst', lua: add }, [log], [count, Date.now()])).toBe(count)
    for (const group of ['ours', 'theirs']) mill.consume(words, group, ({ value }) => void seen.set(`${group} ${value}`, (seen.get(`${group} ${value}`) ?? 0) + 1))
    await vi.waitFor(() => expect(seen.size).toBe(2 * count), longMs)
    await mill.groups.caughtUp(words)
    expect([...seen.values()].every((times) => times === 1)).toBe(true)
    expect((await mill.groups.positions(words, 'ours')).map(({ lag }) => lag)).toEqual([0])
  })

  const groupsShown = async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const groups = asText(await plain.command(['XINFO', 'GROUPS', log], log)) as readonly (readonly unknown[])[]
    return groups.map((fields) => Object.fromEntries(fields.flatMap((name, index) => (index % 2 === 0 ? [[String(name), fields[index + 1]]] : []))))
  }
  const lagOf = async (group: string): Promise<unknown> => (await groupsShown()).find(({ name }) => name === group)?.lag

  it('what the page tells redis-cli to ask is answered', async () => {
    mill.consume(words, 'billing', () => undefined)
    await mill.send(words, 'mill')
    await mill.send(words, 'race', { delayMs: longMs })
    await mill.groups.caughtUp(words)
    await mill.topics.alter(words.name, { keep: {} })
    await mill.send(words, 'wheel')
    const asked = (/To look inside:\n\n```sh\n([^`]*)```/u.exec(page)?.[1] ?? '').split('\n').filter((line) => line !== '' && !line.includes('SUBSCRIBE'))
    expect(asked.length).toBeGreaterThan(5)
    const prefix = log.slice(0, log.indexOf('{'))
    for (const line of asked) {
      const [, name = '', key = '', ...args] = (line.split('#')[0] ?? '').trim().replaceAll('shop:', prefix).replaceAll('orders', 'words').split(/\s+/u)
      await vi.waitFor(async () => {
        const answer = await plain.command([name, key, ...args], name === 'XINFO' ? args[0] : key)
        expect([line, Array.isArray(answer) ? answer.filter((each) => each !== null).length > 0 : Number(answer) > 0]).toEqual([line, true])
      }, longMs)
    }
  })

  it('XINFO shows our groups with their lag, and the stream with its length', async () => {
    await mill.topics.alter(words.name, { keep: {} })
    await mill.groups.create(words, 'billing')
    await mill.groups.create(words, 'mail')
    await mill.sendMany(words, Array.from({ length: 20 }, (_, index) => ({ value: `${index}` })))
    await vi.waitFor(async () => expect(await lagOf('billing')).toBe(20), longMs)
    mill.consume(words, 'billing', () => undefined)
    await mill.groups.caughtUp(words, 'billing')
    await vi.waitFor(async () => expect(await lagOf('billing')).toBe(0), longMs)
    expect(await groupsShown()).toMatchObject([{ name: 'billing', pending: 0, lag: 0 }, { name: 'mail', pending: 0, lag: 20 }])
    expect(asText(await plain.command(['XINFO', 'STREAM', log], log))).toEqual(expect.arrayContaining(['length', 20]))
  })
})
