import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../core/clock.js'
import { type Topic, topicConfig } from '../../core/topic.js'
import type { Delivery, JoinRequest, Membership } from '../../engine/engine.js'
import { clientOf } from './clients/index.js'
import { libraries, type Made } from './clients/libraries.harness.js'
import { fieldsOf } from './entry.js'
import { Memberships } from './memberships.js'
import type { PartNames } from './names.js'
import type { Argument, Reply } from './port.js'
import { RedisStore } from './store.js'

const topic: Topic = { ...topicConfig({ name: 't', partitions: 1 }), id: 'topic-id', createdAt: 1, updatedAt: 1 }

/** A store with one topic `t` and a group `g`, and instances whose members share it. */
export class Rig {
  readonly reports: string[] = []
  readonly prefix = `${randomUUID().slice(0, 8)}:`
  readonly #url: string
  readonly #ends: (() => Promise<void>)[] = []
  #first: Instance | undefined
  #sent = 0

  constructor(url: string) {
    this.#url = url
  }

  get first(): Instance {
    if (!this.#first) throw new Error('open it first')
    return this.#first
  }

  get part(): PartNames {
    return this.first.store.part('t', 0)
  }

  async open(partitions = 1): Promise<Instance> {
    this.#first = await this.instance()
    await this.make(partitions)
    await this.#first.store.registry.refresh()
    return this.#first
  }

  /** What a topic and a group leave in the server. */
  async make(partitions = 1): Promise<void> {
    const { names } = this.first.store
    await this.command('HSET', names.topics, 't', JSON.stringify({ topic: { ...topic, partitions } }))
    await this.command('HSET', names.topic('t').groups, '#id', topic.id, 'g', '{}')
    for (let partition = 0; partition < partitions; partition += 1) await this.command('HSETNX', names.part('t', partition).cursor('g'), 'e', 1)
  }

  async instance(): Promise<Instance> {
    const made: Made | undefined = await libraries[0]?.standalone(this.#url)
    const store = new RedisStore({ client: clientOf(made?.client), clock: systemClock, prefix: this.prefix, replicas: 0, report: (error) => this.reports.push(error.message) }, { changed: () => undefined, restore: () => this.make() })
    const members = new Memberships(store, { create: () => Promise.resolve(), complete: () => this.make() })
    await store.open()
    this.#ends.push(async () => {
      members.quiet()
      await store.close()
      await made?.end()
    })
    return { store, members, join: (member, more) => members.join({ ...request, member, ...more }) }
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end()
  }

  command(name: string, ...args: readonly Argument[]): Promise<Reply> {
    return this.first.store.command([name, ...args], String(args[0]))
  }

  /** Messages m0, m1, …, as a plain producer adds them. */
  async send(count = 1, { key = null, partition = 0 }: { readonly key?: string | null; readonly partition?: number } = {}): Promise<void> {
    const { log, channel } = this.first.store.part('t', partition)
    for (let left = count; left > 0; left -= 1) {
      const { value, key: bytes, meta } = fieldsOf({ id: `m${this.#sent++}`, key, value: Buffer.from('v'), headers: [], timestamp: 1, producerId: 'p' })
      await this.command('XADD', log, '*', 'value', value, 'key', bytes, 'meta', meta)
    }
    await this.command('PUBLISH', channel, 'ready')
  }
}

export interface Instance {
  readonly store: RedisStore
  readonly members: Memberships
  join(member: string, more?: Partial<JoinRequest>): Promise<Membership>
}

const request: Omit<JoinRequest, 'member'> = {
  topic: 't', group: 'g', mode: 'share', from: 'start', leaseMs: 2_000, stallMs: 300_000, drainMs: 1_000, maxDeliveries: 3, park: false, revoke: () => Promise.resolve(),
}

/** Leases until so many have come. */
export async function take(member: Membership, count: number): Promise<readonly Delivery[]> {
  const taken: Delivery[] = []
  while (taken.length < count) {
    const more = await member.lease({ max: count - taken.length, waitMs: 5_000 })
    if (more.length === 0) throw new Error(`${taken.length} of ${count} came`)
    taken.push(...more)
  }
  return taken
}

export async function nothingComes(member: Membership, ms = 200): Promise<void> {
  const came = await member.lease({ max: 10, waitMs: ms })
  if (came.length > 0) throw new Error(`${ids(came).join()} came`)
}

export function ids(deliveries: readonly Delivery[]): readonly string[] {
  return deliveries.map(({ message: { id }, attempt, alone }) => `${id}${attempt > 1 ? `#${attempt}` : ''}${alone ? '!' : ''}`)
}

export const done = (delivery: Delivery): { readonly delivery: Delivery; readonly is: 'done' } => ({ delivery, is: 'done' })

/** Until it is so. */
export async function becomes(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(20)
}
