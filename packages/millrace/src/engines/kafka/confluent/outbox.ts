import type { Cancel, Clock, Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { NewRecord, Sent } from '../port.js'
import { codes, isNativeError, refused } from './codes.js'
import { addressed, toNative } from './header.js'
import { ReportedOffsets } from './reported-offsets.js'
import type { DeliveryReport, NativeError, NativeProducer } from './structure.js'

/** The records of one call on their way. */
class Batch {
  readonly records: readonly NewRecord[]
  readonly sent: Sent[]
  readonly began: Millis
  readonly #done: (sent: readonly Sent[]) => void
  /** The first that the client has not taken. */
  next = 0
  #open: number

  constructor(records: readonly NewRecord[], began: Millis, done: (sent: readonly Sent[]) => void) {
    this.records = records
    this.sent = Array.from({ length: records.length })
    this.began = began
    this.#open = records.length
    this.#done = done
  }

  settle(index: number, sent: Sent): boolean {
    if (this.sent[index] !== undefined) return false
    this.sent[index] = sent
    this.#open -= 1
    if (this.#open > 0) return false
    this.#done(this.sent)
    return true
  }
}

/** A number for each record under way, which comes back with its report. An object would be one more root for every sweep of the young heap. */
class Tickets {
  readonly #batches: (Batch | undefined)[] = []
  readonly #indexes: number[] = []
  readonly #free: number[] = []

  take(batch: Batch, index: number): number {
    const ticket = this.#free.pop() ?? this.#batches.length
    this.#batches[ticket] = batch
    this.#indexes[ticket] = index
    return ticket
  }

  index(ticket: number): number {
    return this.#indexes[ticket] ?? 0
  }

  /** Undefined for one that is not out. */
  give(ticket: unknown): Batch | undefined {
    if (typeof ticket !== 'number') return undefined
    const batch = this.#batches[ticket]
    if (batch === undefined) return undefined
    this.#batches[ticket] = undefined
    this.#free.push(ticket)
    return batch
  }
}

const roomLookMs = 5
/** So many reports make room worth a look: each refusal costs as much as many records. */
const roomReports = 1_000
const lateLookMs = 500
/** What the client knows of a topic is asked for once in this time before records are refused for it. */
const knownMs = 250
const askMs = 2_000

/** Hands records to a native producer in order, waits for room in its queue, and answers each call once when the last of its reports has come. */
export class Outbox {
  readonly #producer: NativeProducer
  readonly #clock: Clock
  /** A record that is not confirmed after this time never will be. */
  readonly #confirmMs: Millis
  readonly #fatal: (error: unknown) => void
  /** When the cluster was last asked about a topic. */
  readonly #known = new Map<string, Millis>()
  #isAsking = false
  readonly #tickets = new Tickets()
  readonly #offsets = new ReportedOffsets()
  readonly #open = new Set<Batch>()
  /** Batches that the client has not taken wholly, the oldest first. */
  #waiting: Batch[] = []
  #look: Cancel | undefined
  #lateLook: Cancel | undefined
  /** Reports since the client had no room. */
  #room = 0
  #ended: MillraceError | undefined

  constructor(producer: NativeProducer, clock: Clock, confirmMs: Millis, fatal: (error: unknown) => void) {
    this.#producer = producer
    this.#clock = clock
    this.#confirmMs = confirmMs
    this.#fatal = fatal
    producer.on('delivery-report', (error, report) => this.#reported(error, report))
  }

  send(records: readonly NewRecord[]): Promise<readonly Sent[]> {
    if (records.length === 0) return Promise.resolve([])
    if (this.#ended !== undefined) return Promise.resolve(records.map(() => ({ error: this.#ended ?? closed(), stored: 'no' as const })))
    return new Promise((resolve) => {
      const batch = new Batch(records, this.#clock.monotonic(), resolve)
      this.#open.add(batch)
      this.#waiting.push(batch)
      if (this.#waiting.length === 1) this.#pump()
      this.#lateLook ??= this.#clock.after(lateLookMs, () => this.#lookForLate())
    })
  }

  /** A topic was changed: what the client knows of it is old. */
  forget(topic: string): void {
    this.#known.delete(topic)
  }

  /** No report comes any more: what is open is answered. */
  end(error: MillraceError): void {
    this.#ended = error
    this.#look?.()
    this.#lateLook?.()
    for (const batch of this.#open) this.#giveUp(batch, error)
    this.#waiting = []
  }

  #pump(): void {
    this.#room = 0
    this.#look?.()
    this.#look = undefined
    for (let batch = this.#waiting[0]; batch !== undefined && !this.#isAsking; batch = this.#waiting[0]) {
      if (!this.#handOver(batch)) {
        if (!this.#isAsking) this.#look = this.#clock.after(roomLookMs, () => this.#pump())
        return
      }
      this.#waiting.shift()
    }
  }

  /** False when the client has no room for the rest, or must ask the cluster first. */
  #handOver(batch: Batch): boolean {
    const { records } = batch
    while (batch.next < records.length) {
      const record = records[batch.next]
      if (record === undefined) return true
      const ticket = this.#tickets.take(batch, batch.next)
      try {
        this.#producer.produce(record.topic, record.partition, addressed(record.value), addressed(record.key), record.timestamp, ticket, toNative(record.headers))
      } catch (error) {
        this.#tickets.give(ticket)
        if (isNativeError(error) && (error.code === codes.queueFull || this.#asksAgain(record.topic, error.code))) return false
        this.#settle(batch, batch.next, refusedNow(error))
        if (isNativeError(error) && error.code === codes.fatal) this.#fatal(error)
      }
      batch.next += 1
    }
    return true
  }

  /** The client refuses by what it remembers: a topic or partition that came to be since is asked for, and the records wait in their order. */
  #asksAgain(topic: string, code: number): boolean {
    if (code !== codes.unknownTopicLocal && code !== codes.unknownPartitionLocal) return false
    const now = this.#clock.monotonic()
    if (now - (this.#known.get(topic) ?? -knownMs) < knownMs) return false
    this.#isAsking = true
    this.#producer.getMetadata({ topic, allTopics: false, timeout: askMs }, () => {
      this.#known.set(topic, this.#clock.monotonic())
      this.#isAsking = false
      if (this.#ended === undefined) this.#pump()
    })
    return true
  }

  #reported(error: NativeError | null | undefined, report: DeliveryReport): void {
    const batch = this.#tickets.give(report.opaque)
    if (batch === undefined) return
    this.#settle(batch, this.#tickets.index(Number(report.opaque)), error === null || error === undefined ? this.#stored(report) : refused(error))
    if (error?.code === codes.fatal) this.#fatal(error)
    if (this.#look === undefined) return
    this.#room += 1
    if (this.#room >= roomReports) this.#pump()
  }

  #stored(report: DeliveryReport): Sent {
    const offset = this.#offsets.of(report)
    if (offset !== undefined) return { offset }
    return { error: new MillraceError('UNKNOWN_OUTCOME', `a record of ${report.topic} is stored, and the answer that said where was lost`), stored: 'unknown' }
  }

  #settle(batch: Batch, index: number, sent: Sent): void {
    if (batch.settle(index, sent)) this.#open.delete(batch)
  }

  #lookForLate(): void {
    this.#lateLook = undefined
    const due = this.#clock.monotonic() - this.#confirmMs
    for (const batch of this.#open) {
      if (batch.began > due) break
      this.#giveUp(batch, new MillraceError('TIMEOUT', `the record was not confirmed in ${this.#confirmMs} ms`))
    }
    this.#waiting = this.#waiting.filter((batch) => this.#open.has(batch))
    if (this.#open.size > 0) this.#lateLook = this.#clock.after(lateLookMs, () => this.#lookForLate())
  }

  /** What the client has not taken is not stored, whatever came before it. */
  #giveUp(batch: Batch, error: MillraceError): void {
    const unknown = new MillraceError('UNKNOWN_OUTCOME', error.message, { cause: error })
    for (let index = 0; index < batch.records.length; index += 1) {
      if (batch.sent[index] === undefined) this.#settle(batch, index, index < batch.next ? { error: unknown, stored: 'unknown' } : { error, stored: 'no' })
    }
    batch.next = batch.records.length
  }
}

/** The client has not taken it, so that it is not stored. */
function refusedNow(error: unknown): Sent {
  return { error: refused(error).stored === 'no' ? refused(error).error : new MillraceError('ENGINE_FAILED', `the Kafka client took no record: ${String(error)}`, { cause: error }), stored: 'no' }
}

export function closed(): MillraceError {
  return new MillraceError('CLOSED', 'the Kafka client was closed')
}
