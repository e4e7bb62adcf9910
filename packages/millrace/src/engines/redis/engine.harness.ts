import { randomUUID } from 'node:crypto'
import type { Draft, Receipt } from '../../core/message.js'
import { type TopicDraft, topicConfig } from '../../core/topic.js'
import type { MillraceError } from '../../core/errors.js'
import type { GroupCensus, TopicCensus } from '../../engine/census.js'
import { clientOf } from './clients/index.js'
import { libraries, type Made } from './clients/libraries.harness.js'
import type { Argument, RedisClient, Reply } from './port.js'
import { RedisEngine, type RedisOptions } from './redis.js'

let made = 0

export function draft(value: string, more: Partial<Draft> = {}): Draft {
  made += 1
  return { id: `m${made}`, topic: 't', partition: 0, key: null, value: Buffer.from(value), headers: [], timestamp: Date.now(), producerId: 'p', ...more }
}

/** Engines that share a store on a server, and what people see of it. */
export class Bench {
  readonly prefix = `${randomUUID().slice(0, 8)}:`
  readonly reports: MillraceError[] = []
  readonly #url: string
  readonly #ends: (() => Promise<void>)[] = []

  constructor(url: string) {
    this.#url = url
  }

  /** A client as a user makes it. */
  async client(): Promise<RedisClient> {
    const client: Made | undefined = await libraries[0]?.standalone(this.#url)
    this.#ends.push(async () => client?.end())
    return clientOf(client?.client)
  }

  async engine(options: Omit<RedisOptions, 'client'> = {}): Promise<RedisEngine> {
    const client: Made | undefined = await libraries[0]?.standalone(this.#url)
    const engine = new RedisEngine({ client: client?.client, prefix: this.prefix, report: (error) => this.reports.push(error), ...options })
    this.#ends.unshift(async () => {
      await engine.close().catch(() => undefined)
      await client?.end()
    })
    await engine.open()
    return engine
  }

  /** With topic `t`. */
  async engineWith(config: Partial<TopicDraft> = {}, options: Omit<RedisOptions, 'client'> = {}): Promise<RedisEngine> {
    const engine = await this.engine(options)
    await engine.topics.create(topicConfig({ name: 't', partitions: 1, keep: {}, ...config }))
    return engine
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end()
  }
}

/** Publishes values that all have to be stored. */
export async function sent(engine: RedisEngine, ...values: readonly string[]): Promise<readonly Receipt[]> {
  const answers = await engine.publish(values.map((value) => draft(value)))
  return answers.map((answer) => {
    if ('error' in answer) throw answer.error
    return answer.ok
  })
}

export async function logOf(engine: RedisEngine, topic = 't'): Promise<readonly string[]> {
  const { items } = await engine.browse({ topic, from: 'start', limit: 1_000 })
  return items.map(({ value }) => String(value))
}

export async function countsIn(engine: RedisEngine, topic = 't'): Promise<TopicCensus> {
  const found = (await engine.census()).topics.find((each) => each.topic === topic)
  if (!found) throw new Error(`there is no topic ${topic}`)
  return found
}

export async function groupIn(engine: RedisEngine, group = 'g'): Promise<GroupCensus> {
  const found = (await countsIn(engine)).groups.find((each) => each.group === group)
  if (!found) throw new Error(`there is no group ${group}`)
  return found
}

/** An answer with its bytes as text. */
export function plain(reply: Reply): unknown {
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map(plain)
  return Buffer.isBuffer(reply) ? reply.toString() : reply
}

/** As redis-cli shows it. */
export async function call(client: RedisClient, name: string, key: string, ...args: readonly Argument[]): Promise<unknown> {
  return plain(await client.command([name, key, ...args], key))
}
