import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Fixture, adminToken, fixture, serviceToken, withTokens } from '../fixture.harness.js'

let server: Fixture

beforeEach(async () => {
  server = await fixture(withTokens)
})

afterEach(() => server.close())

interface Operation {
  readonly security?: readonly unknown[]
  readonly description?: string
}

async function operations(): Promise<(Operation & { readonly method: string; readonly url: string })[]> {
  const document = (await server.app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, Operation>> }>() // OpenAPI's own shape
  return Object.entries(document.paths).flatMap(([url, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), url })))
}

async function statusOf(method: string, url: string, headers: Record<string, string>): Promise<number> {
  const response = await server.app.inject({ method: method as 'GET', url: url.replaceAll(/\{\w+\}/g, 'x'), headers })
  return response.statusCode
}

describe('access', () => {
  test('every call is refused without a token, and with one that nobody knows', async () => {
    for (const { method, url } of await operations()) {
      expect([url, await statusOf(method, url, {})]).toEqual([url, 401])
      expect([url, await statusOf(method, url, { authorization: 'Bearer wrong-token-of-somebody' })]).toEqual([url, 401])
    }
  })

  test('a service may do what says so, and nothing else', async () => {
    for (const { method, url, description } of await operations()) {
      const status = await statusOf(method, url, { authorization: `Bearer ${serviceToken}` })
      if (description === 'Role: admin.') expect([url, status]).toEqual([url, 403])
      else expect([401, 403]).not.toContain(status)
    }
  })

  test('an admin may do everything', async () => {
    for (const { method, url } of await operations()) expect([401, 403]).not.toContain(await statusOf(method, url, { authorization: `Bearer ${adminToken}` }))
  })

  test('sending needs a service, the other seven calls of the first version an admin', async () => {
    const roles = new Map((await operations()).map(({ method, url, description }) => [`${method} ${url.replace('/api/v1/mq', '')}`, description]))
    expect(roles.get('POST /messages')).toBe('Role: service.')
    for (const call of ['GET /topics', 'POST /topics', 'PUT /topics/{name}', 'DELETE /topics/{name}', 'GET /consumers', 'GET /monitoring', 'POST /dead-letters/retry']) {
      expect([call, roles.get(call)]).toEqual([call, 'Role: admin.'])
    }
  })

  test('refusals have the envelope, in the language that is asked for', async () => {
    expect(await server.call('GET', '/topics', undefined, { 'accept-language': 'zh' })).toMatchObject({
      status: 401,
      code: 401,
      message: expect.stringMatching(/^认证失败/),
      data: { error: 'UNAUTHENTICATED', field: 'authorization' },
      headers: { 'www-authenticate': 'Bearer' },
    })
    expect(await server.call('GET', '/topics', undefined, { 'accept-language': 'zh', authorization: `Bearer ${serviceToken}` })).toMatchObject({ status: 403, message: expect.stringMatching(/^权限不足/) })
  })

  test('what is not there tells a stranger nothing, and an admin that it is not there', async () => {
    expect((await server.call('GET', '/nothing')).status).toBe(401)
    expect(await server.call('GET', '/nothing', undefined, { authorization: `Bearer ${adminToken}` })).toMatchObject({
      status: 404,
      code: 404,
      message: 'GET /api/v1/mq/nothing is not a call of this server: see /openapi.json',
    })
  })

  test('an address that cannot be decoded is answered in the envelope too', async () => {
    expect(await server.call('GET', '/topics/%E0%A4%A')).toMatchObject({ status: 400, code: 400, data: { error: 'INVALID' } })
  })

  test('errors name the fields of the API and advise what a client can do', async () => {
    const headers = { authorization: `Bearer ${adminToken}` }
    const unknown = await server.call('POST', '/messages', { topicName: 'nowhere', value: 1 }, headers)
    expect(unknown).toMatchObject({ status: 404, message: 'there is no topic nowhere: create it first (POST /topics, or millrace topics create)', data: { field: 'topicName' } })
    expect(await server.call('POST', '/topics', { name: 'large', maxMessageSize: 1e9 }, headers)).toMatchObject({ status: 400, data: { field: 'maxMessageSize' } })
  })

  test('a route that does not say who may call it is refused when it is made', async () => {
    const other = await fixture()
    // A server that is ready takes no routes; the hook speaks first.
    expect(() => other.app.get('/open-door', () => 'come in')).toThrow(/does not say who may call it|already listening|already ready/i)
    await other.close()
  })

  test('without tokens only this machine is answered, by its own names', async () => {
    const open = await fixture()
    expect((await open.call('GET', '/monitoring', undefined, { host: 'localhost:7420' })).status).toBe(200)
    expect(await open.call('GET', '/monitoring', undefined, { host: 'evil.example' })).toMatchObject({ status: 403, data: { field: 'host' } })
    await open.close()
  })
})

describe('bodies', () => {
  const admin = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }

  async function post(payload: string, headers: Record<string, string> = admin) {
    const response = await server.app.inject({ method: 'POST', url: '/api/v1/mq/messages', payload, headers })
    return { status: response.statusCode, body: response.json<{ message: string; data: { field: string } }>() } // the envelope
  }

  test('that are not JSON are refused', async () => {
    expect(await post('{')).toMatchObject({ status: 400, body: { data: { field: 'body' } } })
    expect((await post('')).status).toBe(400)
    expect((await post('[]')).status).toBe(400)
  })

  test('that nest too deep are refused', async () => {
    expect((await post(`{"topicName":"x","value":${'['.repeat(100)}${']'.repeat(100)}}`)).body.message).toContain('deeper than 64')
    expect((await post(`{"topicName":"x","value":"${'['.repeat(100)}"}`)).status).toBe(404)
  })

  test('that are too large are refused', async () => {
    expect((await post(JSON.stringify({ topicName: 'x', value: 'x'.repeat(1_048_576) }))).status).toBe(413)
  })

  test('of another type are refused, so that no web page sends them unasked', async () => {
    expect(await post('{"topicName":"x","value":1}', { ...admin, 'content-type': 'text/plain' })).toMatchObject({ status: 415, body: { data: { field: 'content-type' } } })
  })
})

describe('the OpenAPI document', () => {
  test('has every call of the first version with its schemas, and is valid in shape', async () => {
    const document = (await server.app.inject('/openapi.json')).json()
    expect(document.openapi).toMatch(/^3\.1/)
    const send = document.paths['/api/v1/mq/messages'].post
    expect(send.requestBody.content['application/json'].schema.required).toEqual(['topicName', 'value'])
    expect(Object.keys(send.responses)).toEqual(['200', '4XX', '5XX'])
    expect(send.responses['200'].content['application/json'].schema.properties.data.required).toEqual(['messageId', 'topicName', 'partition', 'offset', 'timestamp'])
    for (const path of ['/topics', '/topics/{name}', '/consumers', '/monitoring', '/dead-letters/retry']) expect(document.paths).toHaveProperty([`/api/v1/mq${path}`])
  })
})

describe('health and metrics', () => {
  test('are there for probes without a token', async () => {
    expect((await server.app.inject('/healthz')).json()).toMatchObject({ code: 200, data: { status: 'ok' } })
    expect((await server.app.inject('/readyz')).json()).toMatchObject({ code: 200, data: { status: 'ready', engine: 'memory' } })
  })

  test('readiness is lost when the engine is', async () => {
    await server.mill.close()
    expect((await server.app.inject('/readyz')).statusCode).toBe(503)
    expect((await server.app.inject('/healthz')).statusCode).toBe(200)
    const metrics = await server.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${serviceToken}` } })
    expect(metrics.payload).toContain('millrace_engine_up{engine="memory"} 0')
  })

  test('metrics count topics, groups and requests', async () => {
    const admin = { authorization: `Bearer ${adminToken}` }
    await server.call('POST', '/topics', { name: 'orders' }, admin)
    await server.call('POST', '/topics/orders/groups/billing', {}, admin)
    await server.call('POST', '/messages', { topicName: 'orders', value: 1 }, admin)
    await server.call('GET', '/topics')
    const { payload, headers } = await server.app.inject({ url: '/metrics', headers: admin })
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(payload).toContain('millrace_messages_published_total{topic="orders"} 1\n')
    expect(payload).toContain('millrace_group_lag_messages{topic="orders",group="billing"} 1\n')
    expect(payload).toContain('millrace_topic_messages{topic="orders",state="ready"} 1\n')
    expect(payload).toContain('millrace_auth_failures_total{reason="unauthenticated"} 1\n')
    expect(payload).toMatch(/millrace_http_request_duration_seconds_count\{route="\/api\/v1\/mq\/messages",method="POST",code="200"\} 1\n/)
    for (const line of payload.trim().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^{}]*\})? \S+)$/)
  })
})
