import { header, type Offset } from '../../core/message.js'
import type { KafkaRecord } from './port.js'
import { idOf, Rubbish } from './rubbish.js'

/** How many entries that were ended are remembered, so that late changes of them are refused. */
const endedMost = 100_000

/** An entry as the log has ordered it. */
export interface Entry {
  readonly id: string
  readonly value: Buffer
  /** Where in the log: it changes with each change. */
  readonly version: Offset
  /** Grows with each claim; 0 for what nobody claims. */
  readonly epoch: number
  readonly key: string
}

/**
 * A change that was made of a view so much older than the change itself is refused. Compaction keeps what is younger than twice that, so that
 * everybody still has what a change is judged by.
 */
export const viewMs = 30_000

/** What became of a change. */
export type Judged = { readonly is: 'accepted'; readonly version: Offset } | { readonly is: 'refused' } | { readonly is: 'late' }

/** What a record has changed, and what became of the change; neither where it only removes a key. */
export interface Applied {
  readonly changed?: { readonly id: string; readonly now: Entry | undefined; readonly before: Entry | undefined }
  readonly answer?: Judged
}

interface Answered {
  readonly record: KafkaRecord
  readonly answer: Judged
}

/** Entries as the records of a ledger's log make them, one after another. */
export class Entries {
  readonly all = new Map<string, Entry>()
  readonly rubbish = new Rubbish()
  /** What was ended lately: where, and in which epoch. */
  readonly #ended = new Map<string, Pick<Entry, 'version' | 'epoch'>>()
  /** After the last record. */
  #next: Offset = 0n
  #isLive = false
  #isTorn = false

  /**
   * As a whole log makes them. Keys that are removed in it are taken for compacted away already, as what took their place, or what they were
   * refused for, may be.
   */
  static of(records: readonly KafkaRecord[]): { readonly entries: Entries; readonly answers: readonly Answered[] } {
    const entries = new Entries()
    const removed = new Map(records.flatMap(({ key, value, offset }) => (value === null ? [[keyText(key), offset]] : [])))
    const answers = records.flatMap((record): Answered[] => {
      if ((removed.get(keyText(record.key)) ?? -1n) > record.offset) return []
      const { answer } = entries.apply(record)
      return answer ? [{ record, answer }] : []
    })
    entries.#isLive = true
    return { entries, answers }
  }

  /** Records are missing that others were judged by: they were compacted away before they were read. All has to be read anew. */
  get isTorn(): boolean {
    return this.#isTorn
  }

  apply(record: KafkaRecord): Applied {
    // None is judged twice, whatever a reader does.
    if (record.offset < this.#next) return {}
    this.#next = record.offset + 1n
    const key = keyText(record.key)
    const id = idOf(key)
    const before = this.all.get(id)
    if (record.value === null) this.#removed(key, before)
    else if (!isLate(record) && this.#isAccepted(id, record, before)) return this.#accept(key, record, record.value, before)
    else this.rubbish.addIdle(key)
    return record.value === null ? {} : { answer: { is: isLate(record) ? 'late' : 'refused' } }
  }

  #accept(key: string, record: KafkaRecord, value: Buffer, before: Entry | undefined): Applied {
    const id = idOf(key)
    const now = numberOf(record, 'end') === undefined ? { id, value, version: record.offset, epoch: numberOf(record, 'epoch') ?? before?.epoch ?? 0, key } : undefined
    if (now) this.#set(now)
    else this.#end(id, before, record.offset)
    if (before && before.key !== key) this.rubbish.addPast(before.key)
    if (!now && before) this.rubbish.addPast(key)
    else if (!now) this.rubbish.addIdle(key)
    return { changed: { id, now, before }, answer: { is: 'accepted', version: record.offset } }
  }

  #set(now: Entry): void {
    this.all.set(now.id, now)
    this.#ended.delete(now.id)
  }

  #end(id: string, before: Entry | undefined, version: Offset): void {
    this.all.delete(id)
    if (before) this.#ended.set(id, { version, epoch: before.epoch })
    const [oldest] = this.#ended.size > endedMost ? this.#ended.keys() : []
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  /** A key that is removed is not current, unless what took its place was compacted away before it was read. */
  #removed(key: string, before: Entry | undefined): void {
    this.rubbish.gone(key)
    if (before?.key === key) this.#isTorn = true
  }

  #isAccepted(id: string, record: KafkaRecord, before: Entry | undefined): boolean {
    const [word = '', of = '', epoch = ''] = (header(record.headers, 'if') ?? Buffer.alloc(0)).toString().split(' ')
    if (word === 'new') return before === undefined
    if (word === 'is') return before ? before.version === BigInt(of) : this.#wasThere(id, BigInt(of))
    if (word === 'guard') return this.#isUnclaimed(of, Number(epoch))
    return true
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
