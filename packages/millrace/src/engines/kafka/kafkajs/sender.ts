import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { NewRecord, Sent } from '../port.js'
import { backoff, now, rest, stopper, within } from './deadline.js'
import { code, failure, isSilence } from './failure.js'
import type { Nodes } from './nodes.js'
import { type Flight, PartitionQueue, Ticket, type Waiting, type Writer } from './partition-queue.js'
import { Turns } from './turns.js'
import { produce, type ProduceAnswer } from './wire-calls.js'

/** Two, so that the next request is written while the broker works on one. */
const requestsPerNode = 2
const requestBytes = 8 * 1_024 * 1_024
/** On top of what the broker may take. */
const answerGraceMs = 1_000
/** A topic that was just made is not known to every broker at once. */
const unknownTopicMs = 1_500

const passing = new Set<number>([code.noLeader, code.notLeader, code.unknownTopic, code.timedOut, code.network, code.fewReplicas, code.fewReplicasAfter, code.corrupt, code.storage])
/** The broker does not know whether it will be kept. */
const doubtful = new Set<number>([code.timedOut, code.network, code.fewReplicasAfter])
const lostWriter = new Set<number>([code.outOfOrder, code.unknownProducer, code.staleEpoch, code.fenced])

/**
 * Sends with acks=all and idempotence, gathering what comes while others are under way. kafkajs's producer is not used: it takes back its
 * sequence numbers after any failure, so that a batch of the same size sent next is taken for a repetition and lost without an error.
 */
export class Sender {
  readonly #nodes: Nodes
  readonly #patienceMs: Millis
  readonly #queues = new Map<string, Map<number, PartitionQueue>>()
  readonly #busy = new Map<number, number>()
  readonly #looking = new Map<string, Millis>()
  readonly #stop = stopper()
  #writer: Writer | undefined
  #asking = false
  /** All sends of a turn go together. */
  readonly #turns = new Turns(() => this.#turn(), this.#stop.signal)

  constructor(nodes: Nodes, patienceMs: Millis) {
    this.#nodes = nodes
    this.#patienceMs = patienceMs
  }

  async send(records: readonly NewRecord[]): Promise<readonly Sent[]> {
    const ticket = new Ticket(records.length)
    const since = now()
    if (this.#stop.signal.aborted) return records.map(() => ({ error: new MillraceError('CLOSED', 'the client is closed'), stored: 'no' }))
    for (const [index, record] of records.entries()) this.#queue(record).push({ record, ticket, index, since })
    this.#turns.ask()
    return ticket.done
  }

  close(): void {
    this.#stop.abort()
    for (const queue of this.#all()) {
      const error = new MillraceError('CLOSED', 'the client is closed')
      if (queue.flight !== undefined) this.#settle(queue, queue.flight, error, queue.flight.lost || queue.flight.state === 'away')
      for (const each of queue.drain()) refuse(each, error, 'no')
    }
  }

  #queue({ topic, partition }: NewRecord): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (queues === undefined) this.#queues.set(topic, (queues = new Map()))
    let queue = queues.get(partition)
    if (queue === undefined) queues.set(partition, (queue = new PartitionQueue(topic, partition)))
    return queue
  }

  *#all(): Iterable<PartitionQueue> {
    for (const queues of this.#queues.values()) yield* queues.values()
  }

  #turn(): void {
    const byNode = new Map<number, PartitionQueue[]>()
    for (const queue of this.#all()) {
      if (!queue.ready) continue
      this.#dropLate(queue)
      const leader = this.#leader(queue)
      if (leader === undefined || !queue.ready) continue
      const queues = byNode.get(leader)
      if (queues === undefined) byNode.set(leader, [queue])
      else queues.push(queue)
    }
    for (const [node, queues] of byNode) if ((this.#busy.get(node) ?? 0) < requestsPerNode) this.#depart(node, queues)
  }

  #depart(node: number, queues: readonly PartitionQueue[]): void {
    const flights: (readonly [PartitionQueue, Flight])[] = []
    let bytes = 0
    for (const queue of queues) {
      if (bytes >= requestBytes) break
      const writer = this.#writerFor(queue)
      const flight = writer === undefined ? undefined : queue.take(writer, Date.now())
      if (flight === undefined) continue
      flight.state = 'away'
      flights.push([queue, flight])
      bytes += flight.bytes.length
    }
    if (flights.length > 0) void this.#fly(node, flights)
  }

  async #fly(node: number, flights: readonly (readonly [PartitionQueue, Flight])[]): Promise<void> {
    this.#busy.set(node, (this.#busy.get(node) ?? 0) + 1)
    let asked = false
    try {
      const broker = await this.#nodes.broker(node)
      asked = true
      const batches = flights.map(([{ topic, partition }, { bytes }]) => ({ topic, partition, batch: bytes }))
      const timeoutMs = this.#nodes.requestMs
      const answers = await within(timeoutMs + answerGraceMs, 'a send', produce(broker, { transactionalId: null, timeoutMs, batches }))
      for (const [queue, flight] of flights) this.#answered(queue, flight, answers.find((each) => each.topic === queue.topic && each.partition === queue.partition))
    } catch (error) {
      if (isSilence(error)) this.#nodes.suspect(node)
      for (const [queue, flight] of flights) {
        flight.lost ||= asked
        this.#again(queue, flight, failure(error, `sending to ${queue.topic}`))
      }
    } finally {
      this.#busy.set(node, (this.#busy.get(node) ?? 1) - 1)
      this.#turns.ask()
    }
  }

  #answered(queue: PartitionQueue, flight: Flight, answer: ProduceAnswer | undefined): void {
    if (queue.flight !== flight) return
    if (answer?.code === code.none) return this.#landed(queue, flight, answer)
    const number = answer?.code ?? code.network
    flight.lost ||= doubtful.has(number)
    const error = refusal(number, queue)
    if (passing.has(number)) return this.#again(queue, flight, error)
    if (flight.lost) return this.#settle(queue, flight, error, true)
    if (lostWriter.has(number)) {
      queue.bar()
      return this.#againAnew(queue, flight, error)
    }
    if (error.code === 'TOO_LARGE' && flight.batch.length > 1) return queue.back(flight, Math.ceil(flight.batch.length / 2))
    this.#settle(queue, flight, error, number === code.duplicate)
  }

  #landed(queue: PartitionQueue, { batch }: Flight, { base }: ProduceAnswer): void {
    if (queue.flight !== undefined) queue.landed(queue.flight)
    let offset = base
    for (const { ticket, index } of batch) ticket.answer(index, { offset: offset++ })
  }

  /** The same batch again, at its leader of then. */
  #again(queue: PartitionQueue, flight: Flight, error: MillraceError): void {
    if (queue.flight !== flight) return
    this.#nodes.forget(queue.topic)
    if (now() - flight.since >= this.#patienceMs) return this.#settle(queue, flight, late(error), flight.lost)
    flight.state = 'resting'
    this.#after(backoff(flight.attempts++), () => {
      if (flight.state === 'resting') flight.state = 'ready'
    })
  }

  /** The broker knows nothing of the writer any more, and has stored nothing of the batch. */
  #againAnew(queue: PartitionQueue, flight: Flight, error: MillraceError): void {
    if (now() - flight.since >= this.#patienceMs) this.#settle(queue, flight, error, false)
    else queue.back(flight)
  }

  #settle(queue: PartitionQueue, flight: Flight, error: MillraceError, unknown: boolean): void {
    flight.lost = unknown
    queue.failed(flight)
    for (const each of flight.batch) refuse(each, unknown ? new MillraceError('UNKNOWN_OUTCOME', error.message, { cause: error }) : error, unknown ? 'unknown' : 'no')
  }

  #dropLate(queue: PartitionQueue): void {
    if (queue.flight !== undefined) return
    for (const each of queue.drain(now() - this.#patienceMs)) refuse(each, new MillraceError('TIMEOUT', `topic ${queue.topic}: its partition ${queue.partition} could not be written to for ${this.#patienceMs} ms`), 'no')
  }

  #leader(queue: PartitionQueue): number | undefined {
    const leader = this.#nodes.leader(queue.topic, queue.partition)
    if (leader !== undefined && leader >= 0) return leader
    if (!this.#looking.has(queue.topic)) void this.#look(queue.topic)
    return undefined
  }

  async #look(topic: string): Promise<void> {
    const began = now()
    this.#looking.set(topic, began)
    for (let attempt = 0; !this.#stop.signal.aborted; attempt += 1) {
      try {
        const seen = await this.#nodes.look(topic)
        const wanted = this.#wanted(topic)
        const absent = wanted.filter(({ partition }) => seen?.get(partition) === undefined)
        if (absent.length > 0 && now() - began >= unknownTopicMs) for (const queue of absent) this.#refuseAll(queue, unknownTopic(queue, seen === undefined))
        else if (wanted.every((queue) => (seen?.get(queue.partition)?.leader ?? -1) >= 0)) break
      } catch (error) {
        if (now() - began >= this.#patienceMs) for (const queue of this.#wanted(topic)) this.#refuseAll(queue, failure(error, `sending to ${topic}`, 'TIMEOUT'))
      }
      for (const queue of this.#wanted(topic)) {
        this.#dropLate(queue)
        if (queue.flight !== undefined && now() - queue.flight.since >= this.#patienceMs) this.#refuseAll(queue, new MillraceError('TIMEOUT', `topic ${topic}: partition ${queue.partition} has no leader`))
      }
      if (this.#wanted(topic).length === 0) break
      // Those that have a leader need not wait for those that have none.
      this.#turns.ask()
      await rest(backoff(attempt), this.#stop.signal)
    }
    this.#looking.delete(topic)
    this.#turns.ask()
  }

  #wanted(topic: string): PartitionQueue[] {
    return [...(this.#queues.get(topic)?.values() ?? [])].filter(({ idle }) => !idle)
  }

  #refuseAll(queue: PartitionQueue, error: MillraceError): void {
    if (queue.flight !== undefined && queue.flight.state !== 'away') this.#settle(queue, queue.flight, error, queue.flight.lost)
    for (const each of queue.drain()) refuse(each, error, 'no')
    // One that was written to is kept: a writer that begins anew would be taken for a repetition of itself.
    if (queue.idle && queue.unused) this.#queues.get(queue.topic)?.delete(queue.partition)
  }

  #writerFor(queue: PartitionQueue): Writer | undefined {
    if (queue.writer !== undefined) return queue.writer
    if (this.#writer !== undefined && this.#writer.producerId !== queue.barred) return this.#writer
    if (!this.#asking) void this.#askForWriter()
    return undefined
  }

  async #askForWriter(): Promise<void> {
    this.#asking = true
    this.#writer = undefined
    for (let attempt = 0; this.#writer === undefined && !this.#stop.signal.aborted; attempt += 1) {
      try {
        const broker = await this.#nodes.any()
        const { producerId, producerEpoch } = await broker.initProducerId({ transactionTimeout: 0 })
        this.#writer = { producerId: BigInt(producerId), epoch: producerEpoch }
      } catch (error) {
        for (const queue of this.#all()) for (const each of queue.drain(now() - this.#patienceMs)) refuse(each, failure(error, 'no producer id'), 'no')
        await rest(backoff(attempt), this.#stop.signal)
      }
    }
    this.#asking = false
    this.#turns.ask()
  }

  #after(ms: Millis, call: () => void): void {
    void rest(ms, this.#stop.signal).then(() => {
      call()
      this.#turns.ask()
    })
  }
}

function refuse({ ticket, index }: Waiting, error: MillraceError, stored: 'no' | 'unknown'): void {
  ticket.answer(index, { error, stored })
}

function late(error: MillraceError): MillraceError {
  return error.code === 'ENGINE_FAILED' ? new MillraceError('TIMEOUT', error.message, { cause: error }) : error
}

function unknownTopic({ topic, partition }: PartitionQueue, whole: boolean): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', whole ? `there is no topic ${topic}` : `topic ${topic} has no partition ${partition}`)
}

function refusal(number: number, { topic, partition }: PartitionQueue): MillraceError {
  const where = `topic ${topic}, partition ${partition}`
  if (number === code.tooLarge || number === code.listTooLarge) return new MillraceError('TOO_LARGE', `${where}: the broker takes no record so large (max.message.bytes)`)
  if (number === code.topicForbidden) return new MillraceError('FORBIDDEN', `${where}: the broker refuses writes`)
  if (number === code.unknownTopic) return new MillraceError('UNKNOWN_TOPIC', `${where} is not there`)
  return new MillraceError('ENGINE_FAILED', `${where}: the broker refused a send with the code ${number}`)
}
