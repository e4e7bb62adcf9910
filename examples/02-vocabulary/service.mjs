import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const app = fileURLToPath(new URL('./app.mjs', import.meta.url))

/** app.mjs in a process of its own, which tells how far it is. */
export class Service {
  #process
  #ended
  progress = { sent: 0, duplicates: 0, counted: 0 }

  constructor(...args) {
    this.#process = fork(app, args)
    this.#process.on('message', (progress) => (this.progress = progress))
    this.#ended = once(this.#process, 'exit')
  }

  /** Resolves when it is so far. */
  until(isReached) {
    return new Promise((resolve, reject) => {
      this.#process.on('message', (progress) => isReached(progress) && resolve())
      this.#process.on('exit', (code, signal) => reject(new Error(`the service ended with ${signal ?? code}`)))
    })
  }

  /** Killed, it gets no chance to tidy up; asked to stop (SIGTERM), it ends in good order. */
  async stop(signal) {
    this.#process.kill(signal)
    const [code, killedBy] = await this.#ended
    if (code !== 0 && killedBy !== 'SIGKILL') throw new Error(`the service ended with ${killedBy ?? code} when asked to stop`)
  }
}
