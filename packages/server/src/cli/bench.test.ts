import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { percentiles } from './bench/measure.js'
import { type Ended, type Server, ended, folder, millrace, startServer, stopServer } from './process.harness.js'

const rate = expect.any(Number)
const times = { p50Ms: expect.any(Number), p95Ms: expect.any(Number), p99Ms: expect.any(Number) }

describe('bench', () => {
  let server: Server
  const run = (args: readonly string[]): Promise<Ended> => ended(millrace(args, { MILLRACE_URL: server.url }))
  const topics = async (): Promise<unknown> => (JSON.parse((await run(['topics', '--json'])).out) as { topics: { name: string }[] }).topics.map(({ name }) => name)
  const small = ['--messages', '500', '--batch', '50', '--json']

  beforeAll(async () => {
    server = await startServer(['--memory', '--port', '0'])
  })
  afterAll(() => stopServer(server))

  test.each([
    ['a server', [], expect.stringMatching(/^server http/), times],
    ['the memory engine', ['--memory'], 'memory engine, in this process', {}],
    ['the embedded engine', ['--data', join(folder, 'measured')], expect.stringMatching(/^embedded engine/), {}],
  ])('measures %s, and leaves no topic behind', async (_, args, target, consumeTimes) => {
    const { code, out, err } = await run(['bench', ...args, ...small])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({
      target,
      messages: 500,
      cases: [
        { name: 'send', messages: 500, messagesPerSecond: rate, ...times },
        { name: 'consume', messages: 500, messagesPerSecond: rate, ...consumeTimes },
        { name: 'send one by one', messagesPerSecond: rate, ...times },
        { name: 'delivery', messagesPerSecond: null, ...times },
      ],
    })
    expect(await topics()).toEqual(['hello'])
  })

  test('prints a table for people', async () => {
    const { out } = await run(['bench', '--messages', '200', '--batch', '20'])
    expect(out).toMatch(/^server http\S+: 200 messages of 200 bytes in batches of 20/)
    expect(out).toMatch(/^send +\d+ +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms +the answer to a batch$/m)
  })

  test('deletes its topic at Ctrl-C', async () => {
    const child = millrace(['bench', '--messages', '100000000'], { MILLRACE_URL: server.url })
    while (((await topics()) as string[]).length < 2) continue
    child.kill('SIGINT')
    expect(await ended(child)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('stopped') })
    expect(await topics()).toEqual(['hello'])
  })

  test.each([
    [['--url', 'http://127.0.0.1:1'], 3],
    [['--memory', '--data', 'x'], 2],
    [['--messages', '0'], 2],
    [['--size', '2000000', '--batch', '1', '--messages', '1'], 1],
  ])('%j ends with %i', async (args, code) => {
    expect((await run(['bench', ...args])).code).toBe(code)
  })
})

test('percentiles are by rank', () => {
  expect(percentiles(Array.from({ length: 100 }, (_, index) => 100 - index))).toEqual({ p50Ms: 50, p95Ms: 95, p99Ms: 99 })
  expect(percentiles([7])).toEqual({ p50Ms: 7, p95Ms: 7, p99Ms: 7 })
  expect(percentiles([])).toEqual({ p50Ms: null, p95Ms: null, p99Ms: null })
})
