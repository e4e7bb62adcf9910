import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ReadText, readText } from './machine.js'

/** The process that holds a store's write lock, as the system knows it. */
export interface Holder {
  readonly pid: number
  readonly command: string
  /** Stopped by a signal or a debugger: it goes on only when somebody lets it. */
  readonly isStopped: boolean
}

/** A process that reads, or has read and may again. */
export interface Reader {
  readonly pid: number
  /** Commits since the one that it looks at; null when it looks at none. What it looks at cannot be used again. */
  readonly behind: number | null
}

export interface LockFile {
  /** The thread that holds the write lock. */
  readonly writer: number | undefined
  readonly readers: readonly Reader[]
}

// The lock file of the LMDB that lmdb-js brings, on 64 bits of Linux (MDB_txninfo of mdb.c): a head of 64 bytes, the
// writer's robust mutex, room for the syncer's, and from byte 208 a line of 64 bytes for each reader. The third number of a
// mutex is the thread that holds it. The format is a sum of the sizes of these, so another layout has another.
const magic = 0xbeefc0de
const format = 0x2c2f6002
const lastCommitAt = 8
const readersAt = 16
const writerAt = 64 + 8
const tableAt = 208
const lineBytes = 64
const noCommit = 2n ** 64n - 1n

/** Undefined where there is none, or one that is not known. */
export function readLockFile(folder: string): LockFile | undefined {
  try {
    return parseLockFile(readFileSync(join(folder, 'store.mdb-lock')))
  } catch {
    return undefined
  }
}

export function parseLockFile(file: Buffer): LockFile | undefined {
  if (process.platform !== 'linux' || file.length < tableAt || file.readUInt32LE(0) !== magic || file.readUInt32LE(4) !== format) return undefined
  const last = file.readBigUInt64LE(lastCommitAt)
  const writer = file.readInt32LE(writerAt)
  const lines = Array.from({ length: file.readUInt32LE(readersAt) }, (_, index) => file.subarray(tableAt + index * lineBytes, tableAt + (index + 1) * lineBytes))
  const readers = lines
    .filter((line) => line.length === lineBytes && line.readInt32LE(8) > 0)
    .map((line) => ({ pid: line.readInt32LE(8), behind: line.readBigUInt64LE(0) === noCommit ? null : Number(last - line.readBigUInt64LE(0)) }))
  return { writer: writer > 0 ? writer : undefined, readers }
}

/** Undefined for a process that cannot be seen from here. */
export function holderOf(thread: number | undefined, read: ReadText = readText): Holder | undefined {
  const status = thread === undefined ? undefined : read(`/proc/${thread}/status`)
  const pid = Number(/^Tgid:\s+(\d+)$/m.exec(status ?? '')?.[1])
  if (status === undefined || !Number.isInteger(pid)) return undefined
  const command = (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim()
  return { pid, command, isStopped: /^State:\s+[Tt]/m.test(status) }
}
