import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Fixture, fixture } from '../fixture.harness.js'

let server: Fixture

beforeEach(async () => {
  server = await fixture()
  await server.mill.topics.ensure({ name: 'orders', partitions: 1 })
})

afterEach(() => server.close())

const send = (value: number) => server.call('POST', '/messages', { topicName: 'orders', value })
const pull = { topicName: 'orders', groupId: 'till', waitMs: 5_000 }

test('messages of requests that come together go to the engine in one call, in their order', async () => {
  let calls = 0
  const count = (): void => void (calls += 1)
  subscribe('tracing:millrace:send:start', count)
  const answers = await Promise.all([1, 2, 3].map(send))
  unsubscribe('tracing:millrace:send:start', count)
  expect(calls).toBe(1)
  expect(answers.map(({ data }) => data.offset)).toEqual([0, 1, 2])
})

test('a client that goes away while it waits is lent nothing', async () => {
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as AddressInfo // it listens on TCP
  const connected = once(server.app.server, 'connection')
  const asked = once(server.app.server, 'request')
  const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/mq/pull', headers: { 'content-type': 'application/json' } }).on('error', () => undefined)
  client.end(JSON.stringify(pull))
  const [[socket]] = await Promise.all([connected, asked])
  client.destroy()
  await once(socket, 'close')
  const other = server.call('POST', '/pull', pull)
  await send(1)
  expect((await other).data.messages).toMatchObject([{ attempt: 1, message: { value: 1 } }])
})
