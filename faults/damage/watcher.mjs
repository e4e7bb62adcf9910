import { fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

const program = new URL('./look.mjs', import.meta.url)

/** Has a process of its own look at stores, and starts the next one when it dies of what it sees. */
export class Watcher {
  #log
  #child

  constructor(log) {
    this.#log = log
  }

  /** What was seen of a store: `{ steps, error?, died? }`, `steps` a map of names to sums. */
  async look(path, withinMs = 10_000) {
    const child = (this.#child ??= this.#start())
    const steps = new Map()
    let error
    let isHung = false
    const died = await new Promise((resolve) => {
      const timer = setTimeout(() => {
        isHung = true
        child.kill('SIGKILL')
      }, withinMs)
      const hear = (message) => {
        if (message.step !== undefined) steps.set(message.step, message.sum)
        else if (message.end) ({ error } = message)
        else end()
      }
      const end = (how) => {
        clearTimeout(timer)
        child.off('message', hear).off('close', over)
        resolve(how)
      }
      const over = (code, signal) => end(isHung ? 'hung' : (signal ?? `code ${code}`))
      child.on('message', hear).on('close', over)
      child.send(path)
    })
    if (died !== undefined) this.#child = undefined
    return { steps, error, died }
  }

  end() {
    this.#child?.kill('SIGKILL')
  }

  #start() {
    const log = openSync(this.#log, 'a')
    const child = fork(program, { stdio: ['ignore', log, log, 'ipc'] })
    closeSync(log)
    child.on('error', () => undefined)
    return child
  }
}
