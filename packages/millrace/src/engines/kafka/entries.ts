import type { Millis } from '../../core/clock.js'
import { header, type Offset } from '../../core/message.js'
import type { KafkaRecord } from './port.js'
import { idOf, Rubbish } from './rubbish.js'
import { Waiting } from './waiting.js'

/** How many entries that were ended are remembered, so that late changes of them are refused. */
const endedMost = 100_000

/** What is known of an entry beside its value. */
export interface Known {
  readonly id: string
  /** Where in the log: it changes with each change. */
  readonly version: Offset
  /** Grows with each claim; 0 for what nobody claims. */
  readonly epoch: number
  readonly key: string
  /** It only waits for this time: its value is not kept, and is read from the log when it is needed. */
  readonly due?: Millis
}

/** An entry as the log has ordered it. */
export interface Entry extends Known {
  readonly value: Buffer
}

/** The time for which an entry of this value only waits, and nobody changes it often; undefined where its value is to be kept. */
export type DueOf = (id: string, value: Buffer) => Millis | undefined

/**
 * A change that was made of a view so much older than the change itself is refused. Compaction keeps what is younger than twice that, so that
 * everybody still has what a change is judged by.
 */
export const viewMs = 30_000

/** What became of a change. */
export type Judged = { readonly is: 'accepted'; readonly version: Offset } | { readonly is: 'refused' } | { readonly is: 'late' }

/** What a record has changed, and what became of the change; neither where it only removes a key. */
export interface Applied {
  readonly changed?: { readonly id: string; readonly now: Entry | undefined; readonly before: Known | undefined }
  readonly answer?: Judged
}

/** Keys with where in the log they were removed. */
export type Removed = ReadonlyMap<string, Offset>

/** Entries as the records of a ledger's log make them, one after another: first those of the log as it is found, then what is added. */
export class Entries {
  readonly all = new Map<string, Entry>()
  readonly waiting = new Waiting()
  readonly rubbish = new Rubbish()
  readonly #dueOf: DueOf
  /** Taken for compacted away already. */
  readonly #removed: Removed
  /** What was ended lately: where, and in which epoch. */
  readonly #ended = new Map<string, Pick<Entry, 'version' | 'epoch'>>()
  /** Of which a change was judged as would have been wrong, had something been compacted away. */
  readonly #doubtful = new Set<string>()
  readonly #torn = new Map<string, Offset>()
  /** After the last record. */
  #next: Offset = 0n
  #isLive = false

  constructor(dueOf: DueOf, removed: Removed = new Map()) {
    this.#dueOf = dueOf
    this.#removed = removed
  }

  /** The log is read as it was found: from here on nothing is compacted away that is not known. */
  live(): void {
    this.#isLive = true
    this.#doubtful.clear()
    for (const [id, { epoch }] of this.#ended) if (epoch === 0) this.#ended.delete(id)
  }

  get(id: string): Known | undefined {
    const waits = this.all.has(id) ? undefined : this.waiting.get(id)
    return waits ? { ...waits, epoch: 0 } : this.all.get(id)
  }

  /**
   * Keys that were removed though nothing had taken their place: that is compacted away, or was misjudged for want of something that is. All has to be read
   * anew, as if the records with these keys were compacted away already.
   */
  get torn(): Removed {
    return this.#torn
  }

  apply(record: KafkaRecord): Applied {
    // None is judged twice, whatever a reader does.
    if (record.offset < this.#next) return {}
    this.#next = record.offset + 1n
    const key = keyText(record.key)
    if ((this.#removed.get(key) ?? -1n) > record.offset) return {}
    const id = idOf(key)
    const before = this.get(id)
    if (record.value === null) this.#remove(key, record.offset, before)
    else if (!isLate(record) && this.#isAccepted(id, record, before)) return this.#accept(key, record, record.value, before)
    else this.rubbish.addIdle(key)
    return record.value === null ? {} : { answer: { is: isLate(record) ? 'late' : 'refused' } }
  }

  #accept(key: string, record: KafkaRecord, value: Buffer, before: Known | undefined): Applied {
    const id = idOf(key)
    const now = numberOf(record, 'end') === undefined ? this.#entry(key, record, value, before) : undefined
    if (now) this.#set(now, before)
    else this.#end(id, before, record.offset)
    if (before && before.key !== key) this.rubbish.addPast(before.key)
    if (!now && before) this.rubbish.addPast(key)
    else if (!now) this.rubbish.addIdle(key)
    return { changed: { id, now, before }, answer: { is: 'accepted', version: record.offset } }
  }

  #entry(key: string, record: KafkaRecord, value: Buffer, before: Known | undefined): Entry {
    const id = idOf(key)
    const epoch = numberOf(record, 'epoch') ?? before?.epoch ?? 0
    const due = epoch === 0 ? this.#dueOf(id, value) : undefined
    const entry = { id, value, version: record.offset, epoch, key }
    return due === undefined ? entry : { ...entry, due }
  }

  #set(now: Entry, before: Known | undefined): void {
    const { id, key, version, due, value } = now
    if (before && (before.due !== undefined || due !== undefined)) this.#delete(before)
    if (due === undefined) this.all.set(id, now)
    else this.waiting.add({ id, key, version, due, bytes: value.length })
    this.#ended.delete(id)
  }

  #delete({ id, due }: Known): void {
    if (due === undefined) this.all.delete(id)
    else this.waiting.delete(id)
  }

  #end(id: string, before: Known | undefined, version: Offset): void {
    if (before) this.#delete(before)
    // Of a live log only epochs are asked for.
    if (before && (before.epoch > 0 || !this.#isLive)) this.#ended.set(id, { version, epoch: before.epoch })
    const [oldest] = this.#ended.size > endedMost ? this.#ended.keys() : []
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  /** A key that is removed is not current, unless what took its place was compacted away before it was read. */
  #remove(key: string, at: Offset, before: Known | undefined): void {
    this.rubbish.gone(key)
    if (before?.key !== key) return
    if (this.#isLive || this.#doubtful.has(before.id)) this.#torn.set(key, at)
    else this.#delete(before)
  }

  #isAccepted(id: string, record: KafkaRecord, before: Known | undefined): boolean {
    const [word = '', of = '', epoch = ''] = (header(record.headers, 'if') ?? Buffer.alloc(0)).toString().split(' ')
    if (word === 'guard') return this.#isUnclaimed(of, Number(epoch))
    if (word !== 'new' && word !== 'is') return true
    const isMet = word === 'new' ? before === undefined : before?.version === BigInt(of)
    if (!isMet && !this.#isLive) this.#doubtful.add(id)
    return isMet || (word === 'is' && before === undefined && this.#wasThere(id, BigInt(of)))
  }

  /** A version that is not there was compacted away before the beginning, unless the entry was ended since. */
  #wasThere(id: string, version: Offset): boolean {
    return !this.#isLive && (this.#ended.get(id)?.version ?? -1n) < version
  }

  #isUnclaimed(id: string, since: number): boolean {
    const entry = this.all.get(id)
    return entry ? entry.epoch <= since : (this.#ended.get(id)?.epoch ?? -1) < since
  }
}

/** By the broker's clock alone. */
function isLate(record: KafkaRecord): boolean {
  const seen = numberOf(record, 'seen')
  return seen !== undefined && record.timestamp - seen > viewMs
}

function keyText(key: Buffer | null): string {
  return (key ?? Buffer.alloc(0)).toString()
}

function numberOf(record: KafkaRecord, name: string): number | undefined {
  const value = header(record.headers, name)
  return value && Number(value.toString())
}
