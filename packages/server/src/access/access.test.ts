import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkListening, isLocalHostHeader } from './loopback.js'
import { Tokens, allows } from './tokens.js'

const secret = 'a-secret-of-24-characters'

describe('tokens', () => {
  const tokens = new Tokens([
    { name: 'ops', role: 'admin', token: secret },
    { name: 'app', role: 'service', sha256: createHash('sha256').update(`${secret}2`).digest('hex') },
  ])

  test('are known by their text or their hash', () => {
    expect(tokens.caller(`Bearer ${secret}`)).toMatchObject({ name: 'ops', role: 'admin' })
    expect(tokens.caller(`bearer ${secret}2`)).toMatchObject({ name: 'app', role: 'service' })
  })

  test.each([undefined, '', 'Bearer', 'Bearer ', 'Bearer wrong', `Basic ${secret}`, secret])('let nobody in with %s', (header) => {
    expect(tokens.caller(header)).toBeUndefined()
  })

  test('an empty token of a config that was not checked lets nobody in without a header', () => {
    expect(new Tokens([{ name: 'x', role: 'admin', token: '' }]).caller(undefined)).toBeUndefined()
  })

  test('a service does not do what asks for an admin', () => {
    expect(allows({ name: 'app', role: 'service' }, 'admin')).toBe(false)
    expect(allows({ name: 'app', role: 'service' }, 'service')).toBe(true)
    expect(allows({ name: 'ops', role: 'admin' }, 'service')).toBe(true)
  })
})

describe('listening', () => {
  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('needs no tokens on %s', (host) => {
    expect(() => checkListening({ listen: { host, port: 1 }, tokens: [] })).not.toThrow()
  })

  test.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.example.org'])('needs tokens on %s', (host) => {
    expect(() => checkListening({ listen: { host, port: 1 }, tokens: [] })).toThrow(/there are no tokens/)
    expect(() => checkListening({ listen: { host, port: 1 }, tokens: [{ name: 'a', role: 'admin', token: secret }] })).not.toThrow()
  })

  test('a host header from elsewhere is not local', () => {
    expect(['localhost:7420', '127.0.0.1', '[::1]:7420'].map(isLocalHostHeader)).toEqual([true, true, true])
    expect(['evil.example', 'evil.example:7420', undefined, '', 'localhost.evil.example'].map(isLocalHostHeader)).toEqual([false, false, false, false, false])
  })
})
