import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LmdbModule } from './lmdb.js'

// A store that is cut off is refused, and one that a power loss caught in the making looks the same. So a new one is made
// under another name, and takes its own when it is whole.

/** Makes folder and file where there is none. Another process may be doing the same: one of the two files becomes the store. */
export function makeFile(lmdb: LmdbModule, path: string, file: string): void {
  const first = mkdirSync(path, { recursive: true })
  for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made)) syncFolder(dirname(made))
  if (existsSync(file)) return
  const making = join(path, `new-${randomUUID()}.mdb`)
  try {
    const root = lmdb.open({ path: making, overlappingSync: false })
    sync(making, 'r+')
    link(making, file)
    void root.close()
  } finally {
    for (const each of [making, `${making}-lock`]) rmSync(each, { force: true })
  }
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    // Another process was faster, or the file system has no links: then the store is made in its place, as well as can be.
    if (codeOf(error) === 'EIO') throw error
  }
}

/** The names in a folder are on the disk. Not every system can sync a folder, nor every user read it. */
export function syncFolder(folder: string): void {
  try {
    sync(folder, 'r')
  } catch (error) {
    if (codeOf(error) === 'EIO') throw error
  }
}

function sync(path: string, how: 'r' | 'r+'): void {
  const descriptor = openSync(path, how)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
