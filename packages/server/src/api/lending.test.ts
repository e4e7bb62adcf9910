import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Millrace, memory } from 'millrace'
import { embedded } from 'millrace/embedded'
import { HandClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type Fixture, type Pulled, fixture } from '../fixture.harness.js'

const engines = {
  memory: (clock: HandClock) => memory({ clock }),
  embedded: (clock: HandClock) => embedded({ path: mkdtempSync(join(tmpdir(), 'millrace-lending-')), lmdb: import.meta.resolve('lmdb'), clock }),
}

describe.each(['memory', 'embedded'] as const)('lending on the %s engine', (engine) => {
  let clock: HandClock
  let mill: Millrace
  let server: Fixture

  beforeEach(async () => {
    clock = new HandClock()
    mill = new Millrace({ engine: engines[engine](clock), clock })
    server = await fixture({}, { mill, clock })
    await server.call('POST', '/topics', { name: 'orders', partitions: 1 })
  })

  afterEach(async () => {
    await server.close()
    await mill.close()
  })

  function send(...messages: readonly object[]): Promise<Answer> {
    return server.call('POST', '/messages/batch', { topicName: 'orders', messages })
  }

  async function pull(more: object = {}, from = server): Promise<readonly Pulled[]> {
    const { status, data } = await from.call('POST', '/pull', { topicName: 'orders', groupId: 'billing', max: 10, ...more })
    expect(status).toBe(200)
    return data.messages
  }

  const values = (pulled: readonly { message: { value: unknown } }[]): unknown[] => pulled.map(({ message }) => message.value)
  const tokens = (pulled: readonly { token: string }[]): string[] => pulled.map(({ token }) => token)

  describe('a pulled message', () => {
    test('has all that it was sent with, and its offset as a text', async () => {
      await send({ value: { id: 1 }, key: 'k', headers: { a: 'b' }, messageId: 'm1' })
      const [first] = await pull()
      expect(first).toMatchObject({ attempt: 1, failureReason: null, token: expect.stringMatching(/^[\w-]{22,}$/) })
      expect(first?.message).toMatchObject({ id: 'm1', topicName: 'orders', partition: 0, offset: expect.stringMatching(/^\d+$/), key: 'k', value: { id: 1 }, headers: { a: 'b' } })
    })

    test('is finished by ack', async () => {
      await send({ value: 1 })
      const pulled = await pull()
      expect(await server.call('POST', '/ack', { tokens: tokens(pulled) })).toMatchObject({ status: 200, data: { results: [{ result: 'done' }] } })
      await clock.advance(60_000)
      expect(await pull()).toEqual([])
      expect((await server.call('GET', '/groups')).data.groups).toMatchObject([{ lag: 0, lent: 0 }])
    })

    test('goes to nobody else while it is lent, and to others when its time is over', async () => {
      await send({ value: 1 })
      await pull({ leaseMs: 30_000 })
      expect(await pull()).toEqual([])
      await clock.advance(30_000)
      expect(await pull()).toMatchObject([{ attempt: 2 }])
    })

    test('cannot be answered after its time: 409, and nothing changes', async () => {
      await send({ value: 1 })
      const late = await pull({ leaseMs: 1_000 })
      await clock.advance(1_000)
      const again = await pull({ leaseMs: 60_000 })
      for (const verb of ['ack', 'nack', 'extend']) {
        const answer = await server.call('POST', `/${verb}`, { tokens: tokens(late), ...(verb === 'extend' && { leaseMs: 5_000 }) })
        expect(answer).toMatchObject({ status: 409, data: { error: 'LAPSED', results: [{ result: 'stale' }] } })
      }
      expect(await server.call('POST', '/ack', { tokens: tokens(again) })).toMatchObject({ status: 200 })
    })

    test('cannot be answered twice', async () => {
      await send({ value: 1 })
      const pulled = await pull()
      await server.call('POST', '/ack', { tokens: tokens(pulled) })
      expect((await server.call('POST', '/ack', { tokens: tokens(pulled) })).status).toBe(409)
    })

    test('comes again at once after nack', async () => {
      await send({ value: 1 })
      await server.call('POST', '/nack', { tokens: tokens(await pull()) })
      expect(await pull()).toMatchObject([{ attempt: 2 }])
    })

    test('comes again uncounted where nack says that it was not delivered', async () => {
      await send({ value: 1, key: 'k' }, { value: 2, key: 'k' })
      await server.call('POST', '/nack', { tokens: tokens(await pull()) })
      await server.call('POST', '/nack', { tokens: tokens(await pull()), counted: false })
      await clock.advance(0)
      const again = await pull()
      expect(again).toMatchObject([{ attempt: 2, failureReason: null, message: { value: 1 } }])
      await server.call('POST', '/ack', { tokens: tokens(again) })
      expect(await pull()).toMatchObject([{ attempt: 1, message: { value: 2 } }])
    })

    test('cannot be handed back uncounted and as a failure at once', async () => {
      await send({ value: 1 })
      const refused = await server.call('POST', '/nack', { tokens: tokens(await pull()), counted: false, deadLetter: true })
      expect(refused).toMatchObject({ status: 400, data: { field: 'counted' } })
    })

    test('comes again after the delay that nack asks for, with its reason', async () => {
      await send({ value: 1 })
      const pulled = await pull()
      await server.call('POST', '/nack', { tokens: tokens(pulled), delayMs: 5_000, reason: 'card declined' })
      expect((await server.call('POST', '/ack', { tokens: tokens(pulled) })).status).toBe(409)
      await clock.advance(4_999)
      expect(await pull()).toEqual([])
      await clock.advance(1)
      expect(await pull()).toMatchObject([{ attempt: 2, failureReason: 'card declined' }])
    })

    test('becomes a dead letter when nack asks for it, and a late ack does not clear it away', async () => {
      await send({ value: 1 })
      const pulled = await pull()
      await server.call('POST', '/nack', { tokens: tokens(pulled), deadLetter: true, reason: 'nonsense' })
      expect((await server.call('POST', '/ack', { tokens: tokens(pulled) })).status).toBe(409)
      expect((await server.call('GET', '/dead-letters')).data.deadLetters).toMatchObject([{ failureReason: 'nonsense', failureKind: 'NACK' }])
    })

    test('is kept longer by extend', async () => {
      await send({ value: 1 })
      const pulled = await pull({ leaseMs: 10_000 })
      await clock.advance(9_000)
      expect(await server.call('POST', '/extend', { tokens: tokens(pulled), leaseMs: 10_000 })).toMatchObject({ status: 200, data: { leasedUntil: expect.any(String) } })
      await clock.advance(9_000)
      expect(await pull()).toEqual([])
      expect((await server.call('POST', '/ack', { tokens: tokens(pulled) })).status).toBe(200)
    })

    test('becomes a dead letter after its attempts', async () => {
      await send({ value: 1 })
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        expect(await pull({ leaseMs: 1_000, maxAttempts: 3 })).toMatchObject([{ attempt }])
        await clock.advance(1_000)
      }
      expect(await pull({ maxAttempts: 3 })).toEqual([])
      expect((await server.call('GET', '/dead-letters')).data.deadLetters).toMatchObject([{ failureKind: 'ATTEMPTS', retryCount: 3 }])
    })
  })

  describe('several messages', () => {
    test('of one key come one after the other', async () => {
      await send({ value: 1, key: 'a' }, { value: 2, key: 'a' }, { value: 3, key: 'b' }, { value: 4, key: 'a' })
      const order: unknown[] = []
      for (let round = 0; round < 3; round += 1) {
        const pulled = await pull()
        order.push(values(pulled))
        await server.call('POST', '/ack', { tokens: tokens(pulled) })
      }
      expect(order).toEqual([[1, 3], [2], [4]])
    })

    test('of one key wait behind one that was handed back for later', async () => {
      await send({ value: 1, key: 'a' }, { value: 2, key: 'a' })
      await server.call('POST', '/nack', { tokens: tokens(await pull()), delayMs: 1_000 })
      expect(await pull()).toEqual([])
      await clock.advance(1_000)
      const again = await pull()
      expect(values(again)).toEqual([1])
      await server.call('POST', '/ack', { tokens: tokens(again) })
      expect(values(await pull())).toEqual([2])
    })

    test('of one key keep their order when they are pulled few at a time', async () => {
      await send(...[1, 2, 3, 4].map((value) => ({ value, key: 'a' })))
      const order: unknown[] = []
      for (const max of [10, 2, 1, 1]) {
        const pulled = await pull({ max })
        order.push(...values(pulled))
        await server.call('POST', '/ack', { tokens: tokens(pulled) })
      }
      expect(order).toEqual([1, 2, 3, 4])
    })

    test('without a key come together', async () => {
      await send({ value: 1 }, { value: 2 }, { value: 3 })
      expect(values(await pull())).toEqual([1, 2, 3])
      expect(await pull()).toEqual([])
    })

    test('are answered one by one: a stale token does not spoil the others', async () => {
      await send({ value: 1 }, { value: 2 })
      const [first, second] = tokens(await pull())
      await server.call('POST', '/ack', { tokens: [first] })
      const { status, data } = await server.call('POST', '/ack', { tokens: [first, second] })
      expect(status).toBe(200)
      expect(data.results).toEqual([{ token: first, result: 'stale' }, { token: second, result: 'done' }])
    })
  })

  describe('any server on the same store', () => {
    test('takes the answer, also when the one that lent it is gone', async () => {
      await send({ value: 1 }, { value: 2 })
      const [first, second] = tokens(await pull())
      const other = await fixture({}, { mill, clock })
      expect((await other.call('POST', '/ack', { tokens: [first] })).status).toBe(200)
      await server.close()
      expect((await other.call('POST', '/ack', { tokens: [second] })).status).toBe(200)
      expect((await other.call('GET', '/groups')).data.groups).toMatchObject([{ lag: 0, lent: 0 }])
      await other.close()
    })

    test('gets the partitions of one that nobody pulls from any more', async () => {
      await server.call('POST', '/topics', { name: 'wide', partitions: 4 })
      const other = await fixture({}, { mill, clock })
      const ask = { topicName: 'wide', groupId: 'g', max: 10 }
      await server.call('POST', '/pull', ask)
      await other.call('POST', '/pull', ask)
      await clock.advance(90_000)
      await server.call('POST', '/messages/batch', { topicName: 'wide', messages: [0, 1, 2, 3].map((partition) => ({ value: partition, partition })) })
      const { data } = await server.call('POST', '/pull', ask)
      expect(values(data.messages).sort()).toEqual([0, 1, 2, 3])
      await other.close()
    })
  })

  test('a token that no server gave is refused', async () => {
    expect(await server.call('POST', '/ack', { tokens: ['nonsense'] })).toMatchObject({ status: 400, data: { field: 'tokens' } })
  })

  test('a pull from a topic that is not there is a 404', async () => {
    expect(await server.call('POST', '/pull', { topicName: 'nowhere', groupId: 'g' })).toMatchObject({ status: 404, data: { error: 'UNKNOWN_TOPIC' } })
  })

  /** Turns the clock until it is done, whichever threads it needs. */
  async function passing<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    void work.finally(() => (isDone = true))
    while (!isDone) await clock.advance(100)
    return work
  }

  /** Resolves when a pull of the server has joined its group. */
  async function joined({ app }: Fixture): Promise<void> {
    while (!(await app.inject('/metrics')).payload.includes('millrace_pull_memberships 1\n')) await clock.advance(1)
  }

  test('a pull that waits ends when the server closes', async () => {
    const waiting = server.call('POST', '/pull', { topicName: 'orders', groupId: 'billing', waitMs: 20_000 })
    await joined(server)
    await server.app.close()
    expect(await waiting).toMatchObject({ status: 200, data: { messages: [] } })
  })

  test('groups beyond the limit are refused until others are idle', async () => {
    const small = await fixture({ limits: { memberships: 1 } }, { mill, clock })
    const waiting = small.call('POST', '/pull', { topicName: 'orders', groupId: 'one', waitMs: 1_000 })
    await joined(small)
    expect(await small.call('POST', '/pull', { topicName: 'orders', groupId: 'two' })).toMatchObject({ status: 429, data: { error: 'FULL' } })
    await passing(waiting)
    expect(await small.call('POST', '/pull', { topicName: 'orders', groupId: 'two' })).toMatchObject({ status: 200 })
    await small.close()
  })

  test('a pull that waits gets what is sent meanwhile, each message once', async () => {
    const pulls = [1, 2, 3].map(() => pull({ max: 1, waitMs: 20_000 }))
    await joined(server)
    await send({ value: 1 }, { value: 2 }, { value: 3 })
    const pulled = await passing(Promise.all(pulls))
    expect(values(pulled.flat()).sort()).toEqual([1, 2, 3])
  })
})
