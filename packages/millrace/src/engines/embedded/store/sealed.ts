import { crc32 } from 'node:zlib'
import { MillraceError } from '../../../core/errors.js'
import type { RangeOptions, Table } from './lmdb.js'

const sumBytes = 4

/**
 * A table whose rows end in a checksum of key and value, for LMDB has none: a row that is not what was written, or stands where it
 * was not put, throws STORE_DAMAGED as it is read.
 */
export class SealedTable implements Table {
  readonly #table: Table
  readonly #name: string

  constructor(table: Table, name: string) {
    this.#table = table
    this.#name = name
  }

  get(key: Buffer): Buffer | undefined {
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
  *getRange(options: RangeOptions): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
    let before: Buffer | undefined
    for (const { key, value } of this.#table.getRange(options)) {
      const opened = this.#opened(key, value)
      if (before && Buffer.compare(before, key) >= 0) throw this.#damaged()
      before = key
      yield { key, value: opened }
    }
  }

  *getKeys(options: RangeOptions): Generator<Buffer> {
    for (const { key } of this.getRange(options)) yield key
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
