import { crc32 } from 'node:zlib'
import { MillraceError } from '../../../core/errors.js'
import type { RangeOptions, Table } from './lmdb.js'

const sumBytes = 4

interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/**
 * A table whose rows end in a checksum of key and value, for LMDB has none: a row that is not what was written, or stands where it
 * was not put, throws STORE_DAMAGED as it is read. A damaged key can also lead a search past rows that are there, so a range must
 * begin and end where its neighbours say, and with `isStrict` the neighbours of a row that is not found are looked at too.
 */
export class SealedTable implements Table {
  readonly #table: Table
  readonly #name: string
  readonly #isStrict: boolean

  constructor(table: Table, name: string, isStrict = false) {
    this.#table = table
    this.#name = name
    this.#isStrict = isStrict
  }

  get(key: Buffer): Buffer | undefined {
    return this.#isStrict ? this.getSurely(key) : this.#get(key)
  }

  /** As `get`, and what is not found is not there: for rows whose absence is an answer, and where that is rare. */
  getSurely(key: Buffer): Buffer | undefined {
    const value = this.#get(key)
    if (value) return value
    this.#lastBefore(key)
    for (const next of this.#table.getRange({ start: key, limit: 1 })) this.#checkOrder(key, next)
    return undefined
  }

  #get(key: Buffer): Buffer | undefined {
    const sealed = this.#table.get(key)
    return sealed && this.#opened(key, sealed)
  }

  putSync(key: Buffer, value: Buffer): boolean {
    const sealed = Buffer.allocUnsafe(value.length + sumBytes)
    sealed.set(value)
    sealed.writeUInt32LE(sumOf(key, value), value.length)
    return this.#table.putSync(key, sealed)
  }

  removeSync(key: Buffer): boolean {
    return this.#table.removeSync(key)
  }

  /** Keys grow: a page that stands where another was breaks that, or its rows are missing. */
  *getRange(options: RangeOptions): Generator<Row> {
    let last = options.start && this.#lastBefore(options.start)
    let left = options.limit ?? Infinity
    for (const { key, value } of this.#table.getRange(options)) {
      const opened = last ? this.#checkOrder(last, { key, value }) : this.#opened(key, value)
      last = key
      left -= 1
      yield { key, value: opened }
    }
    if (left > 0 && options.end && !isSame(last, this.#lastBefore(options.end))) throw this.#damaged()
  }

  *getKeys(options: RangeOptions): Generator<Buffer> {
    for (const { key } of this.getRange(options)) yield key
  }

  /** The key of the last row before a place, where there is one. */
  #lastBefore(place: Buffer): Buffer | undefined {
    for (const { key, value } of this.#table.getRange({ start: place, reverse: true, limit: 2 })) {
      const order = Buffer.compare(key, place)
      if (order > 0) throw this.#damaged()
      this.#opened(key, value)
      if (order < 0) return key
    }
    return undefined
  }

  #checkOrder(before: Buffer, { key, value }: Row): Buffer {
    if (Buffer.compare(before, key) >= 0) throw this.#damaged()
    return this.#opened(key, value)
  }

  #opened(key: Buffer, sealed: Buffer): Buffer {
    const length = sealed.length - sumBytes
    const value = sealed.subarray(0, Math.max(0, length))
    if (length < 0 || sealed.readUInt32LE(length) !== sumOf(key, value)) throw this.#damaged()
    return value
  }

  #damaged(): MillraceError {
    return new MillraceError('STORE_DAMAGED', `the store is damaged: a row of its table ${this.#name} is not what was written. Restore it from a backup`)
  }
}

function sumOf(key: Buffer, value: Buffer): number {
  return crc32(value, crc32(key))
}

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && one.equals(other))
}
