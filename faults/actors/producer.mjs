import { messageHold } from 'millrace/engine'
import { setTimeout as pause } from 'node:timers/promises'
import { hash } from '../random.mjs'
import { sentBefore } from './journal.mjs'
import { decide, factsOf, partitionOf, publish, sumOf, valueOf } from './sending.mjs'

/**
 * Sends, with keys whose sequences grow, delays, and transactions that it commits, rolls back or leaves to its checker. Its history is its outbox: when
 * it is started again it sends what has no answer once more, under the same ids.
 *
 * Options: `topic`, `partitions`; `keys`, `batch` (messages of a call at most), `lanes` (calls at once), `pauseMs` (between calls, at most); `delayed`,
 * `prepared`: shares of all; `delayMs`: [least, most]; `left`: share of transactions that its checker decides, first asked after `askMs`; `limit`: sends so many and rests;
 * `poison`: `{ share, how: [...], attempts }`.
 */
const defaults = { keys: 12, batch: 16, lanes: 2, pauseMs: 40, delayed: 0.05, delayMs: [50, 1_500], prepared: 0.04, left: 0.15, askMs: 700, dedup: true, limit: Infinity }

export async function play(part) {
  const engine = await part.adapter.open(part)
  const producer = new Producer(part, engine)
  await producer.begin()
  return {
    /** Sends no more; answers when nothing is under way. */
    rest: () => producer.rest(),
    /** Sends so many delayed messages, due within `spanMs` from a time on. */
    schedule: (count, dueFrom, spanMs) => producer.schedule(count, dueFrom, spanMs),
    /** Ends itself at this place of its next transaction: preparing, prepared, deciding. */
    die: (at) => producer.dieAt(at),
    end: async () => {
      await producer.rest()
      await engine.close()
    },
  }
}

class Producer {
  #part
  #options
  #engine
  #sequences = new Map()
  #outbox = []
  #sent = 0
  #transactions = 0
  #isResting = false
  #diesAt
  #work

  constructor(part, engine) {
    this.#part = part
    const { dedup, ...options } = { ...defaults, ...part.options }
    this.#options = { ...options, dedup: dedup && engine.traits.dedup }
    this.#engine = engine
  }

  async begin() {
    const { sequences, unanswered } = sentBefore(this.#part)
    this.#sequences = sequences
    this.#outbox = unanswered
    await this.#engine.keep({ answers: new Map([[this.#group, (held) => this.#check(held)]]) })
    this.#work = Promise.all(Array.from({ length: this.#options.lanes }, (_, lane) => this.#run(lane)))
  }

  rest() {
    this.#isResting = true
    return this.#work
  }

  dieAt(place) {
    this.#diesAt = place
  }

  async schedule(count, dueFrom, spanMs) {
    for (let left = count; left > 0; left -= 1_000) {
      const batch = Array.from({ length: Math.min(left, 1_000) }, () => ({ ...this.#fresh(0), due: dueFrom + this.#part.random.between(0, spanMs - 1) }))
      await this.#send(batch)
    }
  }

  get #group() {
    return `of-${this.#part.name}`
  }

  async #run(lane) {
    const { random } = this.#part
    const { pauseMs, prepared, limit } = this.#options
    while (!this.#isResting && this.#sent < limit) {
      const resent = lane === 0 ? this.#outbox.splice(0, 100) : []
      const error = resent.length > 0 ? await this.#send(resent) : random.chance(prepared) || this.#diesAt !== undefined ? await this.#transact(lane) : await this.#send(this.#next(lane))
      await pause(error ? 100 : random.between(0, pauseMs))
    }
  }

  /** Facts of new messages; keys of a lane are its own, so that one call ends before the next of its key. */
  #next(lane) {
    const { random } = this.#part
    const { batch, delayed, delayMs, poison } = this.#options
    return Array.from({ length: random.between(1, batch) }, () => {
      const facts = this.#fresh(lane)
      if (random.chance(delayed)) facts.due = Date.now() + random.between(...delayMs)
      else if (poison && random.chance(poison.share)) Object.assign(facts, { poison: random.pick(poison.how), attempts: poison.attempts })
      return facts
    })
  }

  #fresh(lane) {
    const { name, random } = this.#part
    const { keys, lanes, topic, dedup } = this.#options
    const key = `${name}-${random.between(0, Math.floor(keys / lanes) - 1) * lanes + lane}`
    const sequence = (this.#sequences.get(key) ?? 0) + 1
    this.#sequences.set(key, sequence)
    return { topic, id: `${key}-${sequence}`, key, sequence, ...(dedup ? { dedup } : {}) }
  }

  async #send(batch) {
    this.#sent += batch.length
    const entries = batch.map((facts) => this.#entry('send', facts, facts.due === undefined ? undefined : { why: 'delay', until: facts.due, then: 'release', attempt: 0 }))
    const { unknown, error } = await publish({ engine: this.#engine, recorder: this.#part.recorder }, entries)
    this.#outbox.push(...unknown.map((index) => batch[index]))
    return error
  }

  #entry(op, { topic, id, key, sequence, ...more }, hold) {
    const value = valueOf({ key, sequence, poison: more.poison, transaction: more.transaction }, hash(id) % 200)
    const partition = partitionOf(key, this.#options.partitions)
    const draft = { id, topic, partition, key, value, headers: [], timestamp: Date.now(), producerId: this.#part.name, ...(hold ? { hold } : {}), ...(more.dedup ? { dedup: { id, windowMs: 3_600_000 } } : {}) }
    return { op, draft, facts: { sequence, sum: sumOf(value), ...more } }
  }

  async #transact(lane) {
    const { askMs } = this.#options
    const { random, process: name, recorder } = this.#part
    const transaction = `${name}-t${(this.#transactions += 1)}`
    const parts = Array.from({ length: random.between(1, 3) }, () => ({ ...this.#fresh(lane), transaction, dedup: undefined }))
    this.#sent += parts.length
    const until = Date.now() + askMs
    const hold = { why: 'prepared', until, then: { ask: this.#group, checks: 20, everyMs: Math.min(500, askMs), parkAt: until + 60_000 }, attempt: 0 }
    const preparing = publish({ engine: this.#engine, recorder }, parts.map((facts) => this.#entry('prepare', facts, hold)))
    await this.#dieIn('preparing', preparing)
    const { receipts, error } = await preparing
    await this.#dieIn('prepared')
    await pause(random.between(0, 20))
    const is = decisionOf(transaction)
    if (this.#diesAt === undefined && random.chance(this.#options.left)) return error
    const entries = parts.filter((_, index) => receipts[index]).map(({ topic, id }) => ({ op: is, facts: { topic, id }, decision: { hold: messageHold(topic, id), to: is === 'commit' ? 'release' : 'drop' } }))
    const deciding = decide({ engine: this.#engine, recorder }, entries)
    await this.#dieIn('deciding', deciding)
    await deciding
    return error
  }

  /** A moment after the call has begun, or as it is answered. */
  async #dieIn(place, call) {
    if (this.#diesAt !== place) return
    if (call) await Promise.race([call, pause(this.#part.random.between(0, 3))])
    process.kill(process.pid, 'SIGKILL')
  }

  /** The name of the transaction stands in for the database that knows what became of it: every process of this producer says the same. */
  async #check({ message: { topic, id, value } }) {
    const { recorder, random } = this.#part
    const is = random.chance(0.2) ? 'unknown' : decisionOf(factsOf(value).transaction)
    recorder.record('checkback', { topic, id, is })
    return is
  }
}

function decisionOf(transaction) {
  return hash(transaction) % 4 === 0 ? 'rollback' : 'commit'
}
