import { describe, expect, it } from 'vitest'
import type { Header } from '../../core/message.js'
import { HandClock } from '../../testing/hand-clock.js'
import { Ledger } from './ledger.js'
import type { KafkaClient, KafkaRecord, NewRecord, Reader } from './port.js'
import { keyOf } from './rubbish.js'

interface LogOptions {
  /** Records handed over at a time, and the time between. */
  readonly step?: number
  readonly everyMs?: number
}

/** A log in memory, with a reader of it. */
class Log {
  readonly clock = new HandClock()
  readonly records: KafkaRecord[]
  readings = 0
  readonly #options: LogOptions
  #next: bigint | undefined
  #taker: ((records: readonly KafkaRecord[]) => void) | undefined

  constructor(records: readonly KafkaRecord[], options: LogOptions = {}) {
    this.records = [...records]
    this.#options = options
  }

  /** What of a client a ledger calls. */
  get client(): KafkaClient {
    const admin = { createTopic: () => Promise.resolve('exists'), bounds: () => Promise.resolve([{ partition: 0, start: 0n, end: 0n }]) }
    return { admin, send: (sent: readonly NewRecord[]) => Promise.resolve(sent.map((each) => ({ offset: this.#append(each) }))) } as unknown as KafkaClient
  }

  get reader(): Reader {
    const add = (_: string, __: number, from: bigint): void => {
      this.readings += 1
      this.#next = from
      this.#read()
    }
    return { add, remove: () => (this.#next = undefined) } as unknown as Reader
  }

  readTo(take: (records: readonly KafkaRecord[]) => void): void {
    this.#taker = take
  }

  #append(sent: NewRecord): bigint {
    const offset = (this.records.at(-1)?.offset ?? -1n) + 1n
    this.records.push({ ...sent, offset, timestamp: this.clock.wall() })
    if (this.#options.everyMs === undefined) setImmediate(() => this.#read())
    return offset
  }

  #read(): void {
    const { step = Infinity, everyMs } = this.#options
    const next = this.#next
    if (next === undefined) return
    const records = this.records.filter(({ offset }) => offset >= next).slice(0, step)
    const last = records.at(-1)
    if (last) {
      this.#next = last.offset + 1n
      this.#taker?.(records)
    }
    if (everyMs !== undefined) this.clock.after(everyMs, () => this.#read())
  }
}

function record(offset: number, id: string, version: string, condition: string, value: string | null = version): KafkaRecord {
  const headers: Header[] = [['if', Buffer.from(condition)]]
  return { topic: 't', partition: 0, offset: BigInt(offset), key: Buffer.from(keyOf(id, version)), value: value === null ? null : Buffer.from(value), timestamp: 0, headers }
}

function ledgerOf(log: Log): Ledger {
  const ledger = new Ledger('t', log.client, log.reader, log.clock, { changed: () => undefined, gone: () => undefined })
  log.readTo((records) => ledger.take(records))
  return ledger
}

describe('a ledger that is opened', () => {
  it('is read once more where something was misjudged for want of what is compacted away', async () => {
    // What was refused was so for a change at 5, which is gone.
    const log = new Log([record(7, 'a', 'refused', 'is 0'), record(9, 'a', 'taken', 'is 5'), record(12, 'a', 'refused', '', null)])
    const ledger = ledgerOf(log)
    await ledger.open(1, {})
    expect([ledger.get('a')?.value.toString(), log.readings]).toEqual(['taken', 2])
    ledger.close()
  })

  it('takes as long to read as it is, while records come', async () => {
    const log = new Log(Array.from({ length: 10 }, (_, offset) => record(offset, `e${offset}`, 'one', 'new')), { step: 1, everyMs: 20_000 })
    const ledger = ledgerOf(log)
    const opened = ledger.open(1, {})
    await log.clock.advance(600_000)
    await opened
    expect(ledger.get('e9')?.value.toString()).toBe('one')
    ledger.close()
  })

  it('is not waited for when nothing comes any more', async () => {
    const log = new Log([record(0, 'a', 'one', 'new')], { step: 1, everyMs: 100_000 })
    const opened = ledgerOf(log).open(1, {}).catch((error: unknown) => error)
    await log.clock.advance(90_000)
    expect(await opened).toMatchObject({ code: 'TIMEOUT' })
  })
})
