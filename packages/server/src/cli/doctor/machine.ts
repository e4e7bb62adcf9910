import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getHeapStatistics } from 'node:v8'
import { type Finding, bytes, notice, ok, wrong } from './finding.js'

/** The text of a file of the system; undefined where there is none. */
export type ReadText = (path: string) => string | undefined

export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The oldest that package.json allows. */
const oldestNode = [20, 19] as const

export function node(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return ok('node', `Node ${version}`)
  return wrong('node', `Node ${version}`, `Millrace is made for ${oldestNode.join('.')} and later`, 'install a newer Node')
}

/** Below this a server with a full send buffer has too little. */
const leastMemory = 256e6

export function memory(read: ReadText = readText, heapLimit = getHeapStatistics().heap_size_limit): Finding {
  const group = memoryGroup(read)
  if (!group) return ok('memory', 'no limit is set for this process')
  const { limit, used } = group
  const says = `${bytes(used)} of ${bytes(limit)} are used in this container or unit`
  if (used > limit * 0.9) return wrong('memory', says, 'the kernel ends a process that asks for more', 'raise the limit, or run less beside it')
  if (limit < leastMemory) return notice('memory', says, 'the send buffer of one process alone may take 64 MB', `raise the limit to ${bytes(leastMemory)} or more`)
  if (heapLimit <= limit) return ok('memory', says)
  return notice('memory', `${says}, and Node would take ${bytes(heapLimit)} for its heap`, 'the kernel ends it before Node collects its garbage', `start it with NODE_OPTIONS=--max-old-space-size=${Math.floor((limit * 0.7) / 2 ** 20)}`)
}

/** The tightest limit on the way from this process to the root: version 2 of cgroups, else version 1. */
function memoryGroup(read: ReadText): { readonly limit: number; readonly used: number } | undefined {
  const own = /^0::(.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  const folders = ancestors(own).map((path) => join('/sys/fs/cgroup', path))
  const groups = [
    ...folders.map((folder) => [read(join(folder, 'memory.max')), read(join(folder, 'memory.current'))] as const),
    [read('/sys/fs/cgroup/memory/memory.limit_in_bytes'), read('/sys/fs/cgroup/memory/memory.usage_in_bytes')] as const,
  ].map(([limit, used]) => ({ limit: Number(limit ?? Number.NaN), used: Number(used ?? 0) }))
  // Version 1 writes no limit as a very large number, version 2 as a word.
  return groups.filter(({ limit }) => limit < 2 ** 60).toSorted((one, other) => one.limit - other.limit)[0]
}

function ancestors(path: string): string[] {
  const above = dirname(path)
  return above === path ? [path] : [path, ...ancestors(above)]
}
