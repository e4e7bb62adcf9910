import { setTimeout as delay } from 'node:timers/promises'
import type { Header, Offset } from '../../core/message.js'
import type { GroupMember, GroupRequest, KafkaClient, KafkaRecord, NewRecord, Reader, ReaderEvents, Sent } from './port.js'

const lookMs = 5
const forever = 20_000

/** Waits for something of the cluster's; nothing tells us when it has happened. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const due = performance.now() + forever
  while (!(await isSo())) {
    if (performance.now() > due) throw new Error(`${what}: not in ${forever} ms`)
    await delay(lookMs)
  }
}

let names = 0

/** A name that no other run of the suite has. */
export function fresh(what: string): string {
  names += 1
  return `${what}-${process.pid}-${Date.now().toString(36)}-${names}`
}

export async function topicOf(client: KafkaClient, partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = fresh('topic')
  await client.admin.createTopic({ name, partitions, replicationFactor: 1, config })
  return name
}

export function record(topic: string, value: string, more: Partial<NewRecord> = {}): NewRecord {
  return { topic, partition: 0, key: null, value: Buffer.from(value), headers: [], ...more }
}

export function header(name: string, ...bytes: readonly number[]): Header {
  return [name, Uint8Array.from(bytes)]
}

/** The offsets of records that all were stored. */
export function offsetsOf(sent: readonly Sent[]): readonly Offset[] {
  return sent.map((each) => {
    if ('error' in each) throw each.error
    return each.offset
  })
}

export function codeOf(sent: Sent | undefined): string | undefined {
  return sent !== undefined && 'error' in sent ? `${sent.error.code}, stored ${sent.stored}` : undefined
}

/** Everything that a reader was told. */
export class Told implements ReaderEvents {
  readonly all: KafkaRecord[] = []
  readonly ends = new Map<string, Offset>()
  readonly losses: string[] = []
  readonly troubles: string[] = []
  /** Calls with records. */
  calls = 0
  onRecords: ((topic: string, partition: number) => void) | undefined

  records(topic: string, partition: number, records: readonly KafkaRecord[]): void {
    this.calls += 1
    for (const each of records) this.all.push(each)
    this.onRecords?.(topic, partition)
  }

  end(topic: string, partition: number, next: Offset): void {
    this.ends.set(`${topic} ${partition}`, next)
  }

  lost(topic: string, partition: number, why: 'deleted' | 'gone'): void {
    this.losses.push(`${topic} ${partition} ${why}`)
  }

  trouble(error: Error): void {
    this.troubles.push(error.message)
  }

  values(): readonly (string | undefined)[] {
    return this.all.map(({ value }) => value?.toString())
  }

  async count(records: number): Promise<void> {
    await until(`${records} records`, () => this.all.length >= records)
  }

  async ended(topic: string, next: Offset, partition = 0): Promise<void> {
    await until(`the end of ${topic} at ${next}, told ${this.ends.get(`${topic} ${partition}`)}`, () => this.ends.get(`${topic} ${partition}`) === next)
  }
}

export async function readerOf(client: KafkaClient, topic: string, from: Offset = 0n, partition = 0): Promise<{ readonly reader: Reader; readonly told: Told }> {
  const told = new Told()
  const reader = await client.reader(told)
  reader.add(topic, partition, from)
  return { reader, told }
}

/** A group member and what it owns. */
export class Joined {
  readonly owned = new Set<number>()
  readonly lostOnes: number[] = []
  readonly revokedOnes: number[] = []
  readonly troubles: string[] = []
  /** Awaited by `revoked`. */
  handOver: (partitions: readonly number[]) => Promise<void> = () => Promise.resolve()
  #member: GroupMember | undefined

  static async in(client: KafkaClient, topic: string, group: string, more: Partial<GroupRequest> = {}): Promise<Joined> {
    const joined = new Joined()
    joined.#member = await client.join({
      group,
      topic,
      member: fresh('member'),
      sessionMs: 6_000,
      stallMs: 30_000,
      assigned: (partitions) => partitions.forEach((each) => joined.owned.add(each)),
      revoked: async (partitions) => {
        await joined.handOver(partitions)
        joined.#without(partitions, joined.revokedOnes)
      },
      lost: (partitions) => joined.#without(partitions, joined.lostOnes),
      trouble: (error) => joined.troubles.push(error.message),
      ...more,
    })
    return joined
  }

  get member(): GroupMember {
    if (this.#member === undefined) throw new Error('not joined')
    return this.#member
  }

  owns(partitions: number): Promise<void> {
    return until(`${partitions} partitions, has ${[...this.owned].join()}`, () => this.owned.size === partitions)
  }

  #without(partitions: readonly number[], list: number[]): void {
    for (const each of partitions) {
      this.owned.delete(each)
      list.push(each)
    }
  }
}
