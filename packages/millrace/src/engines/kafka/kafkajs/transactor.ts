import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { NewRecord, Transactor } from '../port.js'
import { backoff, now, rest, stopper, within } from './deadline.js'
import { code, isPassing, isSilence, typeOf } from './failure.js'
import { insist, type Patience } from './insist.js'
import type { Broker } from './module.js'
import type { Nodes } from './nodes.js'
import { encodeBatch } from './record-batch.js'
import { produce } from './wire-calls.js'

/** An orphan holds up the readers of its partitions until the coordinator ends it. */
const transactionMs = 15_000
/** Well before that. */
const commitMs = 8_000

const fencedTypes = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED'])
const passingCodes = new Set<number>([code.noLeader, code.notLeader, code.unknownTopic, code.timedOut, code.network, code.fewReplicas, code.fewReplicasAfter, code.corrupt, code.storage])

type Ended = 'committed' | 'aborted' | 'fenced' | 'unknown'

interface PartitionBatch {
  readonly topic: string
  readonly partition: number
  readonly records: NewRecord[]
}

/** Speaks Kafka's transactions itself: kafkajs's producer waits 300 ms after each for the one before to be written. */
export class KafkaJsTransactor implements Transactor {
  readonly #nodes: Nodes
  readonly #id: string
  readonly #closed: () => void
  readonly #patience: Patience
  readonly #stop = stopper()
  readonly #sequences = new Map<string, number>()
  #producer: { readonly producerId: string; readonly producerEpoch: number } = { producerId: '-1', producerEpoch: -1 }
  #queue: Promise<unknown> = Promise.resolve()
  #ended: 'fenced' | 'unknown' | undefined
  #at: number | undefined

  constructor(nodes: Nodes, id: string, patienceMs: Millis, closed: () => void) {
    this.#closed = closed
    this.#nodes = nodes
    this.#id = id
    this.#patience = { ms: Math.min(patienceMs, commitMs), signal: this.#stop.signal }
  }

  /** Fences whoever had the id. What it had open is aborted first, which may take the coordinator a moment. */
  async open(): Promise<void> {
    this.#producer = await this.#coordinated('taking a transactional id', (broker) => broker.initProducerId({ transactionalId: this.#id, transactionTimeout: transactionMs }))
    this.#sequences.clear()
  }

  commit(records: readonly NewRecord[]): Promise<Ended> {
    const next = this.#queue.then(async () => {
      if (this.#stop.signal.aborted) throw new MillraceError('CLOSED', 'the transactor is closed')
      return this.#ended ?? (records.length === 0 ? 'committed' : this.#transact(records))
    })
    this.#queue = next.catch(() => undefined)
    return next
  }

  close(): Promise<void> {
    this.#stop.abort()
    this.#closed()
    return Promise.resolve()
  }

  async #transact(records: readonly NewRecord[]): Promise<Ended> {
    const batches = group(records)
    try {
      await this.#addPartitions(batches)
      await this.#write(batches)
    } catch (error) {
      return this.#failed(error)
    }
    return this.#end(true)
  }

  async #failed(error: unknown): Promise<Ended> {
    if (fencedTypes.has(typeOf(error))) return (this.#ended = 'fenced')
    const ended = await this.#end(false)
    if (ended !== 'aborted') return ended
    try {
      // Nobody knows which sequence numbers the broker has seen.
      await this.open()
      return 'aborted'
    } catch {
      return (this.#ended = 'unknown')
    }
  }

  async #end(commit: boolean): Promise<Ended> {
    try {
      await this.#coordinated('ending a transaction', (broker) => broker.endTxn({ ...this.#producer, transactionalId: this.#id, transactionResult: commit }))
      return commit ? 'committed' : 'aborted'
    } catch (error) {
      const type = typeOf(error)
      if (fencedTypes.has(type)) return (this.#ended = 'fenced')
      // Nothing was open: none of it had reached the coordinator.
      if (!commit && type === 'INVALID_TXN_STATE') return 'aborted'
      return (this.#ended = 'unknown')
    }
  }

  async #addPartitions(batches: readonly PartitionBatch[]): Promise<void> {
    const topics = [...new Set(batches.map(({ topic }) => topic))].map((topic) => ({ topic, partitions: batches.filter((each) => each.topic === topic).map(({ partition }) => partition) }))
    await this.#coordinated('beginning a transaction', (broker) => broker.addPartitionsToTxn({ ...this.#producer, transactionalId: this.#id, topics }))
  }

  async #write(batches: readonly PartitionBatch[]): Promise<void> {
    const wall = Date.now()
    const packed = batches.map(({ topic, partition, records }) => {
      const sequence = this.#sequences.get(`${topic}/${partition}`) ?? 0
      const mark = { producerId: BigInt(this.#producer.producerId), epoch: this.#producer.producerEpoch, sequence, transactional: true }
      return { topic, partition, count: records.length, sequence, batch: encodeBatch(records, mark, wall) }
    })
    let left = packed
    const began = now()
    for (let attempt = 0; left.length > 0; attempt += 1) {
      if (attempt > 0) await rest(backoff(attempt), this.#stop.signal)
      if (now() - began > this.#patience.ms || this.#stop.signal.aborted) throw new Error('the records of a transaction could not be written in time')
      const stored = new Set((await Promise.all([...(await this.#byLeader(left))].map(([leader, some]) => this.#produce(leader, some)))).flat())
      for (const each of stored) this.#sequences.set(`${each.topic}/${each.partition}`, (each.sequence + each.count) & 0x7fffffff)
      left = left.filter((each) => !stored.has(each))
    }
  }

  /** Those that are stored; those that may yet be are left out. */
  async #produce<T extends { topic: string; partition: number; batch: Buffer }>(leader: number, some: readonly T[]): Promise<readonly T[]> {
    if (leader < 0) return []
    try {
      const answers = await within(this.#nodes.requestMs * 2, 'a send', produce(await this.#nodes.broker(leader), { transactionalId: this.#id, timeoutMs: this.#nodes.requestMs, batches: some }))
      return some.filter(({ topic, partition }) => {
        const number = answers.find((each) => each.topic === topic && each.partition === partition)?.code ?? code.network
        if (number === code.none) return true
        this.#nodes.forget(topic)
        if (passingCodes.has(number)) return false
        throw new Refused(number)
      })
    } catch (error) {
      if (!isPassing(error)) throw error
      if (isSilence(error)) this.#nodes.suspect(leader)
      for (const { topic } of some) this.#nodes.forget(topic)
      return []
    }
  }

  async #byLeader<T extends { topic: string; partition: number }>(batches: readonly T[]): Promise<ReadonlyMap<number, T[]>> {
    const byLeader = new Map<number, T[]>()
    for (const batch of batches) {
      if (this.#nodes.leader(batch.topic, batch.partition) === undefined) await insist(this.#patience, `looking at ${batch.topic}`, () => this.#nodes.look(batch.topic))
      const leader = this.#nodes.leader(batch.topic, batch.partition) ?? -1
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), batch])
    }
    return byLeader
  }

  /** The coordinator may be moving, or still writing the end of the transaction before. */
  async #coordinated<T>(what: string, ask: (broker: Broker) => Promise<T>): Promise<T> {
    const again = (error: unknown): boolean => isPassing(error) || typeOf(error) === 'CONCURRENT_TRANSACTIONS'
    return insist(
      this.#patience,
      what,
      async () => {
        this.#at ??= await this.#nodes.coordinator('transaction', this.#id)
        try {
          return await ask(await this.#nodes.broker(this.#at))
        } catch (error) {
          if (isSilence(error)) this.#nodes.suspect(this.#at)
          if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS') this.#at = undefined
          throw error
        }
      },
      again,
    )
  }
}

/** With the type that kafkajs would give it. */
class Refused extends Error {
  readonly type: string

  constructor(number: number) {
    super(`the broker refused a part of a transaction with the code ${number}`)
    this.type = number === code.staleEpoch || number === code.fenced ? 'INVALID_PRODUCER_EPOCH' : `CODE_${number}`
  }
}

function group(records: readonly NewRecord[]): readonly PartitionBatch[] {
  const batches = new Map<string, PartitionBatch>()
  for (const record of records) {
    const name = `${record.topic}/${record.partition}`
    const batch = batches.get(name)
    if (batch === undefined) batches.set(name, { topic: record.topic, partition: record.partition, records: [record] })
    else batch.records.push(record)
  }
  return [...batches.values()]
}
