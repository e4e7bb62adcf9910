import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Finding, bytes, notice, ok, span, wrong } from './finding.js'
import { type ReadText, readText } from './machine.js'

export interface FileSystem {
  /** `f_type` of statfs(2). */
  readonly type: number
  readonly freeBytes: number
  readonly totalBytes: number
  /** Of the mount, by commas. */
  readonly options: string
}

/** Magic numbers of statfs(2). */
const inMemory: ReadonlyMap<number, string> = new Map([[0x01021994, 'tmpfs'], [0x858458f6, 'ramfs']])
const onNetwork: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'], [0xff534d42, 'cifs'], [0xfe534d42, 'smb2'], [0x517b, 'smb'], [0x01021997, '9p'], [0x00c36400, 'ceph'], [0x5346414f, 'afs'], [0x47504653, 'gpfs'], [0x0bd00bd0, 'lustre'],
])
const overlay = 0x794c7630
const fuse = 0x65735546
const known: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'], [0x58465342, 'xfs'], [0x9123683e, 'btrfs'], [0x2fc12fc1, 'zfs'], [0xf2f52010, 'f2fs'], [overlay, 'overlay'], [fuse, 'fuse'],
])

/** What lies under a path, or under the nearest folder above it that is there. */
export async function fileSystem(path: string, read: ReadText = readText): Promise<FileSystem> {
  const folder = nearest(resolve(path))
  const { type, bavail, blocks, bsize } = await statfs(folder)
  return { type: type >>> 0, freeBytes: bavail * bsize, totalBytes: blocks * bsize, options: mountOptions(folder, read('/proc/self/mountinfo') ?? '') }
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path))
}

/** Options of the mount and of its file system, of the mount point with the longest path. */
export function mountOptions(folder: string, mountInfo: string): string {
  const mounts = mountInfo.split('\n').flatMap((line) => {
    const [own = '', own2 = ''] = line.split(' - ')
    const fields = own.split(' ')
    const point = fields[4]?.replaceAll(String.raw`\040`, ' ')
    return point !== undefined && (folder === point || folder.startsWith(point.endsWith('/') ? point : `${point}/`)) ? [{ point, options: `${fields[5]},${own2.split(' ')[2]}` }] : []
  })
  return mounts.toSorted((one, other) => other.point.length - one.point.length)[0]?.options ?? ''
}

export function judgeKind({ type, options }: FileSystem): Finding {
  const memory = inMemory.get(type)
  const network = onNetwork.get(type)
  const swallowed = /(^|,)(volatile|nobarrier|barrier=0)(,|$)/.exec(options)?.[2]
  if (memory !== undefined) return wrong('file system', `the store lies in memory (${memory})`, 'every message is gone when the machine restarts; fsync does nothing here', 'put it on a disk: serve --data, or engine.path')
  if (network !== undefined) return wrong('file system', `the store lies on a network file system (${network})`, 'LMDB maps its file and locks it for one host: it can be damaged here', 'put it on a local disk')
  if (swallowed !== undefined) return wrong('file system', `its mount has the option ${swallowed}`, 'fsync is answered before the disk has the data: a power loss loses messages that were acknowledged', 'mount it without')
  if (type === overlay) return notice('file system', 'the store lies in the layer of a container (overlay)', 'it is gone when the container is removed', 'mount a volume there')
  if (type === fuse) return notice('file system', 'the store lies on a file system of a program (fuse)', 'whether fsync and locks work depends on that program', 'put it on a local disk, unless you know that it does')
  return ok('file system', `${known.get(type) ?? `type 0x${type.toString(16)}`}, on this machine`)
}

/** At the first new messages may be refused any moment; below the second it is time to look. */
const leastFree = 256e6
const lowFree = 20e9

export function judgeSpace({ freeBytes, totalBytes }: FileSystem): Finding {
  const says = `${bytes(freeBytes)} of ${bytes(totalBytes)} are free`
  const means = 'sending is refused with STORE_FULL when there is none; what is stored stays'
  const todo = 'make room, or shorten the retention of large topics (topics alter --retention)'
  if (freeBytes < leastFree) return wrong('space', says, means, todo)
  return freeBytes < lowFree && freeBytes < totalBytes * 0.05 ? notice('space', says, means, todo) : ok('space', says)
}

/** What no disk can: some program or setting answers in its place. */
const impossibleMs = 0.01
const slowMs = 50

/** Writes and syncs a small file of its own, a few times. */
export function judgeSync(folder: string): Finding {
  const file = join(folder, `.doctor-${process.pid}`)
  const times: number[] = []
  try {
    const descriptor = openSync(file, 'w')
    try {
      for (let turn = 0; turn < 9; turn += 1) {
        writeSync(descriptor, Buffer.alloc(4_096, turn), 0, 4_096, 0)
        const begun = performance.now()
        fdatasyncSync(descriptor)
        times.push(performance.now() - begun)
      }
    } finally {
      closeSync(descriptor)
      rmSync(file, { force: true })
    }
  } catch (error) {
    return wrong('fsync', `a file in ${folder} cannot be written and synced: ${error instanceof Error ? error.message : String(error)}`, 'no message can be stored', 'let this user write there, or make room')
  }
  return judgeSyncTimes(times)
}

export function judgeSyncTimes(times: readonly number[]): Finding {
  const middle = times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0
  const says = `${span(middle)} until a write is on disk`
  if (middle < impossibleMs) return wrong('fsync', says, 'nothing is written in that time: a power loss loses messages that were acknowledged', 'look for eatmydata, a volatile mount, or a disk in memory')
  if (middle > slowMs) return notice('fsync', says, 'each commit takes so long: a caller that sends one by one gets no further', 'send in batches, or choose a faster disk')
  return ok('fsync', says)
}
