import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('synced.c', import.meta.url))

/** What a loss of power leaves of a server's files that only grow: of each what was synced, and more only by chance. */
export class Synced {
  #log
  #library

  /** Compiles the library that watches the server into `folder`. */
  constructor(folder, name = 'synced') {
    this.#library = join(folder, `${name}.so`)
    this.#log = join(folder, `${name}.log`)
    execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', this.#library, source])
  }

  /** For the server's process. */
  get env() {
    return { LD_PRELOAD: this.#library, FAULTS_SYNCED: this.#log }
  }

  /**
   * Cuts the files in `folder`, whose process is dead, to what was synced and, where `random` has it so, a part of the rest: with it the last record is torn. Names are
   * taken for written. Answers how many bytes went.
   */
  cut(folder, random) {
    const sizes = this.#sizes()
    let bytes = 0
    for (const file of readdirSync(folder, { recursive: true }).map((name) => join(folder, name))) {
      const { ino, size, isFile } = factsOf(file)
      if (!isFile) continue
      const synced = Math.min(size, sizes.get(String(ino)) ?? 0)
      const left = random.chance(0.5) ? synced : random.between(synced, size)
      truncateSync(file, left)
      bytes += size - left
    }
    return bytes
  }

  #sizes() {
    const lines = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(0, -1) : []
    return new Map(lines.map((line) => line.split(' ')).map(([inode, size]) => [inode, Number(size)]))
  }
}

function factsOf(file) {
  const stat = statSync(file, { bigint: true })
  return { ino: stat.ino, size: Number(stat.size), isFile: stat.isFile() }
}
