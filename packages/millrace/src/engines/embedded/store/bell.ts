import { closeSync, type FSWatcher, openSync, watch, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Wakes the other processes of a store without polling: who has news writes a byte, and the system tells who watches. */
export class Bell {
  readonly #file: number
  readonly #watcher: FSWatcher

  constructor(path: string, onRing: () => void) {
    const file = join(path, 'bell')
    closeSync(openSync(file, 'a'))
    this.#file = openSync(file, 'r+')
    this.#watcher = watch(file, { persistent: false }, onRing)
    // A watch that breaks costs the wake-up, not the message: the safety look finds it.
    this.#watcher.on('error', () => this.#watcher.close())
  }

  ring(): void {
    try {
      writeSync(this.#file, '.', 0)
    } catch {
      // On a full disk the others find the news at their safety look; what was committed must not fail for it.
    }
  }

  close(): void {
    this.#watcher.close()
    closeSync(this.#file)
  }
}
