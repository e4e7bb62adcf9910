import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from './load.js'

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-config-')), 'millrace.yaml')
  writeFileSync(path, text)
  return path
}

describe('the config', () => {
  test('has a default for everything', async () => {
    const { config, given } = await loadConfig({})
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 7420 })
    expect(config.engine).toEqual({ provider: 'embedded', path: './data' })
    expect(config.limits.bodyBytes).toBe(1_048_576)
    expect(given.size).toBe(0)
  })

  test('comes from a file, the environment wins over it, and a flag over both', async () => {
    const sources = { file: file('listen: { host: 0.0.0.0, port: 1 }\nengine: { provider: memory }'), env: { MILLRACE_LISTEN_PORT: '2', MILLRACE_LIMITS_BODY_BYTES: '99' } }
    expect((await loadConfig(sources)).config).toMatchObject({ listen: { host: '0.0.0.0', port: 2 }, engine: { provider: 'memory' }, limits: { bodyBytes: 99 } })
    expect((await loadConfig({ ...sources, flags: { 'listen.port': '3' } })).config.listen.port).toBe(3)
  })

  test.each([
    ['listen: { port: nine }', 'listen.port', /listen\.port must be an integer.*Port from 1 to 65535/],
    ['listen: { port: "7420" }', 'listen.port', /must be an integer/],
    ['listen: { prot: 1 }', 'listen.prot', /listen\.prot is not known here; known are host, port/],
    ['engin: {}', 'engin', /engin is not known here/],
    ['engine: { provider: rabbit }', 'engine.provider', /must be one of embedded, memory/],
    ['topics: [{ partitions: 3 }]', 'topics.0.name', /topics\.0\.name is missing/],
    ['tokens: [{ name: ops, role: admin }]', 'tokens.0', /needs either token or sha256/],
    ['tokens: [{ name: ops, role: admin, token: short }]', 'tokens.0.token', /at least 16 characters/],
    ['tokens: [{ name: a, role: admin, token: aaaaaaaaaaaaaaaa }, { name: b, role: service, token: aaaaaaaaaaaaaaaa }]', 'tokens.1.token', /the same as tokens\.0\.token/],
    ['topics: [{ name: a b }]', 'topics.0.name', /topics\.0\.name has the wrong form.*A-Z a-z/],
    ['topics: [{ name: a }, { name: a }]', 'topics.1.name', /the same as topics\.0\.name/],
    ['defaults: { maxMessageSize: 999999999999 }', 'defaults.maxMessageSize', /at most 67108864/],
    ['message_queue: { max_len: many }', 'message_queue.max_len', /max_len must be an integer/],
    ['- a list', 'config', /must be a map/],
    ['a: [', 'config', /is not YAML/],
  ])('names what is wrong in %s', async (text, field, message) => {
    await expect(loadConfig({ file: file(text) })).rejects.toMatchObject({ code: 'CONFIG', field, message: expect.stringMatching(message) })
  })

  test('names the variable that is wrong', async () => {
    await expect(loadConfig({ env: { MILLRACE_PORT: 'x' } })).rejects.toMatchObject({ field: 'listen.port', message: expect.stringMatching(/^MILLRACE_PORT: listen\.port/) })
  })

  test('warns of a variable that is no setting', async () => {
    expect((await loadConfig({ env: { MILLRACE_LISTEN_PROT: '1', MILLRACE_URL: 'x' } })).warnings).toEqual([expect.stringContaining('MILLRACE_LISTEN_PROT')])
  })

  test('says so when the file is not there', async () => {
    await expect(loadConfig({ file: '/nowhere.yaml' })).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('cannot be read') })
  })

  test('takes a message_queue block', async () => {
    const { config } = await loadConfig({ file: file('message_queue: { provider: memory, retention_hours: 168, max_len: 10000 }') })
    expect(config).toMatchObject({ engine: { provider: 'memory' }, defaults: { retentionMs: 604_800_000, maxMessages: 10_000 } })
  })

  test('refuses redis_streams clearly', async () => {
    const text = 'message_queue:\n  provider: redis_streams\n  redis:\n    host: localhost\n    port: 6379\n    db: 0\n  retention_hours: 168  # 7天\n  max_len: 10000'
    await expect(loadConfig({ file: file(text) })).rejects.toMatchObject({ code: 'UNSUPPORTED', field: 'message_queue.provider' })
  })

  test('takes tokens from the environment', async () => {
    const { config } = await loadConfig({ env: { MILLRACE_ADMIN_TOKEN: 'a'.repeat(16) } })
    expect(config.tokens).toEqual([{ name: 'admin', role: 'admin', token: 'a'.repeat(16) }])
  })
})
