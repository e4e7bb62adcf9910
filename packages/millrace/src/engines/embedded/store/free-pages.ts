import { readSync } from 'node:fs'

// LMDB's tree of free pages, read without mapping the file. Layout: MDB_page, MDB_node and the page lists of midl.c, in
// which a negative number is the length of a run whose first page follows.

const headBytes = 24
const nodeBytes = 8
const isBranch = 1
const isOverflow = 1

/** The free pages of a file of so many whole pages; undefined when the tree is not all there. */
export function freePages(descriptor: number, pageBytes: number, pages: number, root: number | undefined): ReadonlySet<number> | undefined {
  const free = new Set<number>()
  const read = (page: number, bytes = pageBytes): Buffer => {
    const into = Buffer.alloc(bytes)
    if (page >= pages || readSync(descriptor, into, 0, bytes, page * pageBytes) < bytes) throw new RangeError('behind the end')
    return into
  }
  const list = (leaf: Buffer, node: number): void => {
    const size = leaf.readUInt32LE(node)
    const data = node + nodeBytes + leaf.readUInt16LE(node + 6)
    if (!(leaf.readUInt16LE(node + 4) & isOverflow)) addAll(free, leaf.subarray(data, data + size))
    else addAll(free, read(Number(leaf.readBigUInt64LE(data)), headBytes + size).subarray(headBytes))
  }
  const walk = (page: number, depth: number): void => {
    const bytes = read(page)
    const isInner = (bytes.readUInt16LE(18) & isBranch) !== 0
    for (let left = bytes.readUInt16LE(20) >> 1, at = headBytes; left > 0; left -= 1, at += 2) {
      const node = bytes.readUInt16LE(at) + headBytes
      if (!isInner) list(bytes, node)
      else if (depth < 32) walk(bytes.readUInt32LE(node) + bytes.readUInt16LE(node + 4) * 2 ** 32, depth + 1)
    }
  }
  try {
    if (root !== undefined) walk(root, 0)
    return free
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function addAll(free: Set<number>, list: Buffer): void {
  const count = Number(list.readBigUInt64LE(0))
  for (let index = 1; index <= count; index += 1) {
    const entry = Number(list.readBigInt64LE(index * 8))
    if (entry > 0) free.add(entry)
    if (entry >= 0) continue
    index += 1
    const first = Number(list.readBigInt64LE(index * 8))
    for (let page = first; page < first - entry; page += 1) free.add(page)
  }
}
