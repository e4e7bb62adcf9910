import type { Engine } from 'millrace'
import { CommandFailure, exitCodes } from '../exit-codes.js'
import type { Target } from './target.js'

/** An engine in this process, through the library. `path` is the folder of a store; without it messages stay in memory. */
export async function engineTarget(path: string | undefined): Promise<Target> {
  const { Millrace } = await import('millrace')
  const mill = new Millrace({ engine: await engineAt(path) })
  await mill.open()
  return {
    name: path === undefined ? 'memory engine, in this process' : `embedded engine, in this process, on ${path}`,
    async create(name, settings) {
      await mill.topics.create({ name, description: 'Made by millrace bench', ...settings })
    },
    async send(topic, values) {
      const published = await mill.sendMany(topic, values.map((value) => ({ value })))
      for (const each of published) if ('error' in each) throw new CommandFailure(exitCodes.failed, `a message was not sent: ${each.error.message}`)
    },
    async consume({ topic, group, batch, lanes, took, signal }) {
      const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      const consumer = mill.consumeBatch(topic, group, (messages) => took(messages.length), { maxBatch: batch, concurrency: lanes, order: 'none' })
      await over
      await consumer.close()
    },
    remove: (name) => mill.topics.remove(name),
    close: () => mill.close(),
  }
}

async function engineAt(path: string | undefined): Promise<Engine> {
  if (path === undefined) {
    const { memory } = await import('millrace')
    return memory()
  }
  const { embedded } = await import('millrace/embedded')
  return embedded({ path, lmdb: import.meta.resolve('lmdb') })
}
