// A server under load: Millrace over an engine, or a bare Fastify with the same body schema.
import { performance } from 'node:perf_hooks'
import { loadConfig, serve } from '@millrace/server'
import Fastify from 'fastify'
import { answerCalls } from '../child.mjs'

/** @type {import('node:perf_hooks').EventLoopUtilization} */
let start

answerCalls({
  /** @param {'memory' | 'embedded'} provider @param {string} path */
  async millrace(provider, path) {
    const { config } = await loadConfig({ flags: { 'listen.port': '0', 'engine.provider': provider, 'engine.path': path } })
    const { url } = await serve({ ...config, topics: [{ name: 'bench', partitions: 8 }] })
    return url
  },
  /** @param {object} schema */
  async fastify(schema) {
    const app = Fastify({ ajv: { customOptions: { strict: false } } })
    const timestamp = new Date().toISOString()
    app.post('/api/v1/mq/messages', { schema: { body: schema } }, async () => ({
      code: 200, message: 'Message sent', data: { messageId: '019aa2f0-0000-7000-8000-000000000000', topicName: 'bench', partition: 3, offset: 123_456, timestamp },
    }))
    return app.listen({ host: '127.0.0.1', port: 0 })
  },
  begin() {
    start = performance.eventLoopUtilization()
  },
  /** How busy this thread was since `begin`, in %. */
  busy: () => performance.eventLoopUtilization(performance.eventLoopUtilization(), start).utilization * 100,
})
