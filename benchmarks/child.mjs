import { fork } from 'node:child_process'
import { once } from 'node:events'

const programs = {
  delays: new URL('./programs/delays.mjs', import.meta.url),
  flow: new URL('./programs/flow.mjs', import.meta.url),
  load: new URL('./programs/load.mjs', import.meta.url),
  server: new URL('./programs/server.mjs', import.meta.url),
  worker: new URL('./programs/worker.mjs', import.meta.url),
}

/** Another process, and a way to call its verbs. */
export class Child {
  #process
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map()
  #calls = 0
  /** @type {Promise<unknown>} */
  exited

  /** @param {keyof typeof programs} program */
  constructor(program) {
    this.#process = fork(programs[program], { serialization: 'advanced', execArgv: ['--expose-gc'] })
    this.exited = once(this.#process, 'exit').then(([code, signal]) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${program} ended with ${signal ?? code}`))
      this.#pending.clear()
    })
    this.#process.on('message', ({ call, ok, error }) => {
      const pending = this.#pending.get(call)
      this.#pending.delete(call)
      if (error === undefined) pending?.resolve(ok)
      else pending?.reject(new Error(`${program}: ${error}`))
    })
  }

  /** @param {string} verb @param {...unknown} args @returns {Promise<any>} */
  call(verb, ...args) {
    const call = (this.#calls += 1)
    this.#process.send({ call, verb, args })
    return new Promise((resolve, reject) => this.#pending.set(call, { resolve, reject }))
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#process.kill(signal)
  }

  /** Ends it; what it is asked now is not answered. @param {NodeJS.Signals} [signal] */
  async end(signal = 'SIGKILL') {
    this.#process.kill(signal)
    await this.exited
  }
}

/** The child's side: runs what its parent calls, and ends with it. @param {Record<string, (...args: any[]) => unknown>} verbs */
export function answerCalls(verbs) {
  const answer = async (/** @type {{ call: number, verb: string, args: unknown[] }} */ { call, verb, args }) => {
    try {
      process.send?.({ call, ok: await verbs[verb]?.(...args) })
    } catch (error) {
      process.send?.({ call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  process.on('message', (/** @type {any} */ ask) => void answer(ask))
  process.on('disconnect', () => process.exit())
}
