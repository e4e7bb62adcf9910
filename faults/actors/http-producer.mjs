import { setTimeout as pause } from 'node:timers/promises'
import { hash } from '../random.mjs'
import { HttpClient } from './http.mjs'
import { factsOf, partitionOf, sumOf, valueOf } from './sending.mjs'

/**
 * Sends over HTTP, and what got no answer again under the same ids, until it is answered. Options: `topic`, `partitions`, `keys`, `batch`,
 * `pauseMs`, `delayed`, `prepared`, `delayMs`.
 */
export async function play(part) {
  const producer = new HttpProducer(part)
  const work = producer.run()
  return {
    rest: () => {
      producer.isResting = true
      return work
    },
  }
}

class HttpProducer {
  isResting = false
  #part
  #client
  #options
  #sequences = new Map()

  constructor(part) {
    this.#part = part
    this.#client = new HttpClient(part)
    this.#options = { keys: 60, batch: 8, pauseMs: 60, delayed: 0.05, prepared: 0.1, delayMs: [100, 1_500], ...part.options }
  }

  async run() {
    const { random } = this.#part
    while (!this.isResting) {
      if (random.chance(this.#options.prepared)) await this.#transact()
      else await this.#send(Array.from({ length: random.between(1, this.#options.batch) }, () => this.#fresh()))
      await pause(random.between(0, this.#options.pauseMs))
    }
  }

  #fresh() {
    const { name, random } = this.#part
    const key = `${name}-${random.between(0, this.#options.keys - 1)}`
    const sequence = (this.#sequences.get(key) ?? 0) + 1
    this.#sequences.set(key, sequence)
    const due = random.chance(this.#options.delayed) ? { due: Date.now() + random.between(...this.#options.delayMs) } : {}
    return { topic: this.#options.topic, id: `${key}-${sequence}`, key, sequence, dedup: true, ...due }
  }

  /** Until each is answered. What waits for its time is not sent again once somebody holds it. */
  async #send(batch) {
    const { recorder } = this.#part
    for (let left = batch; left.length > 0; ) {
      const calls = recorder.together(() => left.map((facts) => recorder.invoke('send', { ...facts, sum: sumOf(this.#bytes(facts)) })))
      const { data, refusal, lost } = await this.#client.call('/messages/batch', { topicName: this.#options.topic, messages: left.map((facts) => this.#message(facts)) })
      const again = []
      recorder.together(() => left.forEach((facts, index) => {
        const result = data?.results[index]
        if (result && !result.failure) calls[index].ok({ partition: result.partition, offset: result.offset === null ? null : String(result.offset), duplicate: result.duplicate })
        else if (result?.failure.error === 'HELD_ALREADY') calls[index].fail(result.failure.error)
        else {
          if (lost !== undefined) calls[index].info(lost)
          else calls[index].info(refusal ?? result.failure.error)
          again.push(facts)
        }
      }))
      left = again
      if (left.length > 0) await pause(100)
    }
  }

  #message({ due, ...facts }) {
    const delay = due === undefined ? {} : { messageType: 'delay', delayUntil: new Date(due).toISOString() }
    return { ...this.#plain(facts), dedupId: facts.id, dedupWindowMs: 3_600_000, ...delay }
  }

  #plain(facts) {
    const { id, key } = facts
    return { messageId: id, key, partition: partitionOf(key, this.#options.partitions), value: factsOf(this.#bytes(facts)), producerId: this.#part.name }
  }

  #bytes({ id, key, sequence }) {
    return valueOf({ key, sequence }, hash(id) % 200)
  }

  async #transact() {
    const { recorder } = this.#part
    const { due, dedup, ...facts } = this.#fresh()
    const { topic, id } = facts
    const body = { topicName: topic, messageType: 'transaction', producerGroup: this.#part.name, ...this.#plain(facts) }
    if (!(await this.#repeat('/messages', body, () => recorder.invoke('prepare', { ...facts, sum: sumOf(this.#bytes(facts)) })))) return
    const is = hash(id) % 4 === 0 ? 'rollback' : 'commit'
    await this.#repeat(`/transactions/${is}`, { topicName: topic, messageId: id }, () => recorder.invoke(is, { topic, id }))
  }

  /** Calls until it is answered. A refusal after an answer that was lost may be of what has happened. */
  async #repeat(path, body, invoke) {
    for (let isRepeated = false; ; isRepeated = true) {
      const call = invoke()
      const { data, refusal, lost } = await this.#client.call(path, body)
      if (data) call.ok('partition' in data ? { partition: data.partition, offset: null } : {})
      else if (lost !== undefined || isRepeated) call.info(lost ?? refusal)
      else call.fail(refusal)
      if (lost === undefined && !['CLOSED', 'STORE_BUSY'].includes(refusal)) return data !== undefined || isRepeated
      await pause(100)
    }
  }
}
