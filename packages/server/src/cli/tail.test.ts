import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { join } from 'node:path'
import { type Ended, type Server, ended, folder, linesOf, millrace, startServer, stopServer } from './process.harness.js'

describe('tail', () => {
  let server: Server
  const run = (args: readonly string[], input?: string): Promise<Ended> => ended(millrace(args, { MILLRACE_URL: server.url }), input)
  const lines = async (args: readonly string[]): Promise<string[]> => (await run(['tail', ...args, '--values'])).out.split('\n').slice(0, -1)

  beforeAll(async () => {
    server = await startServer(['--memory', '--port', '0'])
    await run(['topics', 'create', 'many', '--partitions', '3'])
    await run(['send', 'many', '--key', 'a'], '1\n2\n3\n')
    await run(['send', 'many', '--key', 'b'], '4\n5\n6\n')
  })
  afterAll(() => stopServer(server))

  test('shows the last ones in the order they were sent, and takes them from nobody', async () => {
    expect(await lines(['many'])).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(await lines(['many', '--lines', '2'])).toEqual(['5', '6'])
    expect(await lines(['many', '--lines', '2', '--key', 'a'])).toEqual(['2', '3'])
    expect((await run(['groups', 'list', 'many'])).out).toBe('(none)\n')
  })

  test('begins where it is told to', async () => {
    expect(await lines(['many', '--from', 'start', '--max', '4'])).toEqual(['1', '2', '3', '4'])
    expect(await lines(['many', '--from', '1h'])).toHaveLength(6)
    expect(await lines(['many', '--from', 'end'])).toEqual([])
    expect(await lines(['many', '--from', '2999-01-01T00:00:00Z'])).toEqual([])
    expect(await run(['tail', 'many', '--from', 'yesterday'])).toMatchObject({ code: 2, err: expect.stringContaining('is no place') })
    expect((await run(['tail', 'nowhere'])).code).toBe(5)
  })

  test('begins with what a group has not finished', async () => {
    await run(['consume', 'many', '--group', 'slow', '--max', '2', '--batch', '1'])
    const left = await lines(['many', '--group', 'slow'])
    expect(left).toHaveLength(4)
    expect((await run(['tail', 'many', '--group', 'nobody'])).code).toBe(5)
  })

  test('reads a topic that is longer than a page', async () => {
    await run(['topics', 'create', 'long', '--partitions', '2'])
    await run(['send', 'long'], Array.from({ length: 2_500 }, (_, index) => `${index}\n`).join(''))
    expect(new Set(await lines(['long', '--from', 'start'])).size).toBe(2_500)
  })

  test('prints one message of JSON a line, as it comes', async () => {
    await run(['topics', 'create', 'live'])
    const child = millrace(['tail', 'live', '--follow', '--json', '--max', '1', '--interval', '20ms'], { MILLRACE_URL: server.url })
    const over = ended(child)
    await run(['send', 'live', '{"id":7}', '--key', 'k'])
    const { code, out } = await over
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ key: 'k', value: { id: 7 } })
  })

  test('waits for a server that restarts, and misses nothing', async () => {
    const data = join(folder, 'tailed')
    const first = await startServer(['--port', '0', '--data', data])
    const env = { MILLRACE_URL: first.url }
    const send = (value: string): Promise<Ended> => ended(millrace(['send', 'hello', value], env))
    const child = millrace(['tail', 'hello', '--follow', '--values', '--interval', '50ms'], env)
    const out = linesOf(child)
    const err = linesOf(child, 'stderr')
    await send('before')
    expect((await out.next()).value).toBe('before')
    await stopServer(first)
    expect((await err.next()).value).toMatch(/^waiting for the server/)
    const second = await startServer(['--port', new URL(first.url).port, '--data', data])
    expect((await err.next()).value).toBe('the server answers again')
    await send('after')
    expect((await out.next()).value).toBe('after')
    child.kill('SIGINT')
    expect((await ended(child)).code).toBe(0)
    await stopServer(second)
  })
})
