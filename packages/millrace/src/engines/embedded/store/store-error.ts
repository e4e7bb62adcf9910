import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMillraceError, MillraceError } from '../../../core/errors.js'
import { damaged } from './file-head.js'

const mapFull = -30792
/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_INVALID, MDB_CURSOR_FULL, MDB_PAGE_FULL: the last two are trees that cannot be. */
const damages: ReadonlySet<unknown> = new Set([-30797, -30796, -30793, -30787, -30786])
const forbidden: ReadonlySet<unknown> = new Set([1, 13, 30, 'EPERM', 'EACCES', 'EROFS'])

/** What LMDB or the disk says, in our words. Nothing of the commit was stored. */
export function storeError(error: unknown, file: string): unknown {
  if (isMillraceError(error)) return error
  const reason = reasonOf(error)
  if (isFull(error, file)) return new MillraceError('STORE_FULL', `no room to store: ${reason}. Free some, and call again`, { cause: error })
  if (damages.has(codeOf(error)) || /Invalid dupdata/.test(reason)) return new MillraceError('STORE_DAMAGED', `the store is damaged: ${reason}. Restore it from a backup`, { cause: error })
  return new MillraceError('ENGINE_FAILED', `the store failed: ${reason}. Close the engine and open it again`, { cause: error })
}

/** As `storeError`; what else fails at the opening is the file's fault. */
export function openError(error: unknown, file: string): unknown {
  if (isMillraceError(error) || isFull(error, file) || isCutShort(error)) return storeError(error, file)
  if (forbidden.has(codeOf(error))) return new MillraceError('CONFIG', `${file} cannot be opened: ${reasonOf(error)}. Let this user read and write it, or choose another path`, { field: 'path', cause: error })
  return damaged(file, reasonOf(error))
}

/** True when LMDB or the disk has failed in a way that does not pass, as opposed to a full disk or our own mistake; `told` is what `storeError` says of it. */
export function isOfDisk(error: unknown, told: unknown): told is MillraceError {
  return typeof codeOf(error) === 'number' && isMillraceError(told) && told.code === 'ENGINE_FAILED'
}

function isFull(error: unknown, file: string): boolean {
  const code = codeOf(error)
  return code === mapFull || code === 28 || code === 'ENOSPC' || /MAP_FULL|No space left|disk full/i.test(reasonOf(error)) || (isCutShort(error) && hasNoRoom(file))
}

/** LMDB calls a write that the disk has cut short an input/output error. */
function isCutShort(error: unknown): boolean {
  return codeOf(error) === 5 || /Input\/output error/.test(reasonOf(error))
}

/** Fewer blocks free than a small commit takes. */
function hasNoRoom(file: string): boolean {
  return statfsSync(dirname(file)).bavail < 16
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
