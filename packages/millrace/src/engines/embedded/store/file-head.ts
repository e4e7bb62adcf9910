import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MillraceError } from '../../../core/errors.js'
import { freePages } from './free-pages.js'

// LMDB maps its file and takes on trust what it finds there: a file that is cut or overwritten ends the process. So its
// two heads are read before it is mapped. Layout: MDB_page, MDB_meta and MDB_db of mdb.c, on 64 bits, little-endian.

/** Commits write the two heads in turn; the younger one is the store. */
interface Head {
  readonly pageBytes: number
  /** Root of the tree of free pages, or none. */
  readonly freeRoot: bigint
  readonly mainRoot: bigint
  readonly lastPage: bigint
  readonly commit: bigint
}

const headBytes = 168
const magic = 0xbeefc0de
const isHeadPage = 8
const noPage = 2n ** 64n - 1n
const pageSizes = [4_096, 8_192, 16_384, 32_768, 65_536]

/** Another process may be writing what is looked at: what is wrong for a moment is looked at again, so often and after such a pause. */
const looks = 20
const pauseMs = 5

/** Throws STORE_FOREIGN or STORE_DAMAGED unless LMDB can open the file. An empty file is a new one. */
export function checkFile(file: string): void {
  for (let look = 1; ; look += 1) {
    const error = wrongWith(file)
    if (!error) return
    if (look === looks) throw error
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
  }
}

function wrongWith(file: string): MillraceError | undefined {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (size === 0) return undefined
    const start = Buffer.alloc(2 * 65_536)
    const bytes = start.subarray(0, readSync(descriptor, start, 0, start.length, 0))
    const found = pageSizes.find((each) => isHead(bytes, each))
    if (!isHead(bytes, 0) && found === undefined) return isBlank(bytes) ? damaged(file, `its first ${bytes.length} bytes are no head`) : foreign(file, 'is not an LMDB file')
    const pageBytes = isHead(bytes, 0) ? bytes.readUInt32LE(48) : found ?? 0
    const heads = [readHead(bytes, 0n, 0), readHead(bytes, 1n, pageBytes)]
    const [one, other] = heads
    if (!one || !other || one.pageBytes !== other.pageBytes) return damaged(file, `head ${one ? 2 : 1} of 2 is not what was written`)
    const [younger, older] = one.commit > other.commit ? [one, other] : [other, one]
    if (younger.commit - older.commit > 1n) return damaged(file, `its heads are of commits ${older.commit} and ${younger.commit}, which do not follow each other`)
    return isWhole(descriptor, size, younger) ? undefined : damaged(file, `it has ${size} bytes and should have ${(younger.lastPage + 1n) * BigInt(younger.pageBytes)}`)
  } finally {
    closeSync(descriptor)
  }
}

function isHead(bytes: Buffer, at: number): boolean {
  return bytes.length >= at + headBytes && bytes.readUInt32LE(at + 24) === magic
}

/** The beginning of a store, of which too little is left to tell. */
function isBlank(bytes: Buffer): boolean {
  return bytes.subarray(0, 16).every((byte) => byte === 0)
}

function readHead(bytes: Buffer, page: bigint, at: number): Head | undefined {
  if (!isHead(bytes, at) || bytes.readBigUInt64LE(at) !== page || !(bytes.readUInt16LE(at + 18) & isHeadPage)) return undefined
  const number = (offset: number): bigint => bytes.readBigUInt64LE(at + offset)
  const head = { pageBytes: bytes.readUInt32LE(at + 48), freeRoot: number(88), mainRoot: number(136), lastPage: number(144), commit: number(152) }
  const isPage = (root: bigint): boolean => root === noPage || root <= head.lastPage
  return pageSizes.includes(head.pageBytes) && isPage(head.freeRoot) && isPage(head.mainRoot) && head.lastPage < 2n ** 40n ? head : undefined
}

/** The last pages may never have been written, when the commit that took them freed them again. */
function isWhole(descriptor: number, size: number, { pageBytes, freeRoot, lastPage }: Head): boolean {
  const pages = Math.floor(size / pageBytes)
  const last = Number(lastPage)
  if (pages > last) return true
  const free = freePages(descriptor, pageBytes, pages, freeRoot === noPage ? undefined : Number(freeRoot))
  for (let page = pages; page <= last; page += 1) if (!free?.has(page)) return false
  return true
}

export function damaged(file: string, why: string): MillraceError {
  return new MillraceError('STORE_DAMAGED', `${file} is damaged: ${why}. Nothing was changed: restore it from a backup, or move it away to start empty`)
}

export function foreign(file: string, why: string): MillraceError {
  return new MillraceError('STORE_FOREIGN', `${file} ${why}: choose another path`)
}
