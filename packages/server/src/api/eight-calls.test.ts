import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Fixture, fixture } from '../fixture.harness.js'

const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
const chinese = { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' }

let server: Fixture

beforeEach(async () => {
  server = await fixture()
})

afterEach(() => server.close())

describe('POST /messages', () => {
  const message = {
    topicName: 'user-events',
    key: 'user_123456',
    value: { eventType: 'user_registered', userId: '123456', timestamp: '2024-01-15T10:30:00Z', data: { email: 'user@example.com', username: 'testuser' } },
    headers: { source: 'user-service', version: '1.0' },
    messageType: 'normal',
    delaySeconds: 0,
  }

  test('takes the request of the document and answers as it says', async () => {
    await server.call('POST', '/topics', { name: 'user-events' })
    const { status, code, message: said, data } = await server.call('POST', '/messages', message, chinese)
    expect({ status, code, message: said }).toEqual({ status: 200, code: 200, message: '消息发送成功' })
    expect(data).toEqual({ messageId: expect.any(String), topicName: 'user-events', partition: expect.any(Number), offset: expect.any(Number), timestamp: isTime })
  })

  test('keeps value, key and headers', async () => {
    await server.call('POST', '/topics', { name: 'user-events' })
    await server.call('POST', '/messages', message)
    const { data } = await server.call('GET', '/topics/user-events/messages')
    expect(data.messages).toHaveLength(1)
    expect(data.messages[0]).toMatchObject({ key: 'user_123456', value: message.value, valueEncoding: 'json', messageType: 'normal' })
    expect(data.messages[0]).toMatchObject({ headers: message.headers })
  })

  test('answers in English unless asked otherwise', async () => {
    await server.call('POST', '/topics', { name: 'user-events' })
    expect((await server.call('POST', '/messages', message)).message).toBe('Message sent')
    expect((await server.call('POST', '/messages', message, { 'accept-language': 'fr, en;q=0.5, zh;q=0.1' })).message).toBe('Message sent')
  })

  test('has no offset while a message is delayed or prepared', async () => {
    await server.call('POST', '/topics', { name: 'later' })
    const delayed = await server.call('POST', '/messages', { topicName: 'later', value: 1, messageType: 'delay', delaySeconds: 60 })
    const prepared = await server.call('POST', '/messages', { topicName: 'later', value: 2, messageType: 'transaction' })
    expect([delayed.data.offset, prepared.data.offset]).toEqual([null, null])
    const { data } = await server.call('GET', '/held?topicName=later')
    expect(data.held.map(({ why }) => why).sort()).toEqual(['delay', 'prepared'])
  })

  test.each([
    [{ value: 1 }, 'topicName', 'topicName is missing'],
    [{ topicName: 'a' }, 'value', 'value is missing'],
    [{ topicName: 'a', value: 1, delaySeconds: '5' }, 'delaySeconds', 'delaySeconds must be a number'],
    [{ topicName: 'a', value: 1, colour: 'red' }, 'colour', 'colour is not known here'],
    [{ topicName: 'a', value: 1, messageType: 'fast' }, 'messageType', 'messageType must be one of normal, delay, transaction'],
    [{ topicName: 'a', value: 1, messageType: 'normal', delaySeconds: 5 }, 'delaySeconds', 'go with messageType delay'],
    [{ topicName: 'a', value: 1, messageType: 'delay' }, 'delaySeconds', 'must be above 0'],
    [{ topicName: 'a', value: 1, delayUntil: 'soon' }, 'delayUntil', 'is not a time'],
    [{ topicName: 'a', value: 1, dedupWindowMs: 1_000 }, 'dedupId', 'goes with a dedupId or a messageId'],
    [{ topicName: 'a', value: '%', valueEncoding: 'base64' }, 'value', 'not a text in base64'],
  ])('refuses %j with 400 naming the field', async (body, field, text) => {
    await server.call('POST', '/topics', { name: 'a' })
    const { status, code, message: said, data } = await server.call('POST', '/messages', body)
    expect({ status, code, field: data.field, error: data.error }).toEqual({ status: 400, code: 400, field, error: 'INVALID' })
    expect(said).toContain(text)
  })

  test('refuses a number that would be rounded, and a bookmark from outside', async () => {
    await server.call('POST', '/topics', { name: 'a' })
    const response = await server.app.inject({ method: 'POST', url: '/api/v1/mq/messages', headers: { 'content-type': 'application/json' }, payload: '{"topicName":"a","value":{"id":9007199254740993}}' })
    expect(response.json()).toMatchObject({ code: 400, message: expect.stringContaining('9007199254740993') })
    expect((await server.call('POST', '/messages', { topicName: 'a', value: 1, headers: { 'millrace-bookmark': '[]' } })).status).toBe(400)
  })

  test('takes bytes in base64, and shows what is no JSON as it is', async () => {
    await server.call('POST', '/topics', { name: 'a', partitions: 1 })
    const values = [Buffer.from([0xff, 0x00]), Buffer.from('plain'), Buffer.from('{"id":9007199254740993}')]
    for (const value of values) await server.call('POST', '/messages', { topicName: 'a', value: value.toString('base64'), valueEncoding: 'base64' })
    const { data } = await server.call('GET', '/topics/a/messages')
    expect(data.messages).toMatchObject([
      { value: '/wA=', valueEncoding: 'base64' },
      { value: 'plain', valueEncoding: 'text' },
      { value: '{"id":9007199254740993}', valueEncoding: 'text' },
    ])
  })

  test.each(['x', 'aGVsbG8', 'aGVsbG8=', 'aGV=', 'aGVsbG8==', 'a=b=', ''])('takes %j for base64 only where no byte is lost', async (value) => {
    await server.call('POST', '/topics', { name: 'a', partitions: 1 })
    const { status } = await server.call('POST', '/messages', { topicName: 'a', value, valueEncoding: 'base64' })
    expect(status).toBe(['aGVsbG8', 'aGVsbG8=', 'aGV=', ''].includes(value) ? 200 : 400)
  })

  test('carries the trace of its caller', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await server.call('POST', '/topics', { name: 'a' })
    await server.call('POST', '/messages', { topicName: 'a', value: 1 }, { traceparent })
    const { data } = await server.call('GET', '/topics/a/messages')
    expect(data.messages).toMatchObject([{ headers: { traceparent } }])
  })

  test('commits and rolls back prepared messages, once', async () => {
    await server.call('POST', '/topics', { name: 'a', partitions: 1 })
    for (const messageId of ['kept', 'dropped']) await server.call('POST', '/messages', { topicName: 'a', value: messageId, messageId, messageType: 'transaction' })
    expect(await server.call('POST', '/transactions/commit', { topicName: 'a', messageId: 'kept' }, chinese)).toMatchObject({ status: 200, message: '事务提交成功' })
    expect(await server.call('POST', '/transactions/rollback', { topicName: 'a', messageId: 'dropped' })).toMatchObject({ status: 200, data: { status: 'rolledBack' } })
    expect(await server.call('POST', '/transactions/commit', { topicName: 'a', messageId: 'dropped' })).toMatchObject({ status: 404, data: { error: 'UNKNOWN_HOLD' } })
    const { data } = await server.call('GET', '/topics/a/messages')
    expect(data.messages).toMatchObject([{ id: 'kept', messageType: 'transaction' }])
  })

  test('answers a dedup id once', async () => {
    await server.call('POST', '/topics', { name: 'a', partitions: 1 })
    const first = await server.call('POST', '/messages', { topicName: 'a', value: 1, dedupId: 'order-7' })
    const second = await server.call('POST', '/messages', { topicName: 'a', value: 1, dedupId: 'order-7' })
    expect(second.data.offset).toBe(first.data.offset)
    expect((await server.call('GET', '/topics/a/messages')).data.messages).toHaveLength(1)
  })

  test('answers a message id once where a window is asked for', async () => {
    await server.call('POST', '/topics', { name: 'a', partitions: 1 })
    const twice = { topicName: 'a', value: 1, messageId: 'order-7', dedupWindowMs: 60_000 }
    for (const body of [twice, twice]) await server.call('POST', '/messages', body)
    expect((await server.call('GET', '/topics/a/messages')).data.messages).toHaveLength(1)
  })

  test('names what is wrong in Chinese too', async () => {
    const { message: said, data } = await server.call('POST', '/messages', { value: 1 }, chinese)
    expect(said).toBe('请求参数错误：topicName 缺少必填字段')
    expect(data.detail).toBe('topicName is missing')
  })

  test('answers 404 for a topic that is not there, 413 for a message that is too large', async () => {
    expect(await server.call('POST', '/messages', { topicName: 'nowhere', value: 1 })).toMatchObject({ status: 404, data: { error: 'UNKNOWN_TOPIC' } })
    await server.call('POST', '/topics', { name: 'small', maxMessageSize: 100 })
    expect(await server.call('POST', '/messages', { topicName: 'small', value: 'x'.repeat(200) })).toMatchObject({ status: 413, data: { error: 'TOO_LARGE' } })
    expect(await server.call('POST', '/messages', { topicName: 'small', value: 'x'.repeat(1_100_000) })).toMatchObject({ status: 413 })
  })

  test('answers 429 when the topic is full', async () => {
    await server.call('POST', '/topics', { name: 'bounded', partitions: 1, maxMessages: 1 })
    await server.call('POST', '/topics/bounded/groups/g')
    expect((await server.call('POST', '/messages', { topicName: 'bounded', value: 1 })).status).toBe(200)
    expect(await server.call('POST', '/messages', { topicName: 'bounded', value: 2 })).toMatchObject({ status: 429, data: { error: 'FULL', retryable: true }, headers: { 'retry-after': '1' } })
  })
})

describe('topics', () => {
  const payment = {
    name: 'payment-events',
    description: '支付相关事件主题',
    partitions: 6,
    replicationFactor: 3,
    retentionMs: 604_800_000,
    maxMessageSize: 1_048_576,
    config: { 'cleanup.policy': 'delete', 'compression.type': 'gzip' },
  }

  test('are created as the document shows', async () => {
    const { status, code, message, data } = await server.call('POST', '/topics', payment, chinese)
    expect({ status, code, message }).toEqual({ status: 200, code: 200, message: '主题创建成功' })
    expect(data).toEqual({ topicId: expect.any(String), name: 'payment-events', status: 'active', createdAt: isTime })
  })

  test('are listed with every field of the model', async () => {
    const { data: created } = await server.call('POST', '/topics', payment)
    const { data } = await server.call('GET', '/topics')
    expect(data.topics).toEqual([{ id: created.topicId, ...payment, status: 'active', createdBy: '', createdAt: isTime, updatedAt: isTime }])
  })

  test('are listed by pages', async () => {
    for (const name of ['a', 'b', 'c']) await server.call('POST', '/topics', { name })
    const first = await server.call('GET', '/topics?limit=2')
    const second = await server.call('GET', `/topics?limit=2&cursor=${first.data.nextCursor}`)
    expect([first, second].map(({ data }) => data.topics.map(({ name }) => name))).toEqual([['a', 'b'], ['c']])
    expect(second.data.nextCursor).toBeNull()
  })

  test('are changed, and what is left out stays', async () => {
    await server.call('POST', '/topics', payment)
    const { status, data } = await server.call('PUT', '/topics/payment-events', { partitions: 8, retentionMs: -1, status: 'inactive' })
    expect(status).toBe(200)
    expect(data).toMatchObject({ ...payment, partitions: 8, retentionMs: -1, status: 'inactive' })
  })

  test('are deleted', async () => {
    await server.call('POST', '/topics', payment)
    expect(await server.call('DELETE', '/topics/payment-events', undefined, chinese)).toMatchObject({ status: 200, message: '主题删除成功', data: { name: 'payment-events', status: 'deleted' } })
    expect(await server.call('DELETE', '/topics/payment-events')).toMatchObject({ status: 404 })
  })

  test('a name that is taken is a conflict, a bad one a bad request', async () => {
    await server.call('POST', '/topics', payment)
    expect(await server.call('POST', '/topics', payment)).toMatchObject({ status: 409, data: { error: 'TOPIC_EXISTS' } })
    expect(await server.call('POST', '/topics', { name: 'a/b' })).toMatchObject({ status: 400, data: { field: 'name' } })
    expect(await server.call('PUT', '/topics/payment-events', { partitions: 2 })).toMatchObject({ status: 400, data: { field: 'partitions' } })
    expect(await server.call('PUT', '/topics/payment-events', {})).toMatchObject({ status: 400 })
  })
})

describe('GET /monitoring', () => {
  async function busy(): Promise<void> {
    await server.call('POST', '/topics', { name: 'user-events', partitions: 2 })
    await server.call('POST', '/topics/user-events/groups/user-service-group')
    const messages = Array.from({ length: 10 }, (_, index) => ({ value: index, partition: index % 2 }))
    await server.call('POST', '/messages/batch', { topicName: 'user-events', messages })
  }

  test('answers as the document shows, with counts, rates and lag', async () => {
    await busy()
    const { status, message, data } = await server.call('GET', '/monitoring', undefined, chinese)
    expect({ status, message }).toEqual({ status: 200, message: '获取监控数据成功' })
    expect(data).toEqual({
      topics: [
        {
          name: 'user-events',
          messageCount: 10,
          messageRate: expect.any(Number),
          consumerLag: 10,
          partitions: [
            { partition: 0, offset: expect.any(Number), messageRate: expect.any(Number) },
            { partition: 1, offset: expect.any(Number), messageRate: expect.any(Number) },
          ],
        },
      ],
      consumers: [{ groupId: 'user-service-group', topicName: 'user-events', consumerCount: 0, totalLag: 10, status: 'inactive' }],
      timestamp: isTime,
    })
  })

  test('shows one topic, and the metrics that are asked for', async () => {
    await busy()
    await server.call('POST', '/topics', { name: 'other' })
    const { data } = await server.call('GET', '/monitoring?topicName=user-events&metrics=messageCount,consumerLag&timeRange=5m')
    expect(data).toEqual({ topics: [{ name: 'user-events', messageCount: 10, consumerLag: 10 }], timestamp: isTime })
  })

  test.each(['timeRange=2d', 'timeRange=soon', 'timeRange=0s', 'metrics=colour', 'topicNam=a'])('refuses %s', async (query) => {
    expect((await server.call('GET', `/monitoring?${query}`)).status).toBe(400)
  })

  test('a topic that is not there is a 404', async () => {
    expect((await server.call('GET', '/monitoring?topicName=nowhere')).status).toBe(404)
  })
})

test('GET /consumers tells who owns which partition, and how far it is', async () => {
  await server.call('POST', '/topics', { name: 'orders', partitions: 2 })
  await server.call('POST', '/messages', { topicName: 'orders', value: 1, partition: 1 })
  await server.call('POST', '/pull', { topicName: 'orders', groupId: 'billing', max: 10, waitMs: 5_000 })
  const { message, data } = await server.call('GET', '/consumers?topicName=orders', undefined, chinese)
  expect(message).toBe('获取消费者状态成功')
  expect(data.consumers).toHaveLength(2)
  expect(data.consumers[0]).toMatchObject({ consumerId: expect.stringMatching(/^server-/), groupId: 'billing', topicName: 'orders', partition: 0, lag: 0, status: 'active', clientInfo: {} })
})

describe('POST /dead-letters/retry', () => {
  async function letters(): Promise<string[]> {
    await server.call('POST', '/topics', { name: 'orders', partitions: 1 })
    await server.call('POST', '/messages/batch', { topicName: 'orders', messages: [{ value: 'a' }, { value: 'b' }] })
    const { data } = await server.call('POST', '/pull', { topicName: 'orders', groupId: 'billing', max: 2, waitMs: 5_000 })
    const tokens = data.messages.map(({ token }) => token)
    await server.call('POST', '/nack', { tokens, deadLetter: true, reason: 'no such customer' })
    const { data: listed } = await server.call('GET', '/dead-letters')
    return listed.deadLetters.map(({ id }) => id)
  }

  test('sends one again by its id', async () => {
    const [first] = await letters()
    const { status, message, data } = await server.call('POST', '/dead-letters/retry', { ids: [first] }, chinese)
    expect({ status, message, data }).toEqual({ status: 200, message: '重试死信消息成功', data: { scanned: 1, matched: 1, retried: 1, gone: 0, dryRun: false } })
    expect((await server.call('GET', '/dead-letters')).data.deadLetters).toHaveLength(1)
    const { data: again } = await server.call('POST', '/pull', { topicName: 'orders', groupId: 'billing', max: 2, waitMs: 5_000 })
    expect(again.messages).toMatchObject([{ attempt: 1, failureReason: 'no such customer' }])
  })

  test('counts without changing anything in a dry run, by filter', async () => {
    await letters()
    const { data } = await server.call('POST', '/dead-letters/retry', { filter: { originalTopicName: 'orders', text: 'customer' }, dryRun: true })
    expect(data).toMatchObject({ matched: 2, retried: 0, dryRun: true })
    expect((await server.call('GET', '/dead-letters')).data.deadLetters).toHaveLength(2)
  })

  test('shows them in the words of the model', async () => {
    const [first] = await letters()
    const { data } = await server.call('GET', `/dead-letters/${encodeURIComponent(first ?? '')}`)
    expect(data).toMatchObject({
      id: first,
      originalTopicName: 'orders',
      originalMessageId: expect.any(String),
      consumerGroupId: 'billing',
      failureReason: 'no such customer',
      retryCount: 1,
      messageContent: 'a',
      failedAt: isTime,
      createdAt: isTime,
    })
  })

  test.each([{}, { filter: {} }, { ids: ['x'], all: true }])('refuses %j: nothing must not mean everything', async (body) => {
    expect((await server.call('POST', '/dead-letters/retry', body)).status).toBe(400)
  })
})
