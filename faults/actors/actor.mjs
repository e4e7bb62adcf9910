import { fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

const program = new URL('./process.mjs', import.meta.url)

/** Whoever still runs when the runner ends, ends with it: one that is stopped would not notice. */
const living = new Set()
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')))

/**
 * The runner's side of one part in a run: a process, and, after it has ended, the next one that plays the same part. Each process
 * has a name of its own, `producer-1.2` for the second. What it prints goes to a log beside the history.
 */
export class Actor {
  /** The process that plays it now. */
  #child
  #calls = 0
  #waiting = new Map()
  #heard = []
  #exited
  #isExpected = false
  generation = 0

  /** `onExit(actor, how)` hears of an end that nobody asked for. */
  constructor({ name, role, options = {}, run, env = {}, execArgv = [], execPath = process.execPath, revives = false, onExit }) {
    Object.assign(this, { name, role, options, run, env, execArgv, execPath, revives, onExit })
  }

  get process() {
    return `${this.name}.${this.generation}`
  }

  get isAlive() {
    return this.#child !== undefined
  }

  get pid() {
    return this.#child?.pid
  }

  /** Starts a process and waits until it is ready. `env` and `execArgv` are for this process only. */
  async start({ env = {}, execArgv = [] } = {}) {
    this.generation += 1
    this.#isExpected = false
    const log = openSync(join(this.run.folder, 'logs', `${this.process}.log`), 'a')
    const part = { ...this.run, name: this.name, process: this.process, generation: this.generation, role: this.role, options: this.options }
    const child = fork(program, [JSON.stringify(part)], {
      env: { ...process.env, ...this.env, ...env },
      execArgv: [...this.execArgv, ...execArgv],
      execPath: this.execPath,
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    this.#child = child
    living.add(child)
    this.#exited = new Promise((resolve) => {
      // Not 'exit': what it said before its end is heard first.
      child.on('close', (code, signal) => {
        living.delete(child)
        this.#over(code, signal)
        resolve({ code, signal })
      })
    })
    child.on('error', (error) => this.onExit(this, error.message))
    child.on('message', (message) => this.#hear(message))
    await this.said('ready')
  }

  /** Has it do something and answers what it does. Rejects when the process ends before. */
  call(verb, ...args) {
    const call = (this.#calls += 1)
    const answer = this.#wait(`answer ${call}`)
    this.#child?.send({ call, verb, args })
    return answer
  }

  /** The next time it says this word; what it said before and nobody has waited for counts. Rejects when the process ends before. */
  said(word) {
    const index = this.#heard.findIndex((message) => message.say === word)
    if (index !== -1) return Promise.resolve(this.#heard.splice(index, 1)[0].with)
    return this.#wait(word)
  }

  pause() {
    return this.#child?.kill('SIGSTOP') ?? false
  }

  goOn() {
    return this.#child?.kill('SIGCONT') ?? false
  }

  /** Ends it as a power switch would. False when it had ended before. */
  async kill() {
    this.expectEnd()
    const wasAlive = this.#child?.kill('SIGKILL') ?? false
    const ended = await this.#exited
    return wasAlive && ended.signal === 'SIGKILL'
  }

  /** From now on its end is no trouble. */
  expectEnd() {
    this.#isExpected = true
  }

  /** How it ended, once it has. */
  get exited() {
    return this.#exited
  }

  /** Lets it finish what it has in hand and end by itself; kills it when it takes longer than `withinMs`. True when it came to its end in time. */
  async end(withinMs = 10_000) {
    if (!this.isAlive) return true
    this.expectEnd()
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), withinMs)
    await this.call('end').catch(() => undefined)
    const { code } = await this.#exited
    clearTimeout(timer)
    return code === 0
  }

  #wait(word) {
    if (this.#child === undefined) return Promise.reject(new Error(`${this.process} has ended`))
    return new Promise((resolve, reject) => {
      this.#waiting.set(word, [...(this.#waiting.get(word) ?? []), { resolve, reject }])
    })
  }

  #hear(message) {
    const word = message.say ?? `answer ${message.call}`
    const [first, ...others] = this.#waiting.get(word) ?? []
    if (first === undefined) {
      this.#heard.push(message)
      return
    }
    this.#waiting.set(word, others)
    if (message.error !== undefined) first.reject(new Error(`${this.process}: ${message.error}`))
    else first.resolve(message.say === undefined ? message.ok : message.with)
  }

  #over(code, signal) {
    this.#child = undefined
    this.#heard = []
    const waiting = [...this.#waiting.values()].flat()
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new Error(`${this.process} has ended (${signal ?? code})`))
    if (!this.#isExpected) this.onExit(this, signal ?? `code ${code}`)
  }
}
