import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnGuarded } from './guarded.mjs'

const lookMs = 20
const tailBytes = 4_000
const wrong = /ERROR|FATAL|^Caused by/

/** One server process, which can be ended in every way and started again. What it prints goes to a file, so that it never waits for us. */
export class ServiceProcess {
  #what
  #child
  #ended

  /**
   * - `id`: its number among its like.
   * - `command`, `args`, `options` for spawn.
   * - `output`: the file for what it prints, anew at each start. `ready`: the words in it that say that it serves.
   * - `logs`: more files whose ends are shown when it does not start.
   * - `startMs`, `stopMs`: how long it may take.
   */
  constructor({ id, name, command, args, options, output, ready, logs = [], startMs = 60_000, stopMs = 10_000 }) {
    this.id = id
    this.#what = { name, command, args, options, output, ready, logs, startMs, stopMs }
  }

  /** Undefined while it does not run. */
  get pid() {
    return this.#child?.pid
  }

  /** Starts it and waits until it serves. */
  async start() {
    if (this.#child !== undefined) throw new Error(`${this.#what.name} runs already`)
    await this.#spawn()
    const until = performance.now() + this.#what.startMs
    while (!read(this.#what.output).includes(this.#what.ready)) {
      if (this.#child === undefined) throw new Error(this.#report('ended before it was ready'))
      if (performance.now() > until) {
        await this.kill()
        throw new Error(this.#report(`was not ready within ${this.#what.startMs / 1_000} s`))
      }
      await sleep(lookMs)
    }
  }

  /** Sends a signal that ends it, and waits until it is gone. */
  async kill(signal = 'SIGKILL') {
    const child = this.#child
    if (child === undefined) return
    child.ref()
    child.kill(signal)
    await this.#ended
  }

  /** Lets it close what it has open; one that takes too long is killed. */
  async stop() {
    if (this.#child === undefined) return
    this.resume()
    const late = setTimeout(() => void this.kill(), this.#what.stopMs)
    await this.kill('SIGTERM')
    clearTimeout(late)
  }

  /** It stands still, with its connections open, until it may go on. */
  pause() {
    this.#child?.kill('SIGSTOP')
  }

  resume() {
    this.#child?.kill('SIGCONT')
  }

  async #spawn() {
    const { command, args, options, output } = this.#what
    mkdirSync(dirname(output), { recursive: true })
    const into = openSync(output, 'w')
    try {
      const child = await spawnGuarded(command, args, { ...options, stdio: ['ignore', into, into] })
      this.#child = child
      this.#ended = new Promise((resolve) => {
        child.once('exit', () => {
          if (this.#child === child) this.#child = undefined
          resolve()
        })
      })
    } finally {
      closeSync(into)
    }
  }

  #report(why) {
    const { name, output, logs } = this.#what
    return [`${name} ${why}`, ...[...logs, output].map((file) => `${file}:\n${digest(read(file))}`)].join('\n')
  }
}

/** The end of a log, and before it what was wrong earlier, which a long farewell may have pushed up. */
function digest(text) {
  const earlier = text.slice(0, -tailBytes).split('\n').filter((line) => wrong.test(line))
  return [...earlier.slice(-10), text.slice(-tailBytes)].join('\n')
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
