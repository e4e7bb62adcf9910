import { setTimeout as pause } from 'node:timers/promises'
import { sumOf } from '../../actors/sending.mjs'
import { hash } from '../../random.mjs'

/**
 * A member of a group, whose handler takes its time, and now and then fails.
 *
 * Options: `topic`, `group`, `leaseMs` (how long it may be silent), `workMs` (its handler takes, at most), `failing` (`{ share, forMs }`: so many messages fail for so long after their first try).
 */
export async function play(part) {
  const client = await part.adapter.rival.open(part)
  const consumer = new Consumer(part, client)
  // The first of its name waits for its group, so that all begin when it has formed; one that comes again does not hold up the row.
  const joining = consumer.begin()
  if (part.generation === 1) await joining
  return {
    /** Ends itself inside the handler of its next message. */
    die: () => consumer.dieNext(),
    /** How many handlers have come to a good end. */
    settled: () => consumer.settled,
    rest: () => undefined,
    end: async () => {
      await joining
      await consumer.end()
      await client.close()
    },
  }
}

class Consumer {
  settled = 0
  #part
  #options
  #client
  #member
  #isDying = false
  /** Verdicts that the broker has not confirmed: calls by partition and offset. */
  #open = new Map()
  #moves = 0
  /** By place: how often it was tried here, and when first. */
  #tries = new Map()

  constructor(part, client) {
    this.#part = part
    this.#options = { workMs: 4, ...part.options }
    this.#client = client
  }

  /** As long as it takes: who cannot join now may later. */
  async begin() {
    while (this.#member === undefined) {
      try {
        this.#member = await this.#join()
      } catch (error) {
        console.error(new Date().toISOString(), 'join:', error.code ?? error.name, error.message)
        await pause(1_000)
      }
    }
  }

  #join() {
    const { topic, group, leaseMs } = this.#options
    return this.#client.consume({
      topic, group, leaseMs,
      member: this.#part.process,
      handle: (delivery) => this.#handle(delivery),
      taken: (partition, next) => this.#taken(Number(partition), BigInt(next)),
      moved: () => this.#moved(),
    })
  }

  dieNext() {
    this.#isDying = true
  }

  end() {
    return this.#member.close()
  }

  async #handle({ partition, offset, key, value, ...lease }) {
    const { recorder, random, adapter, process: member } = this.#part
    const { topic, group, workMs } = this.#options
    const text = typeof value === 'object' && !Buffer.isBuffer(value) ? JSON.stringify(value) : String(value)
    const { id, sequence } = JSON.parse(text)
    const tries = this.#try(`${partition}/${offset}`)
    const moves = this.#moves
    const place = { topic, group, id, partition, offset: String(offset), member, ...(lease.epoch === undefined ? {} : { epoch: lease.epoch }) }
    recorder.record('delivered', { ...place, key: String(key), sequence, sum: sumOf(text), attempt: lease.attempt ?? tries.count })
    await pause(random.between(0, workMs))
    if (this.#isDying) process.kill(process.pid, 'SIGKILL')
    if (this.#fails(id, tries)) {
      // To throw is to ask for it again; nobody answers that.
      recorder.invoke('settle', { ...place, is: 'retry' })
      throw new Error('what the handler calls is away')
    }
    this.settled += 1
    if (adapter.rival.ownVerdicts) return
    const call = recorder.invoke('settle', { ...place, is: 'done' })
    if (moves === this.#moves) this.#open.set(`${partition}/${offset}`, { partition, offset: BigInt(offset), call })
  }

  #try(place) {
    const tries = this.#tries.get(place) ?? { count: 0, firstAt: performance.now() }
    tries.count += 1
    this.#tries.set(place, tries)
    return tries
  }

  #fails(id, { firstAt }) {
    const { failing } = this.#options
    return failing !== undefined && hash(`${id} fails`) % 1_000 < failing.share * 1_000 && performance.now() - firstAt < failing.forMs
  }

  /** What somebody else may have by now is no longer ours to be confirmed. */
  #moved() {
    this.#moves += 1
    this.#open.clear()
  }

  #taken(partition, next) {
    const { recorder } = this.#part
    recorder.together(() => {
      for (const [place, { partition: of, offset, call }] of this.#open) {
        if (of !== partition || offset >= next) continue
        call.ok()
        this.#open.delete(place)
      }
    })
  }
}
