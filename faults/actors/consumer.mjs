import { setTimeout as pause } from 'node:timers/promises'
import { factsOf, sumOf } from './sending.mjs'
import { placeOf, settle } from './watched.mjs'

/**
 * A member of a group: leases, takes its time, and gives verdicts, mostly done, some of the others. It joins anew, as another member, when its
 * membership has lapsed.
 *
 * Options: `topic`, `group`, `leaseMs`; `max` (messages of a lease), `workMs` (its handler takes, at most, for a whole lease); `retry`, `dead`, `back`: shares of
 * verdicts; `retryMs`: [least, most]; `park`, `maxDeliveries`, `drainMs` as in a join.
 */
const defaults = { leaseMs: 2_000, max: 64, workMs: 12, retry: 0.03, dead: 0.01, back: 0.01, retryMs: [30, 600], park: false, maxDeliveries: 3, drainMs: 5_000, from: 'start' }
const maxAttempts = 4

export async function play(part) {
  const engine = await part.adapter.open(part)
  const consumer = new Consumer(part, engine)
  await consumer.begin()
  return {
    /** Ends itself inside the handler of its next messages, some of them answered. */
    die: () => consumer.next('die'),
    /** Answers from inside the handler of its next messages, and stays there until it is told `goOn`, which says what became of its late verdicts. */
    hold: () => consumer.hold(),
    goOn: () => consumer.goOn(),
    /** As a handler that computes: this thread is busy. */
    block: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    /** How many verdicts were taken. */
    settled: () => consumer.settled,
    rest: () => undefined,
    end: async () => {
      await consumer.end()
      await engine.close()
    },
  }
}

class Consumer {
  settled = 0
  #part
  #options
  #engine
  #member
  #membership
  #joins = 0
  #next
  #holding
  #going
  #late
  #handling
  #hasLapsed = false
  #isEnding = false
  #work

  constructor(part, engine) {
    this.#part = part
    this.#options = { ...defaults, ...part.options }
    this.#engine = engine
  }

  async begin() {
    await this.#engine.keep({ answers: new Map() })
    await this.#join()
    this.#work = this.#run()
  }

  next(what) {
    this.#next = what
  }

  hold() {
    this.#next = 'hold'
    return new Promise((resolve) => {
      this.#holding = resolve
    })
  }

  /** How many verdicts of each outcome. */
  goOn() {
    return new Promise((resolve) => {
      this.#late = resolve
      this.#going()
    })
  }

  async end() {
    this.#isEnding = true
    await this.#work
    const { topic, group } = this.#options
    this.#part.recorder.record('member', { topic, group, member: this.#member, what: 'leaving' })
    await this.#membership.leave()
  }

  async #join() {
    const { topic, group, leaseMs, drainMs, maxDeliveries, park, from } = this.#options
    const member = `${this.#part.process}-${(this.#joins += 1)}`
    const revoke = async (partitions, signal) => {
      await this.#inHand(signal)
      if (signal.aborted) return
      this.#part.recorder.record('member', { topic, group, member, what: 'revoked', partitions: [...partitions] })
    }
    this.#membership = await this.#engine.join({ topic, group, member, mode: 'share', from, leaseMs, stallMs: 60_000, drainMs, maxDeliveries, park, revoke })
    this.#member = member
    this.#hasLapsed = false
  }

  /** Waits until what is in hand has its verdicts, or the signal says that it is too late. */
  #inHand(signal) {
    const tooLate = new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', resolve)))
    return Promise.race([this.#handling, tooLate])
  }

  async #run() {
    while (!this.#isEnding) {
      try {
        if (this.#hasLapsed) await this.#join()
        await this.#round()
      } catch (error) {
        if (error.code === 'LAPSED') this.#hasLapsed = true
        else await this.#trouble(error)
      }
    }
  }

  /** What cannot be leased now may be later: a full disk, a store that another process holds. */
  async #trouble(error) {
    this.#part.say('trouble', { code: error.code ?? error.name, message: error.message })
    if (error.code === 'CLOSED' || error.code === 'ENGINE_FAILED') throw error
    await pause(100)
  }

  async #round() {
    const { recorder } = this.#part
    const asked = recorder.now()
    const leased = await this.#membership.lease({ max: this.#options.max, waitMs: 200 })
    if (leased.length === 0) return
    this.#handling = this.#finish(leased, asked)
    await this.#handling
  }

  async #finish(leased, asked) {
    const { recorder } = this.#part
    recorder.together(() => leased.forEach((delivery) => recorder.record('delivered', { ...this.#about, ...placeOf(delivery), ...seen(delivery), attempt: delivery.attempt, asked })))
    const verdicts = await this.#handle(leased)
    const outcomes = await this.#settle(verdicts)
    if (this.#late === undefined) return
    this.#late(countOf(outcomes))
    this.#late = undefined
  }

  async #handle(leased) {
    const { random } = this.#part
    if (this.#options.workMs > 0) await pause(random.between(0, this.#options.workMs))
    const verdicts = leased.map((delivery) => this.#verdict(delivery))
    const next = this.#next
    this.#next = undefined
    if (next === 'die') await this.#die(verdicts)
    if (next === 'hold') {
      await new Promise((resolve) => {
        this.#going = resolve
        this.#holding(leased.length)
      })
    }
    return verdicts
  }

  /** Some verdicts are stored, some may be, some are not. */
  async #die(verdicts) {
    const { random } = this.#part
    await this.#settle(verdicts.splice(0, random.between(0, verdicts.length)))
    if (random.chance(0.5)) void this.#settle(verdicts)
    if (random.chance(0.5)) await pause(random.between(0, 3))
    process.kill(process.pid, 'SIGKILL')
  }

  #verdict(delivery) {
    const { random } = this.#part
    const { retry, dead, back, group, retryMs } = this.#options
    const { attempt } = delivery
    const failure = { reason: 'it was its turn', kind: 'CHANCE', firstAt: Date.now(), lastAt: Date.now() }
    const drawn = random.next()
    if (drawn < retry && attempt < maxAttempts) return { delivery, is: 'hold', hold: { why: 'retry', until: Date.now() + random.between(...retryMs), then: 'release', group, attempt, failure } }
    if (drawn >= retry && drawn < retry + dead) return { delivery, is: 'hold', hold: { why: 'dead', until: 'decided', then: 'release', group, attempt, failure } }
    if (drawn >= retry + dead && drawn < retry + dead + back) return { delivery, is: 'back' }
    return { delivery, is: 'done' }
  }

  async #settle(verdicts) {
    const outcomes = await settle(this.#membership, this.#part.recorder, this.#about, verdicts)
    this.settled += outcomes.filter((outcome) => outcome === 'settled').length
    return outcomes
  }

  get #about() {
    return { group: this.#options.group, member: this.#member }
  }
}

function seen({ message: { key, value } }) {
  return { key, sequence: factsOf(value).sequence, sum: sumOf(value) }
}

function countOf(words) {
  const counts = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
