import { randomUUID } from 'node:crypto'
import type { Clock, Millis } from '../../core/clock.js'
import { asMillraceError, isMillraceError, MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import { type Change, nonceOf, recordOf } from './change.js'
import { type DueOf, Entries, type Entry, type Judged, type Known, type Removed, viewMs } from './entries.js'
import { compacted, safe } from './ledger-settings.js'
import type { KafkaClient, KafkaRecord, NewRecord, Reader } from './port.js'
import { idOf } from './rubbish.js'
import { Tidier } from './tidier.js'
import type { Waiting } from './waiting.js'

/** How long a change may take to be written and read back. */
const patienceMs = 30_000
/** Ends a reading of the whole log. */
const readMark = 'read'
/** Between two tries to read it anew. */
const readAgainMs = 1_000

export type { Change, Condition } from './change.js'
export type { Entry, Known } from './entries.js'

export type Answer =
  | { readonly is: 'accepted'; readonly version: Offset }
  | { readonly is: 'refused' }
  /** It was never written, or may have been. */
  | { readonly is: 'failed' | 'unknown'; readonly error: MillraceError }

/** Throws what kept a change from being answered. */
export function isAccepted(answer: Answer | undefined): answer is Extract<Answer, { readonly is: 'accepted' }> {
  if (answer && 'error' in answer) throw answer.error
  return answer?.is === 'accepted'
}

export interface LedgerEvents {
  readonly dueOf?: DueOf
  /** In the order of the log. `before` is what the entry was. */
  changed(id: string, now: Entry | undefined, before: Known | undefined): void
  /** The log was read anew: of what waits nothing else is told. */
  anew?(): void
  /** The topic is gone: nothing can be read or written any more. */
  gone(): void
}

/** The whole log as it is read from its start, and what is to be answered then. */
interface Reading {
  readonly entries: Entries
  readonly answers: (() => void)[]
}

interface Pending {
  readonly change: Change
  readonly answer: (answer: Answer) => void
}

/**
 * Entries that all instances see change in one order: a compacted topic of one partition, of which everybody applies every record. A
 * change has a condition, and whoever wrote it learns by reading it back whether it was accepted: compare-and-set on a log.
 *
 * Compaction keeps the last record of each key, and a refused one must not push out what it was refused for: so each version has a
 * key of its own, but those of one epoch of one entry share theirs. Who wrote removes the key of the version before, and that of what was refused,
 * in the order that `Rubbish` says.
 */
export class Ledger {
  readonly topic: string
  readonly #client: KafkaClient
  readonly #clock: Clock
  readonly #reader: Reader
  readonly #events: LedgerEvents
  readonly #pending = new Map<string, Pending>()
  readonly #instance = randomUUID().slice(0, 8)
  readonly #tidier: Tidier
  /** What was read; while the log is read anew, as it was before. */
  #entries: Entries
  #reading: Reading | undefined
  /** When the last record that was read was written, by the broker's clock, and when it was read, by ours. */
  #seen: { readonly written: Millis; readonly read: Millis } | undefined
  #count = 0
  #isOver = false

  constructor(topic: string, client: KafkaClient, reader: Reader, clock: Clock, events: LedgerEvents) {
    this.topic = topic
    this.#client = client
    this.#reader = reader
    this.#clock = clock
    this.#events = events
    this.#entries = this.#noEntries()
    this.#tidier = new Tidier(topic, client, clock, { rubbish: () => this.#entries.rubbish, sync: () => this.sync() })
  }

  /** Makes the topic where there is none, and reads all there is. */
  async open(replicationFactor: number, config: Readonly<Record<string, string>>): Promise<void> {
    try {
      await this.#client.admin.createTopic({ name: this.topic, partitions: 1, replicationFactor, config: { ...compacted, ...safe(replicationFactor), ...config } })
    } catch (error) {
      // Who may not create topics needs not, where somebody else has.
      if (!isMillraceError(error) || error.code !== 'FORBIDDEN' || !(await this.#isThere())) throw error
    }
    await this.#readAll()
  }

  async #isThere(): Promise<boolean> {
    try {
      await this.#client.admin.bounds(this.topic, [0])
      return true
    } catch {
      return false
    }
  }

  close(): void {
    if (this.#isOver) return
    this.#reader.remove(this.topic, 0)
    this.end(new MillraceError('CLOSED', 'the engine is closed'))
  }

  /** Nothing comes any more: all that waits is answered. */
  end(error: MillraceError): void {
    this.#isOver = true
    this.#tidier.stop()
    for (const { answer } of [...this.#pending.values()]) answer({ is: 'unknown', error })
  }

  get(id: string): Entry | undefined {
    return this.#entries.all.get(id)
  }

  /** What only waits for its time. */
  get waiting(): Waiting {
    return this.#entries.waiting
  }

  /** Writes changes, in their order, and answers each when it has been read back. */
  async put(changes: readonly Change[]): Promise<readonly Answer[]> {
    try {
      // Of a view that is older nothing can be changed.
      if (this.#clock.monotonic() - (this.#seen?.read ?? -Infinity) > viewMs / 3 && changes.some(({ when }) => when !== 'always')) await this.sync()
    } catch (error) {
      return changes.map(() => ({ is: 'failed', error: asMillraceError(error, 'ENGINE_FAILED', `${this.topic} cannot be read`) }))
    }
    return this.#put(changes)
  }

  async #put(changes: readonly Change[]): Promise<readonly Answer[]> {
    const { records, answers } = this.prepare(changes)
    const sent = await this.#client.send(records)
    sent.forEach((each, index) => {
      if ('error' in each && each.stored === 'no') this.#answer(records[index], { is: 'failed', error: each.error })
    })
    return answers
  }

  /** Changes as records for a transaction, and their answers once it is committed. */
  prepare(changes: readonly Change[]): { readonly records: readonly NewRecord[]; readonly answers: Promise<readonly Answer[]> } {
    const made = changes.map((change) => this.#record(change))
    return { records: made.map(({ record }) => record), answers: Promise.all(made.map(({ answer }) => answer)) }
  }

  /** Resolves when everything that was written before the call has been read. */
  async sync(): Promise<void> {
    await this.#mark('sync')
  }

  /** What the reader hands over. */
  take(records: readonly KafkaRecord[]): void {
    const reading = this.#reading
    for (const record of records) {
      // It is read from the start again: what is left of these comes once more.
      if (this.#reading !== reading) return
      if (reading) this.#read(record, reading)
      else this.#fold(record)
    }
    const last = records.at(-1)
    if (last) this.#seen = { written: last.timestamp, read: this.#clock.monotonic() }
  }

  /** The reader has lost the topic. */
  lost(): void {
    this.end(new MillraceError('UNKNOWN_TOPIC', `${this.topic} is gone`))
    this.#events.gone()
  }

  #record(change: Change): { readonly record: NewRecord; readonly answer: Promise<Answer> } {
    const nonce = `${this.#instance}-${(this.#count += 1)}`
    return { record: recordOf(this.topic, change, nonce, this.#seen?.written), answer: this.#await(nonce, change) }
  }

  #await(nonce: string, change: Change): Promise<Answer> {
    return new Promise((resolve) => {
      const answer = (given: Answer): void => {
        cancel()
        this.#pending.delete(nonce)
        resolve(given)
      }
      const late = (): void => {
        if (this.#isReading(change)) cancel = this.#clock.after(patienceMs, late)
        else answer({ is: 'unknown', error: new MillraceError('TIMEOUT', `${this.topic} has not answered for ${patienceMs} ms`) })
      }
      let cancel = this.#clock.after(patienceMs, late)
      if (this.#isOver) answer({ is: 'failed', error: new MillraceError('CLOSED', `${this.topic} is closed`) })
      else this.#pending.set(nonce, { change, answer })
    })
  }

  /** It ends a reading that goes on: a long log takes its time. */
  #isReading({ id }: Change): boolean {
    return this.#reading !== undefined && id.startsWith(readMark) && this.#clock.monotonic() - (this.#seen?.read ?? -Infinity) < patienceMs
  }

  #fold(record: KafkaRecord): void {
    const { changed, answer } = this.#entries.apply(record)
    if (changed) this.#events.changed(changed.id, changed.now, changed.before)
    if (answer) this.#answer(record, answer)
    if (answer && !changed) this.#tidier.throwAwayForOthers(idOf((record.key ?? '').toString()))
    if (this.#entries.torn.size > 0) void this.#readAnew()
  }

  #read(record: KafkaRecord, { entries, answers }: Reading): void {
    const { answer } = entries.apply(record)
    const pending = answer && this.#pendingOf(record)
    if (!pending) return
    if (pending.change.id.startsWith(readMark)) this.#answer(record, answer)
    else answers.push(() => this.#answer(record, answer))
  }

  #noEntries(removed?: Removed): Entries {
    return new Entries(this.#events.dueOf ?? (() => undefined), removed)
  }

  /** Reads all there is, from the start, and shows it in one step. */
  async #readAll(): Promise<void> {
    const began = this.#clock.monotonic()
    await this.#readFromStart()
    // What ended the reading was written when it began: a view as old as that is of no use.
    if (this.#clock.monotonic() - began > viewMs / 3) await this.sync()
  }

  async #readFromStart(): Promise<void> {
    for (let removed = this.#entries.torn; ;) {
      const reading: Reading = { entries: this.#noEntries(removed), answers: [] }
      this.#reading = reading
      this.#reader.remove(this.topic, 0)
      const [bounds] = await this.#client.admin.bounds(this.topic, [0])
      this.#reader.add(this.topic, 0, bounds?.start ?? 0n)
      await this.#mark(readMark)
      if (reading.entries.torn.size === 0) return this.#show(reading)
      removed = new Map([...removed, ...reading.entries.torn])
    }
  }

  /** We came so late that what we had not read yet was compacted away. */
  async #readAnew(): Promise<void> {
    try {
      await this.#readAll()
    } catch {
      if (!this.#isOver) this.#clock.after(readAgainMs, () => void this.#readAnew())
    }
  }

  #show({ entries, answers }: Reading): void {
    const { all: shown } = this.#entries
    entries.live()
    this.#entries = entries
    this.#reading = undefined
    this.#events.anew?.()
    for (const before of shown.values()) if (!entries.all.has(before.id)) this.#events.changed(before.id, undefined, before)
    for (const now of entries.all.values()) {
      const before = shown.get(now.id)
      if (before?.version !== now.version) this.#events.changed(now.id, now, before)
    }
    for (const answer of answers) answer()
    this.#tidier.throwAllAway()
  }

  /** Writes something that says nothing, and waits until it is read. */
  async #mark(name: string): Promise<void> {
    const [answer] = await this.put([{ id: `${name}/${this.#instance}`, value: null, when: 'always' }])
    if (answer && 'error' in answer) throw answer.error
  }

  /** Answers who wrote it, if that was us; then the rubbish is ours. */
  #answer(record: Pick<NewRecord, 'headers'> | undefined, answer: Answer | Judged): void {
    const pending = record && this.#pendingOf(record)
    if (!pending) return
    this.#tidier.throwAway(pending.change.id)
    if (answer.is === 'late') pending.answer({ is: 'failed', error: new MillraceError('TIMEOUT', `a change of ${this.topic} came more than ${viewMs} ms late`) })
    else pending.answer(answer)
  }

  #pendingOf({ headers }: Pick<NewRecord, 'headers'>): Pending | undefined {
    return this.#pending.get(nonceOf(headers) ?? '')
  }
}
