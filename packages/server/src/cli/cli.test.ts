import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, type Server, ended, folder, linesOf, millrace, startServer, stopServer } from './process.harness.js'

describe('the command', () => {
  let server: Server
  const run = (args: readonly string[], input?: string): Promise<Ended> => ended(millrace(args, { MILLRACE_URL: server.url }), input)

  beforeAll(async () => {
    server = await startServer(['--memory', '--port', '0'])
  })

  afterAll(() => stopServer(server))

  test('sends a message and reads it', async () => {
    expect(await run(['send', 'hello', 'good morning'])).toMatchObject({ code: 0, out: expect.stringContaining('topic      hello') })
    expect(await run(['consume', 'hello', '--max', '1'])).toMatchObject({ code: 0, out: expect.stringContaining('good morning') })
    expect(await run(['consume', 'hello', '--exit'])).toMatchObject({ code: 0, out: '' })
  })

  test('prints JSON for programs', async () => {
    await run(['topics', 'create', 'json', '--partitions', '1'])
    const sent = JSON.parse((await run(['send', 'json', '{"id":7}', '--key', 'k', '--header', 'a=b', '--json'])).out)
    expect(sent).toMatchObject({ topicName: 'json', partition: 0, offset: expect.any(Number) })
    const consumed = JSON.parse((await run(['consume', 'json', '--max', '1', '--json'])).out)
    expect(consumed).toMatchObject({ id: sent.messageId, key: 'k', value: { id: 7 }, headers: { a: 'b' }, attempt: 1 })
    for (const args of [['topics'], ['topics', 'describe', 'json'], ['groups'], ['groups', 'positions', 'json', 'cli'], ['peek', 'json'], ['held'], ['dead']]) {
      const { code, out } = await run([...args, '--json'])
      expect([args, code, typeof JSON.parse(out)]).toEqual([args, 0, 'object'])
    }
  })

  test('sends the lines of standard input, the rows of a CSV file and the values of a JSON lines file', async () => {
    await run(['topics', 'create', 'files', '--partitions', '1'])
    writeFileSync(join(folder, 'rows.csv'), 'user,answer\nanna,"a, b"\nbert,c\n')
    writeFileSync(join(folder, 'values.jsonl'), '{"user":"carl"}\n\n{"user":"dora"}\n')
    expect(await run(['send', 'files'], 'one\ntwo\n')).toMatchObject({ code: 0, out: 'sent 2 messages to files\n' })
    expect(await run(['send', 'files', '--file', 'rows.csv', '--key-field', 'user'])).toMatchObject({ code: 0, out: 'sent 2 messages to files\n' })
    expect(await run(['send', 'files', '--file', 'values.jsonl', '--skip', '1'])).toMatchObject({ code: 0, out: 'sent 1 messages to files\n' })
    const { messages } = JSON.parse((await run(['peek', 'files', '--json'])).out) as { messages: { key: string | null; value: unknown }[] }
    expect(messages.map(({ key, value }) => [key, value])).toEqual([
      [null, 'one'],
      [null, 'two'],
      ['anna', { user: 'anna', answer: 'a, b' }],
      ['bert', { user: 'bert', answer: 'c' }],
      [null, { user: 'dora' }],
    ])
  })

  test('names the line that is wrong', async () => {
    expect(await run(['send', 'files', '--format', 'jsonl'], '{"a":1}\n{')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^millrace: line 2 is not JSON.*1 were sent before; go on with --skip 1/),
    })
    expect(await run(['send', 'files', '--format', 'jsonl', '--key-field', 'a'], '{"b":1}')).toMatchObject({ code: 1, err: expect.stringContaining('line 1 has no field a') })
  })

  test.each([
    [['x', '--skip', '5'], /--skip goes with a file/],
    [['x', '--delay', '1s', '--at', '2030-01-01T00:00:00Z'], /--delay or --at/],
    [['--text'], /--text goes with a value/],
    [['--file', tmpdir()], /cannot be read/],
  ])('refuses %j instead of passing a wish over', async (args, message) => {
    expect(await run(['send', 'files', ...args], '')).toMatchObject({ code: 2, err: expect.stringMatching(message) })
  })

  test('hands back what a reader who has enough did not take', async () => {
    await run(['topics', 'create', 'much', '--partitions', '1'])
    await run(['send', 'much', '--batch', '1000'], `${'x'.repeat(2_000)}\n`.repeat(300))
    const child = millrace(['consume', 'much', '--batch', '300'], { MILLRACE_URL: server.url })
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect((await ended(child)).code).toBe(0)
    const { groups } = JSON.parse((await run(['groups', 'list', 'much', '--json'])).out)
    expect(groups).toMatchObject([{ lent: 0 }])
    expect(groups[0].lag).toBeGreaterThan(0)
  })

  test('creates, changes, pauses and deletes topics', async () => {
    expect((await run(['topics', 'create', 'life', '--partitions', '2', '--retention', '7d'])).code).toBe(0)
    expect((await run(['topics', 'alter', 'life', '--partitions', '3', '--retention', 'forever'])).code).toBe(0)
    expect((await run(['topics', 'pause', 'life'])).out).toBe('paused topic life\n')
    expect(JSON.parse((await run(['topics', 'describe', 'life', '--json'])).out)).toMatchObject({ partitions: 3, retentionMs: -1, status: 'inactive' })
    expect((await run(['topics', 'resume', 'life'])).out).toBe('resumed topic life\n')
    expect(await run(['topics', 'delete', 'life'])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
    expect((await run(['topics', 'delete', 'life', '--yes'])).code).toBe(0)
    expect((await run(['topics', 'describe', 'life'])).code).toBe(5)
  })

  test('moves a group back, so that it reads again', async () => {
    await run(['topics', 'create', 'again', '--partitions', '1'])
    await run(['send', 'again', 'first'])
    expect((await run(['consume', 'again', '--max', '1', '--values'])).out).toBe('first\n')
    expect((await run(['groups', 'seek', 'again', 'cli', '--to', 'start'])).code).toBe(0)
    expect((await run(['consume', 'again', '--max', '1', '--values'])).out).toBe('first\n')
    expect((await run(['groups', 'seek', 'again', 'cli'])).code).toBe(2)
  })

  test('cancels what is held', async () => {
    await run(['topics', 'create', 'later'])
    expect((await run(['send', 'later', 'never', '--delay', '1h', '--id', 'm1'])).out).toContain('held')
    expect((await run(['held', 'list', '--topic', 'later'])).out).toContain('later:m1')
    expect((await run(['held', 'cancel', 'later:m1'])).out).toBe('cancelled 1\n')
    expect((await run(['held', 'cancel', 'later:m1'])).code).toBe(5)
  })

  test('shows dead letters, counts them in a dry run, sends them again and clears them away', async () => {
    await run(['topics', 'create', 'bad', '--partitions', '1'])
    await run(['send', 'bad'], 'a\nb\n')
    const post = async (path: string, body: object): Promise<{ data: { messages: { token: string }[] } }> => {
      const response = await fetch(`${server.url}/api/v1/mq${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      return (await response.json()) as { data: { messages: { token: string }[] } } // the envelope of a pull
    }
    const { data } = await post('/pull', { topicName: 'bad', groupId: 'g', max: 2, waitMs: 5_000 })
    await post('/nack', { tokens: data.messages.map(({ token }) => token), deadLetter: true, reason: 'no such user' })

    const { deadLetters } = JSON.parse((await run(['dead', '--topic', 'bad', '--json'])).out) as { deadLetters: { id: string }[] }
    expect((await run(['dead', 'show', deadLetters[0]?.id ?? ''])).out).toContain('no such user')
    expect((await run(['dead', 'redrive', '--topic', 'bad', '--text', 'user', '--dry-run'])).out).toBe('2 dead letters fit; nothing was changed\n')
    expect((await run(['dead', 'redrive', deadLetters[0]?.id ?? '', '--rate', '100'])).out).toBe('sent 1 dead letters again\n')
    expect((await run(['consume', 'bad', '--group', 'g', '--max', '1', '--values'])).out).toBe('a\n')
    expect((await run(['dead', 'purge', '--topic', 'bad', '--yes'])).out).toBe('cleared 1 dead letters away\n')
    expect((await run(['dead', 'redrive'])).code).toBe(2)
  })

  test.each([
    [['topics', 'create', 'hello'], 6],
    [['send', 'nowhere', 'x'], 5],
    [['topics', 'create', 'a/b'], 1],
    [['sent', 'x'], 2],
    [['send', 'hello', 'x', '--delay', 'soon'], 2],
    [['send'], 2],
  ])('%j ends with %i', async (args, code) => {
    const result = await run(args)
    expect(result.code).toBe(code)
    expect(result.err).not.toBe('')
    expect(result.out).toBe('')
  })

  test.each([
    [['send', 'nowhere', 'x'], 5, { error: 'UNKNOWN_TOPIC', field: 'topicName', retryable: false }],
    [['peek', 'hello', '--partition', '99'], 1, { error: 'INVALID', field: 'partition', message: expect.stringMatching(/^topic hello has no partition 99: it has/) }],
    [['topics', '--url', 'http://127.0.0.1:1'], 3, { error: 'UNREACHABLE', retryable: true }],
    [['topics', '--nonsense'], 2, { error: 'USAGE', message: expect.stringMatching(/^unknown option/) }],
    [['groups', 'seek', 'a', 'b'], 2, { error: 'USAGE' }],
    [['serve', '--memory', '--host', '0.0.0.0'], 1, { error: 'CONFIG', field: 'listen.host' }],
  ])('%j --json tells its error as JSON on standard error', async (args, exitCode, told) => {
    const { code, out, err } = await run([...args, '--json'])
    expect({ code, out, told: JSON.parse(err) }).toMatchObject({ code: exitCode, out: '', told: { ...told, exitCode } })
  })

  test('hands back uncounted what it had not printed at Ctrl-C', async () => {
    await run(['topics', 'create', 'stopped', '--partitions', '1'])
    await run(['send', 'stopped', '--batch', '400'], `${'x'.repeat(2_000)}\n`.repeat(1_000))
    const child = millrace(['consume', 'stopped', '--batch', '1000'], { MILLRACE_URL: server.url })
    // Nobody reads on before it is stopped, so that it cannot print them all.
    await new Promise((resolve) => child.stdout?.once('readable', resolve))
    child.kill('SIGINT')
    await ended(child)
    const left = (await run(['consume', 'stopped', '--exit', '--batch', '1000', '--json'])).out.trim().split('\n')
    expect(new Set(left.map((line) => (JSON.parse(line) as { attempt: number }).attempt))).toEqual(new Set([1]))
  })

  test('says what to do when no server answers', async () => {
    expect(await ended(millrace(['topics', '--url', 'http://127.0.0.1:1']))).toEqual({
      code: 3,
      out: '',
      err: 'millrace: no server answers at http://127.0.0.1:1: start one with "millrace serve", or name another with --url or MILLRACE_URL\n',
    })
  })

  test.each([[['--help']], [['send', '--help']], [['topics', '--help']], [['dead', 'redrive', '--help']]])('%j helps', async (args) => {
    expect(await run(args)).toMatchObject({ code: 0, out: expect.stringContaining('Usage: millrace'), err: '' })
  })

  test('the lines that the server prints work as they are', async () => {
    const fresh = await startServer(['--memory', '--port', '0'])
    const [send = '', read = ''] = fresh.welcome.split('\n').filter((line) => line.startsWith('  curl'))
    const shell = (line: string): Promise<Ended> => ended(spawn('sh', ['-c', line]))
    expect((await shell(send)).out).toContain('"code":200')
    expect((await shell(read)).out).toContain('"value":"good morning"')
    const [sendCommand = '', readCommand = ''] = fresh.welcome.split('\n').filter((line) => line.includes('MILLRACE_URL='))
    expect((await ended(spawn('sh', ['-c', sendCommand], { cwd: folder }))).code).toBe(0)
    expect((await ended(spawn('sh', ['-c', `${readCommand} --max 1`], { cwd: folder }))).out).toContain('good morning')
    await stopServer(fresh)
  })
})

describe('serve', () => {
  test('keeps messages and leases through a restart, and ends cleanly on SIGTERM', async () => {
    const data = join(folder, 'kept')
    const post = async (url: string, path: string, body: object) => {
      const response = await fetch(`${url}/api/v1/mq${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      return { status: response.status, ...((await response.json()) as { data: { messages: { token: string; message: { value: unknown } }[] } }) } // the envelope of a pull
    }
    const first = await startServer(['--port', '0', '--data', data])
    await post(first.url, '/messages', { topicName: 'hello', value: 'one', key: 'k' })
    await post(first.url, '/messages', { topicName: 'hello', value: 'two', key: 'k' })
    const { data: pulled } = await post(first.url, '/pull', { topicName: 'hello', groupId: 'g', max: 10, waitMs: 5_000 })
    expect(await stopServer(first)).toBe(0)

    const second = await startServer(['--port', '0', '--data', data])
    const tokens = pulled.messages.map(({ token }) => token)
    expect((await post(second.url, '/ack', { tokens })).status).toBe(200)
    expect((await post(second.url, '/ack', { tokens })).status).toBe(409)
    const { data: rest } = await post(second.url, '/pull', { topicName: 'hello', groupId: 'g', max: 10, waitMs: 15_000 })
    expect([...pulled.messages, ...rest.messages].map(({ message }) => message.value)).toEqual(['one', 'two'])
    expect(await stopServer(second, 'SIGINT')).toBe(0)
  })

  test('tells a program in one line that it listens', async () => {
    const child = millrace(['serve', '--memory', '--port', '0', '--json'])
    const { value = '' } = await linesOf(child).next()
    const told = JSON.parse(value) as { url: string }
    expect(told).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), engine: 'memory', data: null, tokens: false, pid: child.pid })
    expect((await fetch(`${told.url}/readyz`)).status).toBe(200)
    const over = new Promise<number | null>((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    expect(await over).toBe(0)
  })

  test('takes the next port when the usual one is taken, and says so; a port that was asked for it does not change', async () => {
    const blocker = createServer()
    const port = await new Promise<number>((resolve) => {
      // Where a server runs already, 7420 is taken without our help.
      blocker.once('error', () => resolve(7_420))
      blocker.listen(7_420, '127.0.0.1', () => resolve(7_420))
    })
    const server = await startServer(['--memory'])
    expect(server.welcome).toContain('(port 7420 is taken)')
    expect(Number(new URL(server.url).port)).toBeGreaterThan(port)
    expect(await ended(millrace(['serve', '--memory', '--port', String(port)]))).toMatchObject({ code: 1, err: expect.stringMatching(/^millrace: port 7420 is taken: choose another/) })
    await stopServer(server)
    blocker.close()
  })

  test('refuses to listen beyond this machine without tokens, and asks for them when there are some', async () => {
    expect(await ended(millrace(['serve', '--memory', '--host', '0.0.0.0']))).toMatchObject({ code: 1, err: expect.stringContaining('there are no tokens') })
    const MILLRACE_ADMIN_TOKEN = 'a-token-for-this-test'
    const server = await startServer(['--memory', '--host', '0.0.0.0', '--port', '0'], { MILLRACE_ADMIN_TOKEN })
    expect(server.welcome).toContain('by token')
    const list = (env: Record<string, string>): Promise<Ended> => ended(millrace(['topics'], { MILLRACE_URL: server.url, ...env }))
    expect(await list({})).toMatchObject({ code: 4, err: expect.stringContaining('MILLRACE_TOKEN') })
    expect((await list({ MILLRACE_TOKEN: MILLRACE_ADMIN_TOKEN })).code).toBe(0)
    await stopServer(server)
  })

  test('names the path of what is wrong in its config', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'listen: { prot: 1 }')
    expect(await ended(millrace(['serve', '--config', 'bad.yaml']))).toMatchObject({ code: 1, err: expect.stringContaining('bad.yaml: listen.prot is not known here') })
  })
})
