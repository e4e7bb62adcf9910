import { setTimeout as pause } from 'node:timers/promises'
import { partitionOf, sumOf, valueOf } from '../../actors/sending.mjs'
import { hash } from '../../random.mjs'

/**
 * Sends, with keys whose sequences grow. What was not answered well may be stored or not: it is not sent again.
 *
 * Options: `topic`, `partitions`, `keys`, `batch` (messages of a call at most), `lanes` (calls at once), `pauseMs` (between calls, at most).
 */
export async function play(part) {
  const client = await part.adapter.rival.open(part)
  const producer = new Producer(part, client)
  const work = producer.run()
  return {
    rest: () => {
      producer.isResting = true
      return work
    },
    end: async () => {
      producer.isResting = true
      await work
      await client.close()
    },
  }
}

class Producer {
  isResting = false
  #part
  #client
  #options
  #sequences = new Map()

  constructor(part, client) {
    this.#part = part
    this.#client = client
    this.#options = { lanes: 2, ...part.options }
  }

  run() {
    return Promise.all(Array.from({ length: this.#options.lanes }, (_, lane) => this.#lane(lane)))
  }

  async #lane(lane) {
    const { random } = this.#part
    const { batch, pauseMs } = this.#options
    while (!this.isResting) {
      await this.#send(Array.from({ length: random.between(1, batch) }, () => this.#next(lane)))
      await pause(random.between(0, pauseMs))
    }
  }

  /** Keys of a lane are its own, so that one call ends before the next of its key. */
  #next(lane) {
    const { process: name, random } = this.#part
    const { keys, lanes, partitions } = this.#options
    const key = `${name}-${random.between(0, Math.floor(keys / lanes) - 1) * lanes + lane}`
    const sequence = (this.#sequences.get(key) ?? 0) + 1
    this.#sequences.set(key, sequence)
    const id = `${key}-${sequence}`
    const value = valueOf({ id, key, sequence }, hash(id) % 200)
    return { id, key, partition: partitionOf(key, partitions), facts: JSON.parse(value.toString()), value }
  }

  async #send(messages) {
    const { recorder } = this.#part
    const { topic } = this.#options
    const calls = recorder.together(() => messages.map(({ id, key, facts: { sequence }, value }) => recorder.invoke('send', { topic, id, key, sequence, sum: sumOf(value) })))
    try {
      const places = await this.#client.send(topic, messages)
      recorder.together(() => calls.forEach((call, index) => call.ok(places[index])))
    } catch (error) {
      console.error(new Date().toISOString(), 'send:', error.code ?? error.name, error.message)
      recorder.together(() => calls.forEach((call) => call.info(error)))
    }
  }
}
