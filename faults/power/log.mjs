import { readFileSync } from 'node:fs'

const magic = 0xfa017b10
const headBytes = 48

/** As in shim.c. */
const types = [
  undefined,
  /** Begins; it is in the system's cache before the next record of its process. */
  'write',
  /** It was written through a descriptor that waits for the disk, and has ended well. */
  'durable',
  /** The same, ended with an error. */
  'lost',
  /** A write that took fewer bytes than it was given. */
  'cut',
  'sync',
  'synced',
  'sync failed',
  'truncate',
  /** The folder of the file was synced. */
  'folder synced',
  'named',
]

/**
 * What the shim wrote down about the file that became the store, in the order in which it happened:
 * `{ type, at, step, file, offset, length, bytes? }`, `at` as in a history.
 */
export function readLog(path) {
  const records = allRecords(path)
  const name = records.find(({ type }) => type === 'named')
  if (name !== undefined) return records.filter(({ type, file }) => type === 'folder synced' || file === name.file)
  // Made under its own name.
  return [{ type: 'named', at: 0, step: 0 }, ...records]
}

function allRecords(path) {
  const log = readFileSync(path)
  const records = []
  for (let start = 0; start + headBytes <= log.length; ) {
    if (log.readUInt32LE(start) !== magic) throw new Error(`${path}: no record at ${start}`)
    const type = types[log.readUInt32LE(start + 4)]
    const number = (at) => Number(log.readBigUInt64LE(start + at))
    const record = { type, at: number(8) / 1_000, step: number(16), file: number(24), offset: number(32), length: number(40) }
    start += headBytes
    if (type === 'write') {
      if (start + record.length > log.length) break
      record.bytes = log.subarray(start, (start += record.length))
    }
    records.push(record)
  }
  return records
}
