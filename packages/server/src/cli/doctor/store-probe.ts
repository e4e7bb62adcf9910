import { randomUUID } from 'node:crypto'
import { Millrace } from 'millrace'
import { embedded } from 'millrace/embedded'
import { loadConfig } from '../../config/load.js'
import { createServer } from '../../server.js'
import type { Query } from '../client.js'
import { type TwoLooks, lookTwice } from './looks.js'

// A process of its own, because a store whose write lock is held, or whose file is damaged, may hold or end whoever opens it.
// It tells how far it came; who started it waits for each step as long as it likes.

/** What the process tells, in this order; `failed` in place of the rest. */
export type Told =
  | { readonly step: 'ready' }
  | { readonly step: 'opened' }
  | { readonly step: 'written'; readonly ms: number }
  | ({ readonly step: 'surveyed' } & TwoLooks)
  | { readonly step: 'failed'; readonly error: string; readonly message: string }

function tell(told: Told): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(told, () => resolve())
  })
}

async function probe(path: string): Promise<void> {
  await tell({ step: 'ready' })
  const engine = embedded({ path, lmdb: import.meta.resolve('lmdb') })
  // It looks only: what is due is for those who run the store.
  const mill = new Millrace({ engine, keeper: false })
  await mill.open()
  await tell({ step: 'opened' })
  const begun = performance.now()
  // Takes the write lock and changes nothing.
  await mill.engine.decide([{ hold: `doctor:${randomUUID()}`, to: 'drop' }])
  await tell({ step: 'written', ms: performance.now() - begun })

  const { config } = await loadConfig({ flags: { 'log.level': 'silent' } })
  const app = await createServer({ mill, config })
  const asker = {
    async get<T>(address: string, query: Query = {}): Promise<T> {
      const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
      const response = await app.inject({ url: `/api/v1/mq${address}`, query: Object.fromEntries(pairs) })
      const { data, message } = response.json<{ data: T; message: string }>() // every answer of the API is an envelope
      if (response.statusCode !== 200) throw new Error(message)
      return data
    },
  }
  await tell({ step: 'surveyed', ...(await lookTwice(asker)) })
  await app.close()
  await mill.close()
}

try {
  await probe(process.argv[2] ?? '')
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'FAILED'
  await tell({ step: 'failed', error: code, message: error instanceof Error ? error.message : String(error) })
}
process.disconnect()
