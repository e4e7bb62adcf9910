import { describe, expect, it } from 'vitest'
import { topicConfig } from '../../core/topic.js'
import { guard } from '../../engine/guard.js'
import { brokers, clients, pure } from './clients.harness.js'
import { kafka } from './index.js'
import { fresh, until } from './port.harness.js'

describe.each(clients)('a steward through $name', ({ missing, make }) => {
  it('that died in the middle of a release is followed in seconds, though its transaction is open', async (context) => {
    if (missing !== undefined) context.skip(missing)
    const prefix = fresh('steward')
    const dying = kafka({ client: make(), prefix })
    const heir = guard(kafka({ client: make(), prefix }))
    const other = new pure.Kafka({ brokers: [...brokers], logLevel: pure.logLevel.NOTHING }).producer({ transactionalId: `${prefix}_millrace.orders`, maxInFlightRequests: 1, idempotent: true, transactionTimeout: 60_000 })
    try {
      await dying.open()
      await dying.topics.create(topicConfig({ name: 'orders', partitions: 1 }))
      await dying.keep({ answers: new Map() })
      expect(await dying.holds({ topic: 'orders', limit: 1 })).toEqual({ items: [] })
      await heir.open()
      await heir.keep({ answers: new Map() })
      expect((await heir.holds({ topic: 'orders', limit: 1 })).items).toEqual([])
      await other.connect()
      await dying.die()
      // As it would have done: the same id, nothing committed.
      const release = await other.transaction()
      await release.send({ topic: `${prefix}_millrace.orders`, messages: [{ key: 'nothing', value: '' }] })
      const draft = { id: 'late', topic: 'orders', partition: 0, key: null, value: Buffer.from('v'), headers: [], timestamp: Date.now(), producerId: 'p', hold: { why: 'delay' as const, until: Date.now(), then: 'release' as const, attempt: 0 } }
      void heir.publish([draft])
      await until('the message', async () => (await heir.browse({ topic: 'orders', from: 'start', limit: 1 })).items.length === 1)
      await expect(release.commit()).rejects.toBeInstanceOf(Error)
    } finally {
      await other.disconnect()
      await Promise.allSettled([heir.close(), dying.close()])
    }
  })
})
