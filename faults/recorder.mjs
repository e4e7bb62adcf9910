import { closeSync, openSync, writeSync } from 'node:fs'
import { historyFile } from './history.mjs'

/**
 * What one process writes of a history. Each line is handed to the kernel before the call returns, so that a process that
 * is killed loses nothing that it has written. Keep the folder on a disk that the faults leave alone.
 */
export class Recorder {
  #descriptor
  #process
  #calls = 0
  #gathered

  /** `process` is unique in the run: a process that is started again takes a new name. Throws when the file is there. */
  constructor(folder, process) {
    this.#process = process
    this.#descriptor = openSync(historyFile(folder, process), 'ax')
  }

  /** Microseconds of the clock that the processes of this host share: for `asked`. */
  now() {
    return Number(process.hrtime.bigint() / 1_000n)
  }

  record(kind, fields) {
    const line = `${JSON.stringify({ at: this.now(), wall: Date.now(), process: this.#process, kind, ...fields })}\n`
    if (this.#gathered) this.#gathered.push(line)
    else this.#write(line)
  }

  /** Before a call. What it answers ends it: `ok(fields)`, `fail(error)`, `info(error)`; an error's `code` is kept, a string is one. */
  invoke(op, fields) {
    const call = (this.#calls += 1)
    this.record('invoke', { op, call, ...fields })
    return {
      ok: (answer = {}) => this.record('ok', { call, ...answer }),
      fail: (error) => this.record('fail', { call, code: codeOf(error) }),
      info: (error) => this.record('info', { call, code: codeOf(error) }),
    }
  }

  /** Whatever `work` (which is synchronous) records is written at its end, at once: for batches. Answers what `work` does. */
  together(work) {
    if (this.#gathered) return work()
    this.#gathered = []
    try {
      return work()
    } finally {
      const text = this.#gathered.join('')
      this.#gathered = undefined
      this.#write(text)
    }
  }

  close() {
    closeSync(this.#descriptor)
  }

  #write(text) {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written)
  }
}

function codeOf(error) {
  return typeof error === 'string' ? error : String(error?.code ?? error?.name ?? error)
}
