import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('clock.c', import.meta.url))

/** Environment for a server whose wall clock is ahead of the system's by as many ms as `file` says; the library for it is compiled into `folder`. */
export function clockEnv(folder, file) {
  const library = join(folder, 'clock.so')
  execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source])
  return { LD_PRELOAD: library, FAULTS_CLOCK: file }
}
