import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMillraceError, MillraceError } from '../../../core/errors.js'
import type { Clock } from '../../../core/clock.js'
import { key } from './keys.js'
import { commitFlags, type LmdbModule, type Root } from './lmdb.js'
import { forgetBeats } from './members.js'
import { decode, encode } from './rows.js'
import { maxTables, openTables, type Tables } from './tables.js'
import { Txn } from './txn.js'

/** Version of the tables and rows; a store of another version is refused. */
const format = 1
const formatKey = key({ text: 'millrace' })

interface Format {
  readonly format: number
  readonly boot: string
}

/** An open store: one LMDB file in a folder. */
export class Store {
  readonly tables: Tables
  readonly #root: Root
  readonly #clock: Clock
  readonly #flags: number

  constructor(lmdb: LmdbModule, settings: { readonly path: string; readonly durability: 'os' | 'fsync'; readonly maxBytes: number }, clock: Clock) {
    this.#clock = clock
    this.#flags = commitFlags[settings.durability]
    const file = prepareFile(settings.path)
    // Pages are larger than the records in them, and a commit needs free ones; address space costs nothing.
    const mapSize = settings.maxBytes * 3 + 2 ** 28
    this.#root = opened(() => lmdb.open({ path: file, maxDbs: maxTables, mapSize, overlappingSync: false, maxReaders: 512 }), file)
    checkLength(this.#root, file)
    this.tables = opened(() => openTables(this.#root), file)
    this.write((txn) => checkFormat(txn, file))
  }

  /** One commit: all of it, or when it throws nothing. */
  write<T>(work: (txn: Txn) => T): T {
    try {
      return this.#root.transactionSync(() => {
        const txn = this.#txn()
        const result = work(txn)
        txn.flush()
        return result
      }, this.#flags)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** One consistent look. */
  read<T>(work: (txn: Txn) => T): T {
    this.#root.resetReadTxn()
    return work(this.#txn())
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  #txn(): Txn {
    return new Txn(this.tables, this.#clock.wall(), this.#clock.monotonic())
  }
}

function prepareFile(path: string): string {
  if (existsSync(path) && !statSync(path).isDirectory()) throw foreign(path, 'is a file, and a store is a folder')
  mkdirSync(path, { recursive: true })
  const file = join(path, 'store.mdb')
  if (existsSync(file)) checkHead(file)
  return file
}

const lmdbMagic = Buffer.from([0xde, 0xc0, 0xef, 0xbe])

/** LMDB maps the file without a look at what it is, so look first. */
function checkHead(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    const head = Buffer.alloc(64)
    const { size } = fstatSync(descriptor)
    readSync(descriptor, head, 0, 64, 0)
    if (size > 0 && size < 64) throw damaged(file, `it has ${size} bytes`)
    if (size > 0 && !head.includes(lmdbMagic)) throw foreign(file, 'is not an LMDB file')
  } finally {
    closeSync(descriptor)
  }
}

/** A file cut short would end the process at the first look behind its end. */
function checkLength(root: Root, file: string): void {
  const pages = root.env.info().lastPageNumber + 1
  const pageBytes = root.env.stat().pageSize
  const { size } = statSync(file)
  if (size >= pages * pageBytes) return
  void root.close()
  throw damaged(file, `it has ${size} bytes and should have ${pages * pageBytes}`)
}

function checkFormat(txn: Txn, file: string): void {
  const row = txn.tables.meta.get(formatKey)
  const boot = bootId()
  const known = row && decode<Format>(row)
  if (!known && [...txn.tables.topics.getKeys({ limit: 1 })].length > 0) throw foreign(file, 'was not made by Millrace')
  if (known && known.format !== format) throw foreign(file, `has format ${known.format}, and this version reads ${format}`)
  if (known?.boot === boot) return
  if (known) forgetBeats(txn)
  txn.tables.meta.putSync(formatKey, encode({ format, boot } satisfies Format))
}

/** Changes when the host boots: monotonic times of before mean nothing. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

function opened<T>(open: () => T, file: string): T {
  try {
    return open()
  } catch (error) {
    if (isMillraceError(error)) throw error
    throw damaged(file, error instanceof Error ? error.message : String(error))
  }
}

function damaged(file: string, why: string): MillraceError {
  return new MillraceError('STORE_DAMAGED', `${file} is damaged: ${why}. Nothing was changed: restore it from a backup, or move it away to start empty`)
}

function foreign(file: string, why: string): MillraceError {
  return new MillraceError('STORE_FOREIGN', `${file} ${why}: choose another path`)
}

const mapFull = -30792

/** What LMDB or the disk says, in our words. Nothing of the commit was stored. */
function storeError(error: unknown): unknown {
  if (isMillraceError(error)) return error
  const { code, message } = error instanceof Error ? (error as Error & { code?: unknown }) : { code: undefined, message: String(error) }
  const isFull = code === mapFull || code === 28 || code === 'ENOSPC' || /MAP_FULL|No space left|disk full/i.test(message)
  if (isFull) return new MillraceError('STORE_FULL', `no room to store: ${message}. Free some, and call again`, { cause: error })
  return new MillraceError('ENGINE_FAILED', `the store failed: ${message}. Close the engine and open it again`, { cause: error })
}
