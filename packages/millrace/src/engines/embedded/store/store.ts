import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMillraceError, MillraceError } from '../../../core/errors.js'
import type { Clock } from '../../../core/clock.js'
import { checkFile, damaged, foreign } from './file-head.js'
import { key } from './keys.js'
import { commitFlags, type LmdbModule, type Root } from './lmdb.js'
import { forgetBeats } from './member-rows.js'
import { decode, encode } from './rows.js'
import { maxTables, openTables, tableNames, type Tables } from './tables.js'
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
    this.tables = this.#prepare(file)
  }

  /** Tables and format in one commit: what is refused is left as it was, and a process killed here leaves no half. */
  #prepare(file: string): Tables {
    try {
      return this.#root.transactionSync(() => {
        checkTables(this.#root, file)
        const tables = openTables(this.#root)
        checkFormat(this.#txn(tables), file)
        return tables
      }, this.#flags)
    } catch (error) {
      void this.#root.close()
      throw isMillraceError(error) || isFull(error) ? storeError(error) : damaged(file, reasonOf(error))
    }
  }

  /** One commit: all of it, or when it throws nothing. */
  write<T>(work: (txn: Txn) => T): T {
    try {
      return this.#root.transactionSync(() => {
        const txn = this.#txn(this.tables)
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
    try {
      return work(this.#txn(this.tables))
    } catch (error) {
      throw storeError(error)
    }
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  #txn(tables: Tables): Txn {
    return new Txn(tables, this.#clock.wall(), this.#clock.monotonic())
  }
}

function prepareFile(path: string): string {
  if (existsSync(path) && !statSync(path).isDirectory()) throw foreign(path, 'is a file, and a store is a folder')
  mkdirSync(path, { recursive: true })
  const file = join(path, 'store.mdb')
  if (existsSync(file)) checkFile(file)
  return file
}

/** A file of LMDB may be somebody else's. */
function checkTables(root: Root, file: string): void {
  for (const name of root.getKeys({})) if (!tableNames.includes(String(name))) throw foreign(file, 'was not made by Millrace')
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
    throw isFull(error) ? storeError(error) : damaged(file, reasonOf(error))
  }
}

const mapFull = -30792
/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_INVALID. */
const damages: ReadonlySet<unknown> = new Set([-30797, -30796, -30793])

/** What LMDB or the disk says, in our words. Nothing of the commit was stored. */
function storeError(error: unknown): unknown {
  if (isMillraceError(error)) return error
  const reason = reasonOf(error)
  if (isFull(error)) return new MillraceError('STORE_FULL', `no room to store: ${reason}. Free some, and call again`, { cause: error })
  if (damages.has(codeOf(error))) return new MillraceError('STORE_DAMAGED', `the store is damaged: ${reason}. Restore it from a backup`, { cause: error })
  return new MillraceError('ENGINE_FAILED', `the store failed: ${reason}. Close the engine and open it again`, { cause: error })
}

function isFull(error: unknown): boolean {
  const code = codeOf(error)
  return code === mapFull || code === 28 || code === 'ENOSPC' || /MAP_FULL|No space left|disk full/i.test(reasonOf(error))
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
