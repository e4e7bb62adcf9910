import type { Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import { Columns } from './columns.js'
import { idOf } from './rubbish.js'

const leastRows = 48
/** So many are sorted by their times at once. */
const sortedMost = 100_000
/** Between the id of an entry and its version, in a key. */
const lineEnd = 10

/** An entry that only waits for a time: its value is in the log. */
export interface Waits {
  readonly id: string
  readonly key: string
  readonly version: Offset
  readonly due: Millis
  /** Of its value. */
  readonly bytes: number
}

/** Some of what waits, the earliest first: all of it that is due before `horizon`. */
export interface Soonest {
  readonly picked: readonly Waits[]
  readonly horizon: Millis
}

/**
 * Entries that only wait for a time, millions of them: of each its key, where in the log it is and when it is due, about 100 bytes. They lie in
 * the order of the log, in which they are added.
 */
export class Waiting {
  #columns = new Columns(leastRows)
  /** Rows by the hash of their ids, each plus one; 0 where there is none. */
  #table = new Int32Array(64)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: string): Waits | undefined {
    const row = this.#find(id)
    return row < 0 ? undefined : this.#at(row)
  }

  /** Later in the log than all others; of its id there is none. */
  add({ key, version, due, bytes }: Waits): void {
    if (this.#columns.length === this.#columns.capacity) this.#makeRoom()
    this.#columns.append(Buffer.from(key), Number(version), due, bytes)
    this.#enter(this.#columns.length - 1)
    this.#size += 1
  }

  /** False when there is none. */
  delete(id: string): boolean {
    const row = this.#find(id)
    if (row < 0) return false
    this.#columns.due[row] = NaN
    this.#size -= 1
    return true
  }

  /** Those after a place in the log, in its order. */
  *after(version: Offset): Iterable<Waits> {
    const columns = this.#columns
    for (let row = rowAfter(columns, Number(version)); row < columns.length; row += 1) if (columns.isThere(row)) yield this.#at(row)
  }

  /** Those due from `from` on and before `until` that are not taken, as far as their values have no more bytes than these; one at least. */
  soonest(from: Millis, until: Millis, mostBytes: number, isTaken: (id: string) => boolean): Soonest {
    const { rows, horizon } = this.#between(from, until)
    const { due } = this.#columns
    const picked: Waits[] = []
    let left = mostBytes
    for (const row of rows.sort((one, other) => (due[one] ?? 0) - (due[other] ?? 0) || one - other)) {
      const waits = this.#at(row)
      if (isTaken(waits.id)) continue
      if (picked.length > 0 && waits.bytes > left) return { picked, horizon: waits.due }
      left -= waits.bytes
      picked.push(waits)
    }
    return { picked, horizon }
  }

  /** Rows that are due in a time, which is made shorter where they are too many. */
  #between(from: Millis, until: Millis): { readonly rows: number[]; readonly horizon: Millis } {
    const { due } = this.#columns
    for (let horizon = until; ;) {
      const rows = this.#dueIn(from, horizon)
      const first = rows.reduce((least, row) => Math.min(least, due[row] ?? least), horizon)
      if (rows.length <= sortedMost || horizon - first <= 1) return { rows, horizon }
      horizon = first + (horizon - first) / 2
    }
  }

  #dueIn(from: Millis, before: Millis): number[] {
    const { due, length } = this.#columns
    const rows: number[] = []
    for (let row = 0; row < length; row += 1) {
      const at = due[row] ?? NaN
      if (at >= from && at < before) rows.push(row)
    }
    return rows
  }

  #at(row: number): Waits {
    const { version, due, bytes } = this.#columns
    const key = this.#columns.key(row).toString()
    return { id: idOf(key), key, version: BigInt(version[row] ?? 0), due: due[row] ?? NaN, bytes: bytes[row] ?? 0 }
  }

  /** Below 0 for none. */
  #find(id: string): number {
    if (this.#size === 0) return -1
    const bytes = Buffer.from(id)
    const mask = this.#table.length - 1
    for (let place = hash(bytes, bytes.length) & mask; ; place = (place + 1) & mask) {
      const row = (this.#table[place] ?? 0) - 1
      if (row < 0 || (this.#columns.isThere(row) && this.#columns.hasKey(row, bytes, lineEnd))) return row
    }
  }

  #enter(row: number): void {
    const key = this.#columns.key(row)
    const mask = this.#table.length - 1
    let place = hash(key, key.indexOf(lineEnd)) & mask
    while (this.#table[place] !== 0) place = (place + 1) & mask
    this.#table[place] = row + 1
  }

  /** Leaves out what is gone. */
  #makeRoom(): void {
    const capacity = Math.max(leastRows, Math.ceil(this.#size * 1.5))
    this.#columns = this.#columns.copy(capacity)
    // Not fuller than three quarters.
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(capacity / 0.75)))
    for (let row = 0; row < this.#columns.length; row += 1) this.#enter(row)
  }
}

/** The first row that is later in the log. */
function rowAfter(columns: Columns, version: number): number {
  let low = 0
  let high = columns.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((columns.version[middle] ?? 0) <= version) low = middle + 1
    else high = middle
  }
  return low
}

/** FNV-1a. */
function hash(bytes: Buffer, length: number): number {
  let code = 0x811c9dc5
  for (let index = 0; index < length; index += 1) code = Math.imul(code ^ (bytes[index] ?? 0), 0x01000193)
  return code ^ (code >>> 15)
}
