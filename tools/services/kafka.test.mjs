import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startKafka } from './kafka.mjs'
import { settingsOf } from './kafka/settings.mjs'
import { Missing } from './missing.mjs'

const startMs = 180_000

/** One broker and its life, told in order. */
describe('Kafka', () => {
  let folder
  let kafka
  let pids
  let missing

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-test-'))
    try {
      kafka = await startKafka({ folder, heapMb: 256 })
      pids = kafka.nodes.map(({ pid }) => pid)
    } catch (error) {
      if (!(error instanceof Missing) || process.env.SERVICES === 'required') throw error
      missing = `Kafka cannot run here: ${error.message}`
    }
  }, startMs)

  afterAll(async () => {
    await kafka?.stop()
    rmSync(folder, { recursive: true })
  })

  /** Skips a test where Kafka cannot run, with the reason. */
  function needed(context) {
    if (missing !== undefined) context.skip(missing)
  }

  it('serves a client, and the tools that come with it', async (context) => {
    needed(context)
    const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'words', numPartitions: 1, replicationFactor: 1 }] })
    await admin.disconnect()
    await kafka.tool('kafka-console-producer', ['--topic', 'words'], { input: 'mill\nrace\n' })
  }, startMs)

  it('comes back after kill -9 on its ports, with its data', async (context) => {
    needed(context)
    const [node] = kafka.nodes
    await node.kill()
    expect(node.pid).toBeUndefined()
    await node.start()
    pids.push(node.pid)
    const { stdout } = await kafka.tool('kafka-console-consumer', ['--topic', 'words', '--from-beginning', '--max-messages', '2'])
    expect(stdout).toBe('mill\nrace\n')
  }, startMs)

  it('says what a tool said that failed', async (context) => {
    needed(context)
    await expect(kafka.tool('kafka-none')).rejects.toThrow('no tool kafka-none: kafka-configs')
    await expect(kafka.tool('kafka-topics', ['--describe', '--topic', 'gone'])).rejects.toThrow(`Topic 'gone' does not exist`)
  }, startMs)

  it('stops, and leaves no process behind', async (context) => {
    needed(context)
    await kafka.stop()
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(readdirSync(folder)).toContain('node-1.log')
  }, startMs)
})

it('three nodes keep two copies in sync of everything, their own books included', () => {
  const ports = [1, 2, 3].map((id) => ({ broker: id, controller: 10 + id }))
  const text = settingsOf({ id: 2, ports, data: '/data', settings: { 'num.io.threads': 1 } })
  const lines = ['node.id=2', 'min.insync.replicas=2', 'offsets.topic.replication.factor=3', 'transaction.state.log.min.isr=2', 'num.io.threads=1']
  expect(text.split('\n')).toEqual(expect.arrayContaining(lines))
})
