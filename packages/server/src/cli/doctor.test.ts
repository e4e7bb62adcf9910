import { spawn } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Finding } from './doctor/finding.js'
import { type Ended, type Server, ended, folder, linesOf, millrace, startServer, stopServer } from './process.harness.js'

interface Report {
  readonly code: number | null
  readonly healthy: boolean
  readonly findings: readonly Finding[]
  /** By check; what the machine of the test makes of it is left out. */
  readonly levels: Readonly<Record<string, string>>
}

async function doctor(args: readonly string[], env: Record<string, string> = {}): Promise<Report> {
  const { code, out } = await ended(millrace(['doctor', ...args, '--json'], env))
  const { healthy, findings } = JSON.parse(out) as Pick<Report, 'healthy' | 'findings'>
  const ofTheMachine = ['memory', 'file system', 'space', 'fsync']
  return { code, healthy, findings, levels: Object.fromEntries(findings.filter(({ check }) => !ofTheMachine.includes(check)).map(({ check, level }) => [check, level])) }
}

const says = ({ findings }: Report, check: string): Finding | undefined => findings.find((finding) => finding.check === check)

describe('doctor on a store in use', () => {
  const data = join(folder, 'examined')
  let server: Server
  const run = (args: readonly string[]): Promise<Ended> => ended(millrace(args, { MILLRACE_URL: server.url }))

  beforeAll(async () => {
    server = await startServer(['--port', '0', '--data', data])
    await run(['send', 'hello', 'good morning'])
  })
  afterAll(() => stopServer(server))

  test('says in a line each what is well', async () => {
    const report = await doctor(['--data', data])
    expect(new Set(Object.values(report.levels))).toEqual(new Set(['ok']))
    expect(says(report, 'readers')?.says).toContain(String(server.child.pid))
    const lines = (await run(['doctor', '--data', data])).out
    // The one before has taken leave of the store.
    expect(lines).toMatch(/^ok {6}readers +1 process with the store open: \d+$/m)
    expect(lines).toMatch(/^ok {6}write lock +free; a commit took /m)
    expect(lines).toMatch(/^ok {6}contents +1 topic, 0 groups, \d+ B of messages$/m)
  })

  test('finds what waits for people, in the store and by the server', async () => {
    await run(['topics', 'create', 'bad', '--partitions', '1'])
    await run(['send', 'bad', 'x'])
    await run(['groups', 'seek', 'bad', 'nobody', '--to', 'start'])
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${server.url}/api/v1/mq${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const pulled = (await (await post('/pull', { topicName: 'bad', groupId: 'g', waitMs: 5_000 })).json()) as { data: { messages: { token: string }[] } } // the envelope of a pull
    await post('/nack', { tokens: pulled.data.messages.map(({ token }) => token), deadLetter: true })
    await post('/topics/bad/groups/alone', {})
    await run(['topics', 'pause', 'bad'])
    for (const report of [await doctor(['--data', data]), await doctor(['--url', server.url])]) {
      expect(report.levels).toMatchObject({ 'dead letters': 'notice', groups: 'notice', paused: 'notice', delays: 'ok', prepared: 'ok', clock: 'ok' })
      expect(says(report, 'groups')?.says).toBe('bad/alone (1 to read) without a member')
      expect(says(report, 'dead letters')?.todo).toContain('millrace dead')
    }
  })

  test('names the process that is stopped inside a commit', async () => {
    const open = `import { open } from ${JSON.stringify(import.meta.resolve('lmdb'))}
      const root = open({ path: ${JSON.stringify(join(data, 'store.mdb'))}, maxDbs: 40, overlappingSync: false })
      root.transactionSync(() => { console.log('in'); process.kill(process.pid, 'SIGSTOP') }, 3)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', open])
    await linesOf(child).next()
    try {
      const report = await doctor(['--data', data, '--timeout', '1s'])
      expect(report).toMatchObject({ code: 1, healthy: false, levels: { 'write lock': 'wrong' } })
      if (process.platform === 'linux') expect(says(report, 'write lock')).toMatchObject({ says: expect.stringContaining(`process ${child.pid} `), todo: expect.stringContaining(`kill -CONT ${child.pid}`) })
    } finally {
      child.kill('SIGKILL')
    }
    expect((await doctor(['--data', data])).levels).toMatchObject({ 'write lock': 'ok' })
  })
})

describe('doctor on a folder', () => {
  test('tells a damaged store', async () => {
    const data = join(folder, 'damaged')
    await stopServer(await startServer(['--port', '0', '--data', data]))
    truncateSync(join(data, 'store.mdb'), 10_000)
    const report = await doctor(['--data', data])
    expect(report).toMatchObject({ code: 1, healthy: false, levels: { store: 'wrong' } })
    expect(says(report, 'store')?.says).toContain('is damaged')
  })

  test('that has no store ends with 5', async () => {
    expect(await ended(millrace(['doctor', '--data', folder]))).toMatchObject({ code: 5, out: '', err: expect.stringContaining('there is no store') })
  })

  test('looks at what a server would run with here', async () => {
    const free = await doctor([], { MILLRACE_PORT: '0', MILLRACE_DATA: join(folder, 'not-yet') })
    expect(free.levels).toMatchObject({ node: 'ok', config: 'ok', access: 'ok', port: 'ok', store: 'ok' })

    const server = await startServer(['--memory', '--port', '0'])
    const running = await doctor([], { MILLRACE_PORT: new URL(server.url).port, MILLRACE_ENGINE_PROVIDER: 'memory' })
    expect(running).toMatchObject({ levels: { port: 'ok', server: 'ok', contents: 'ok' } })
    expect(says(running, 'port')?.says).toContain(server.url)
    await stopServer(server)
  })

  test('names what is wrong with the config', async () => {
    mkdirSync(join(folder, 'config'), { recursive: true })
    const file = join(folder, 'config', 'bad.yaml')
    writeFileSync(file, 'listen: { prot: 1 }')
    const report = await doctor(['--config', file])
    expect(report).toMatchObject({ code: 1, levels: { config: 'wrong' } })
    expect(says(report, 'config')?.says).toContain('listen.prot')
    expect((await doctor([], { MILLRACE_HOST: '0.0.0.0', MILLRACE_PORT: '0', MILLRACE_ENGINE_PROVIDER: 'memory', MILLRACE_PROT: '1' })).levels).toMatchObject({ access: 'wrong', config: 'notice' })
  })

  test('finds the port taken', async () => {
    const blocker = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'))
    const port = await new Promise<number>((resolve) => blocker.listen(0, '127.0.0.1', () => resolve((blocker.address() as { port: number }).port))) // it listens on TCP
    expect((await doctor([], { MILLRACE_PORT: String(port), MILLRACE_ENGINE_PROVIDER: 'memory' })).levels).toMatchObject({ port: 'wrong' })
    blocker.close()
  })
})

test.each([
  [['--url', 'http://127.0.0.1:1'], 3],
  [['--url', 'http://127.0.0.1:1', '--data', 'x'], 2],
])('doctor %j ends with %i', async (args, code) => {
  expect((await ended(millrace(['doctor', ...args]))).code).toBe(code)
})
