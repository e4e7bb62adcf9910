import type { Millis } from '../../../core/clock.js'
import type { NewRecord, Sent } from '../port.js'
import { encodeBatch, roughSize } from './record-batch.js'

/** A call of `send`: one answer for each of its records. */
export class Ticket {
  readonly done: Promise<readonly Sent[]>
  readonly #answers: Sent[]
  #left: number
  #resolve: (answers: readonly Sent[]) => void = () => undefined

  constructor(count: number) {
    this.#left = count
    this.#answers = Array.from({ length: count })
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
    if (count === 0) this.#resolve([])
  }

  answer(index: number, sent: Sent): void {
    this.#answers[index] = sent
    this.#left -= 1
    if (this.#left === 0) this.#resolve(this.#answers)
  }
}

export interface Waiting {
  readonly record: NewRecord
  readonly ticket: Ticket
  readonly index: number
  readonly since: Millis
}

export interface Writer {
  readonly producerId: bigint
  readonly epoch: number
}

/** A batch that is with the broker, or will be again: the same bytes and the same sequence, so that the broker knows a repetition. */
export interface Flight {
  readonly batch: readonly Waiting[]
  readonly bytes: Buffer
  readonly since: Millis
  /** Some attempt may have been stored though no answer said so. */
  lost: boolean
  attempts: number
  state: 'ready' | 'away' | 'resting'
}

/** A batch must fit the topic's max.message.bytes, 1 MiB by default. */
const batchBytes = 512 * 1_024

/** What is to be written to one partition, in order; one batch at a time. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  flight: Flight | undefined
  writer: Writer | undefined
  /** A writer whose next sequence number nobody knows. */
  barred: bigint | undefined
  #sequence = 0
  #most = Infinity
  #waiting: Waiting[] = []

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get ready(): boolean {
    return this.flight === undefined ? this.#waiting.length > 0 : this.flight.state === 'ready'
  }

  get idle(): boolean {
    return this.flight === undefined && this.#waiting.length === 0
  }

  /** Nothing was ever written to it. */
  get unused(): boolean {
    return this.writer === undefined && this.barred === undefined
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting)
  }

  /** The flight that is to be repeated, or a new one. */
  take(writer: Writer, wall: Millis): Flight | undefined {
    if (this.flight !== undefined) return this.flight
    const batch = this.#next()
    const [first] = batch
    if (first === undefined) return undefined
    const mark = { ...(this.writer ??= writer), sequence: this.#sequence, transactional: false }
    this.flight = { batch, bytes: encodeBatch(batch.map(({ record }) => record), mark, wall), since: first.since, lost: false, attempts: 0, state: 'ready' }
    return this.flight
  }

  /** It is stored: the next one follows it. */
  landed(flight: Flight): void {
    this.#sequence = (this.#sequence + flight.batch.length) & 0x7fffffff
    this.#most = Infinity
    this.flight = undefined
  }

  /** It was not stored, or nobody knows: then the writer cannot go on either. */
  failed(flight: Flight): void {
    this.flight = undefined
    if (flight.lost) this.bar()
  }

  /** Nothing of it was stored; it goes again in other batches. */
  back(flight: Flight, most = Infinity): void {
    this.flight = undefined
    this.#most = most
    this.#waiting = [...flight.batch, ...this.#waiting]
  }

  bar(): void {
    this.barred = this.writer?.producerId
    this.writer = undefined
    this.#sequence = 0
  }

  /** Takes out what has waited since before, or everything. */
  drain(before = Infinity): readonly Waiting[] {
    const late = this.#waiting.filter(({ since }) => since < before)
    if (late.length > 0) this.#waiting = this.#waiting.filter(({ since }) => since >= before)
    return late
  }

  #next(): readonly Waiting[] {
    let count = 0
    let size = 0
    for (const { record } of this.#waiting) {
      size += roughSize(record)
      if (count > 0 && (size > batchBytes || count >= this.#most)) break
      count += 1
    }
    const batch = this.#waiting.slice(0, count)
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count)
    return batch
  }
}
