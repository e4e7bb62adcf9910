import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busyBetween } from './busy.js'
import { type Ended, type Server, ended, linesOf, millrace, startServer, stopServer } from './process.harness.js'

interface Told {
  readonly topics: readonly { readonly topic: string; readonly in: number }[]
  readonly groups: readonly { readonly group: string; readonly out: number; readonly lag: number; readonly members: number }[]
}

describe('top', () => {
  let server: Server
  const run = (args: readonly string[], input?: string): Promise<Ended> => ended(millrace(args, { MILLRACE_URL: server.url }), input)

  beforeAll(async () => {
    server = await startServer(['--memory', '--port', '0'])
    await run(['topics', 'create', 'orders', '--partitions', '1'])
    await run(['send', 'orders'], 'a\nb\nc\n')
    await run(['consume', 'orders', '--group', 'billing', '--max', '1'])
  })
  afterAll(() => stopServer(server))

  test('prints a table each time, and stops after as many as are asked for', async () => {
    const { code, out, err } = await run(['top', '--interval', '50ms', '--count', '2'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.match(/^topic +group +in\/s +out\/s +lag/gm)).toHaveLength(2)
    expect(out.match(/^orders +billing +0\.0 +0\.0 +2 /gm)).toHaveLength(2)
    expect(out).toMatch(/^hello +- +0\.0/m)
    // oxlint-disable-next-line no-control-regex -- what steers a terminal is what it looks for
    expect(out).not.toMatch(/\u001b/)
  })

  test('counts what is sent and finished between two looks', async () => {
    const child = millrace(['top', '--interval', '200ms', '--json', '--topic', 'orders'], { MILLRACE_URL: server.url })
    const lines = linesOf(child)
    const next = async (): Promise<Told> => JSON.parse((await lines.next()).value ?? '') as Told
    expect(await next()).toMatchObject({ topics: [{ topic: 'orders', in: 0 }], groups: [{ group: 'billing', out: 0, lag: 2 }] })
    await run(['send', 'orders', 'd'])
    await run(['consume', 'orders', '--group', 'billing', '--max', '1'])
    let [sent, finished] = [0, 0]
    while (sent === 0 || finished === 0) {
      const { topics, groups } = await next()
      sent += topics[0]?.in ?? 0
      finished += groups[0]?.out ?? 0
    }
    const over = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    expect(await over).toBe(0)
  })

  test.each([
    [['top', '--url', 'http://127.0.0.1:1'], 3],
    [['top', '--topic', 'nowhere'], 5],
    [['top', '--interval', 'often'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await run(args)).code).toBe(code)
  })
})

test('a rate is what moved since the look before, and a topic that was made anew began at nothing', () => {
  const at = (second: number, published: number) => ({ at: new Date(second * 1_000).toISOString(), topics: [{ topic: 't', published, paused: false }], groups: [] })
  expect(busyBetween(undefined, at(0, 5)).topics[0]?.in).toBe(null)
  expect(busyBetween(at(0, 5), at(2, 25)).topics[0]?.in).toBe(10)
  expect(busyBetween(at(0, 25), at(2, 4)).topics[0]?.in).toBe(2)
})
