import type { Cancel, Millis } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Offset } from '../../core/message.js'
import type { KafkaRecord, Reader } from './port.js'
import type { KafkaStore } from './store.js'

/** Records of one partition from `from` to before `to`, at most so many, and no more once there are so many bytes of values. */
export interface Stretch {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly to: Offset
  readonly most: number
  readonly mostBytes: number
  /** Others are passed over. */
  readonly only?: (offset: Offset) => boolean
}

export interface Scanned {
  readonly records: readonly KafkaRecord[]
  /** 'full' and 'late': it goes on after the last record. 'deleted': the log does not begin at `from` any more. */
  readonly why: 'over' | 'full' | 'late' | 'deleted' | 'gone'
}

interface Scan extends Stretch {
  readonly records: KafkaRecord[]
  bytes: number
  readonly end: (why: Scanned['why']) => void
}

/** Reads stretches of logs outside any group, one at a time, through one reader. */
export class Scanner {
  readonly #store: KafkaStore
  #reader: Promise<Reader> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #scan: Scan | undefined
  #isClosed = false

  constructor(store: KafkaStore) {
    this.#store = store
  }

  /** Waits its turn, and reads until `due` by the monotonic clock at the latest. */
  read(stretch: Stretch, due: Millis): Promise<Scanned> {
    const read = this.#last.then(() => this.#read(stretch, due))
    this.#last = read.catch(() => undefined)
    return read
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#scan?.end('late')
    await this.#last
    await (await this.#reader?.catch(() => undefined))?.close()
  }

  async #read(stretch: Stretch, due: Millis): Promise<Scanned> {
    if (stretch.from >= stretch.to) return { records: [], why: 'over' }
    if (this.#isClosed) throw new MillraceError('CLOSED', 'the engine is closed')
    const forMs = due - this.#store.clock.monotonic()
    if (forMs <= 0) return { records: [], why: 'late' }
    this.#reader ??= this.#open()
    const reader = await this.#reader.catch((error: unknown) => {
      this.#reader = undefined
      throw error
    })
    const { topic, partition } = stretch
    const records: KafkaRecord[] = []
    let cancel: Cancel = () => undefined
    const why = await new Promise<Scanned['why']>((resolve) => {
      this.#scan = { ...stretch, records, bytes: 0, end: resolve }
      cancel = this.#store.clock.after(forMs, () => resolve('late'))
      reader.add(topic, partition, stretch.from)
    })
    cancel()
    this.#scan = undefined
    reader.remove(topic, partition)
    return { records, why }
  }

  #open(): Promise<Reader> {
    return this.#store.client.reader({
      records: (topic, partition, records) => this.#of(topic, partition, (scan) => take(scan, records)),
      end: (topic, partition, next) => this.#of(topic, partition, (scan) => void (next >= scan.to && scan.end('over'))),
      lost: (topic, partition, why) => this.#of(topic, partition, (scan) => scan.end(why)),
      trouble: this.#store.report,
    })
  }

  #of(topic: string, partition: number, act: (scan: Scan) => void): void {
    if (this.#scan?.topic === topic && this.#scan.partition === partition) act(this.#scan)
  }
}

function take(scan: Scan, records: readonly KafkaRecord[]): void {
  for (const record of records) {
    if (record.offset < scan.from) continue
    if (record.offset >= scan.to) return scan.end('over')
    if (scan.records.length >= scan.most || scan.bytes >= scan.mostBytes) return scan.end('full')
    if (!scan.only || scan.only(record.offset)) {
      scan.records.push(record)
      scan.bytes += record.value?.length ?? 0
    }
    if (record.offset + 1n >= scan.to) return scan.end('over')
  }
  return undefined
}
