import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readSync, realpathSync, writeFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('shim.c', import.meta.url))

/** Why there can be no shim on this host; undefined where there can. */
export function noShim() {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'it needs a C compiler, and there is no gcc here'
  }
}

/** Compiles the shim into a folder. */
export function buildShim(folder) {
  const library = join(folder, 'shim.so')
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'])
  return library
}

/** Environment for a process that writes the store in `folder` through the shim. `boot` is a file with what it takes for the host's boot id. */
export function shimmed(library, { folder, log, control, boot }) {
  return {
    LD_PRELOAD: library,
    FAULTS_FOLDER: realFolder(folder),
    ...(log === undefined ? {} : { FAULTS_LOG: log }),
    ...(control === undefined ? {} : { FAULTS_CONTROL: control.path }),
    ...(boot === undefined ? {} : { FAULTS_BOOT: boot }),
  }
}

/** The folder may not be there yet. */
function realFolder(folder) {
  return join(realpathSync(dirname(folder)), basename(folder))
}

/** Where a process is killed, seen from a step: before it, in the middle of its bytes, after it. */
export const phases = ['before', 'half', 'after']

/** In what: `killedIn` is a place in this list. The head of a store is what a commit writes last, and waits for. */
export const steps = [undefined, 'a write', 'the write of the head', 'a sync', 'naming a new file']

/** As `struct control` in shim.c. Rates of failing are per million, and `failuresLeft` ends them. */
const fields = [
  'steps', 'killAt', 'killPhase', 'failWrites', 'failSyncs', 'failDurables', 'error', 'random',
  'writes', 'syncs', 'durables', 'failedWrites', 'failedSyncs', 'failedDurables', 'killedAt', 'failuresLeft', 'killedIn',
]

/** What the shim is told and what it counts: a file that the processes have mapped. */
export class Control {
  #descriptor

  constructor(path, settings = {}) {
    this.path = path
    writeFileSync(path, Buffer.alloc(0))
    this.#descriptor = openSync(path, 'r+')
    ftruncateSync(this.#descriptor, 4_096)
    this.set({ error: 5, ...settings })
  }

  set(settings) {
    for (const [name, value] of Object.entries(settings)) {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64LE(BigInt(value))
      writeSync(this.#descriptor, bytes, 0, 8, fields.indexOf(name) * 8)
    }
  }

  read() {
    const bytes = Buffer.alloc(fields.length * 8)
    readSync(this.#descriptor, bytes, 0, bytes.length, 0)
    return Object.fromEntries(fields.map((name, index) => [name, Number(bytes.readBigUInt64LE(index * 8))]))
  }

  close() {
    closeSync(this.#descriptor)
  }
}
