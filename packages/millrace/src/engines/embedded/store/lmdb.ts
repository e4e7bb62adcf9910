/** The few parts of `lmdb` that are called, by structure: the library is handed in as a module. */
export interface LmdbModule {
  open(options: Readonly<Record<string, unknown>>): Root
}

export interface Root extends Table {
  openDB(options: Readonly<Record<string, unknown>>): RawTable
  transactionSync<T>(work: () => T, flags: number): T
  close(): Promise<void>
  /** The next read sees what other processes have committed. */
  resetReadTxn(): void
}

/** Keys and values are bytes, keys in byte order. Inside a transaction reads see its writes. */
export interface Table {
  get(key: Buffer): Buffer | undefined
  putSync(key: Buffer, value: Buffer): boolean
  removeSync(key: Buffer): boolean
  getRange(options: RangeOptions): Iterable<{ readonly key: Buffer; readonly value: Buffer }>
  getKeys(options: RangeOptions): Iterable<Buffer>
}

/** A table as LMDB has it. */
export interface RawTable extends Table {
  getStats(): { readonly entryCount: number }
}

export interface RangeOptions {
  readonly start?: Buffer
  readonly end?: Buffer
  readonly limit?: number
  readonly reverse?: boolean
}

/** How `transactionSync` commits: in this thread, all or nothing, and with or without waiting for the disk. */
export const commitFlags = { fsync: 3, os: 0x10003 } as const
