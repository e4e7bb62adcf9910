import { setTimeout as sleep } from 'node:timers/promises'
import { Actor } from './actors/actor.mjs'
import { Random } from './random.mjs'

const endMs = 15_000

/** A run as its row sees it: who plays, what happens to them, and for how long. */
export class Stage {
  /** What went wrong with the run itself, in words; a run with one has failed. */
  troubles = []
  /** Lines for people. */
  notes = []
  /** For the checker, on top of the row's: what only the run could say. */
  options = {}
  #actors = new Map()
  #process
  #recorder
  #faults = 0
  #reviving = new Set()
  #until = 0
  #isOver = false

  /** `run` goes to every process: `{ folder, engine, seed, settings }`. `server` is what the engine runs on, where that is one of its own (servers/). */
  constructor({ row, adapter, server, run, seconds, recorder, progress }) {
    Object.assign(this, { row, adapter, server, run, seconds, progress, folder: run.folder, settings: run.settings })
    this.#process = { ...adapter.process, ...row.process?.(run) }
    this.random = new Random(run.seed, row.id, 'runner')
    this.#recorder = recorder
  }

  /** False once the time for faults is over. */
  get lasts() {
    return performance.now() < this.#until
  }

  get leftMs() {
    return Math.max(0, this.#until - performance.now())
  }

  /** A seeded moment. */
  async pause(leastMs, mostMs = leastMs) {
    await sleep(this.random.between(leastMs, mostMs))
  }

  /** Whether a promise comes to something in time; what it rejects with counts as not. */
  async within(ms, promise) {
    const timeUp = new AbortController()
    const late = sleep(ms, false, { signal: timeUp.signal }).catch(() => false)
    const isIn = await Promise.race([promise.then(() => true, () => false), late])
    timeUp.abort()
    return isIn
  }

  record(kind, fields) {
    this.#recorder.record(kind, fields)
  }

  actor(name) {
    return this.#actors.get(name)
  }

  /** Those who play a role. */
  all(role) {
    return [...this.#actors.values()].filter((actor) => actor.role === role)
  }

  /** A part: `{ name, role, options, revive }`. With `revive` it is started again when it ends by itself, and that is a fault of its own. */
  add({ revive = false, ...part }) {
    const onExit = (actor, how) => {
      if (revive && !this.#isOver) this.#revive(actor)
      else this.troubles.push(`${actor.process} ended by itself (${how}): see logs/${actor.process}.log`)
    }
    const actor = new Actor({ ...part, ...this.#process, run: this.run, revives: revive, onExit })
    this.#actors.set(part.name, actor)
    return actor
  }

  /** Makes the topics and starts everybody. */
  async open({ topics, groups, parts }) {
    await this.observe((observer) => observer.call('create', { topics, groups }))
    const actors = parts.map((part) => this.add(part))
    const isProducer = ({ role }) => role === 'producer'
    // Groups take their time to form, which is nobody's delay.
    await Promise.all(actors.filter((actor) => !isProducer(actor)).map((actor) => actor.start()))
    await this.pause(this.adapter.formMs ?? 0)
    await Promise.all(actors.filter(isProducer).map((actor) => actor.start()))
    this.#until = performance.now() + this.seconds * 1_000
  }

  /** A process that looks at the store while `work` lasts. */
  async observe(work) {
    const observer = this.actor('observer') ?? this.add({ name: 'observer', role: 'observer' })
    await observer.start()
    try {
      return await work(observer)
    } finally {
      await observer.end(endMs)
    }
  }

  /**
   * Does something bad: `work` breaks it and mends it, and answers false when it did not come off. `more` are the fault's other fields, as `loses`, `shiftMs` and
   * `damages`; a killed process loses what is in memory.
   */
  async fault(fault, { on, loses = ['memory'], ...more }, work) {
    const number = (this.#faults += 1)
    this.progress(`${fault} ${on ?? ''}`)
    this.record('fault', { fault, number, phase: 'begin', on, loses, ...more })
    let happened = true
    try {
      happened = (await work(number)) ?? true
    } finally {
      this.record('fault', { fault, number, phase: 'end', happened })
    }
    return happened
  }

  /** Kills an actor, lets others see it for a while, and starts it again. */
  async killAndStart(actor, fault, awayMs = [0, 800]) {
    await this.fault(fault, { on: actor.process }, async () => {
      const wasAlive = await actor.kill()
      await this.pause(...awayMs)
      await actor.start()
      return wasAlive
    })
  }

  /** Everybody finishes, the store comes to rest, and what is in it is written down. */
  async close(topics, withinMs) {
    await this.ended('to rest', () => Promise.all([...this.#actors.values()].filter(({ isAlive }) => isAlive).map((actor) => this.#rest(actor))))
    return this.observe(async (observer) => {
      const drain = await observer.call('drained', topics, withinMs)
      this.#isOver = true
      if (drain.elapsedMs === null) this.progress(`it did not come to rest: ${JSON.stringify(drain.left)}`)
      const alive = [...this.#actors.values()].filter((actor) => actor.isAlive && actor !== observer)
      const ends = await Promise.all(alive.map((actor) => actor.end(endMs)))
      alive.forEach((actor, index) => ends[index] || this.troubles.push(`${actor.process} did not end within ${endMs} ms`))
      await observer.call('rest', topics, drain)
      return drain
    })
  }

  /** Kills whoever is left. */
  async clear() {
    this.#isOver = true
    await Promise.all([...this.#actors.values()].filter(({ isAlive }) => isAlive).map((actor) => actor.kill()))
  }

  /** Waits for work that must end, and says so when it does not. */
  async ended(what, work, withinMs = endMs) {
    await Promise.allSettled(this.#reviving)
    const isIn = await this.within(withinMs, work().catch((error) => this.troubles.push(`${what}: ${error.stack ?? error}`)))
    if (!isIn) this.troubles.push(`${what}: not within ${withinMs} ms`)
  }

  /** Who may end at any moment may do so now. */
  async #rest(actor) {
    try {
      await actor.call('rest')
    } catch (error) {
      if (!actor.revives) throw error
    }
  }

  #revive(actor) {
    const reviving = this.fault('exit', { on: actor.process }, async () => {
      await actor.start()
      return true
    }).catch((error) => this.troubles.push(`${actor.name} did not start again: ${error.message}`))
    this.#reviving.add(reviving)
    void reviving.finally(() => this.#reviving.delete(reviving))
  }
}
