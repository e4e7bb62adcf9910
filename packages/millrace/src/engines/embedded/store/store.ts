import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import { throughGate } from '../exit-gate.js'
import { checkFile, foreign } from './file-head.js'
import { key } from './keys.js'
import { commitFlags, type LmdbModule, type Root, type Table } from './lmdb.js'
import { forgetBeats } from './member-rows.js'
import { makeFile, syncFolder } from './new-file.js'
import { decode, encode } from './rows.js'
import { isOfDisk, openError, storeError } from './store-error.js'
import { maxTables, openTable, openTables, tableNames, type Tables } from './tables.js'
import { Txn } from './txn.js'

/** Version of the tables and rows; a store of another version is refused. */
const format = 2
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
  readonly #gate: SharedArrayBuffer
  readonly #file: string
  readonly #flags: number
  #broken: MillraceError | undefined

  constructor(lmdb: LmdbModule, settings: { readonly path: string; readonly durability: 'os' | 'fsync'; readonly maxBytes: number; readonly gate: SharedArrayBuffer }, clock: Clock) {
    this.#clock = clock
    this.#gate = settings.gate
    this.#flags = commitFlags[settings.durability]
    this.#file = join(settings.path, 'store.mdb')
    // Pages are larger than the records in them, and a commit needs free ones; address space costs nothing.
    const mapSize = settings.maxBytes * 3 + 2 ** 28
    this.#root = opened(() => {
      prepareFile(lmdb, settings.path, this.#file)
      const root = lmdb.open({ path: this.#file, maxDbs: maxTables, mapSize, overlappingSync: false, maxReaders: 512 })
      // Whoever made the file may have died before its name was on the disk.
      if (settings.durability === 'fsync') for (const folder of [settings.path, dirname(settings.path)]) syncFolder(folder)
      return root
    }, this.#file)
    this.tables = this.#prepare()
  }

  /** Tables and format in one commit: what is refused is left as it was, and a process killed here leaves no half. */
  #prepare(): Tables {
    try {
      return this.#transaction(() => {
        checkTables(this.#root, this.#file)
        const tables = openTables(this.#root)
        checkFormat(openTable(this.#root, 'meta'), this.#txn(tables), this.#file)
        return tables
      })
    } catch (error) {
      void this.#root.close()
      throw openError(error, this.#file)
    }
  }

  /**
   * One commit: all of it, or when it throws nothing. A disk that has failed is asked no more: after a failed sync the system may have dropped what
   * it had to write and says so once, so that a later sync proves nothing.
   */
  write<T>(work: (txn: Txn) => T): T {
    if (this.#broken) throw this.#broken
    try {
      return this.#transaction(() => {
        const txn = this.#txn(this.tables)
        const result = work(txn)
        txn.flush()
        return result
      })
    } catch (error) {
      const told = storeError(error, this.#file)
      if (isOfDisk(error, told)) this.#broken = told
      throw told
    }
  }

  /** Whole, or not begun: a process that ends itself waits for it. */
  #transaction<T>(work: () => T): T {
    const through = throughGate(this.#gate, () => this.#root.transactionSync(work, this.#flags))
    if (!through) throw new MillraceError('CLOSED', 'the process is ending')
    return through.done
  }

  /** One consistent look. */
  read<T>(work: (txn: Txn) => T): T {
    this.#root.resetReadTxn()
    try {
      return work(this.#txn(this.tables))
    } catch (error) {
      throw storeError(error, this.#file)
    }
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  #txn(tables: Tables): Txn {
    return new Txn(tables, this.#clock.wall(), this.#clock.monotonic())
  }
}

function prepareFile(lmdb: LmdbModule, path: string, file: string): void {
  if (existsSync(path) && !statSync(path).isDirectory()) throw foreign(path, 'is a file, and a store is a folder')
  makeFile(lmdb, path, file)
  if (existsSync(file)) checkFile(file)
}

/** A file of LMDB may be somebody else's. */
function checkTables(root: Root, file: string): void {
  for (const name of root.getKeys({})) if (!tableNames.includes(String(name))) throw foreign(file, 'was not made by Millrace')
}

function checkFormat(raw: Table, txn: Txn, file: string): void {
  const boot = bootId()
  const known = knownFormat(raw, txn)
  if (!known && [...txn.tables.topics.getKeys({ limit: 1 })].length > 0) throw foreign(file, 'was not made by Millrace')
  if (known && known.format !== format) throw foreign(file, `has format ${known.format}, and this version reads ${format}`)
  if (known?.boot === boot) return
  if (known) forgetBeats(txn)
  txn.tables.meta.putSync(formatKey, encode({ format, boot } satisfies Format))
}

/** Another format may write its row in another way, but it has one. */
function knownFormat(raw: Table, txn: Txn): Format | undefined {
  try {
    const row = txn.tables.meta.get(formatKey)
    return row && decode<Format>(row)
  } catch (error) {
    const row = raw.get(formatKey)
    const [, known] = /^{"format":(\d+)/.exec(row?.toString('latin1') ?? '') ?? []
    if (known === undefined || Number(known) === format) throw error
    return { format: Number(known), boot: '' }
  }
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
    throw openError(error, file)
  }
}
