import type { Clock, Millis } from '../../core/clock.js'
import { isMillraceError, MillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Topic } from '../../core/topic.js'
import { Batch, hasBound, type Item } from './batch.js'
import type { Confirmation } from './durability.js'
import { packedBytes } from './entry.js'
import { isFailure, storedAfter } from './failure.js'
import type { PartNames } from './names.js'
import { publishCarefullyScript, publishScript } from './scripts/publish.js'
import { unknownTopic } from './store.js'
import type { Writes, Written } from './writes.js'

/** Drafts, and bytes of them, in one run; more than one draft where they fit. */
const batchMost = limits.publishBatch
const batchBytes = 1_048_576
/** Runs under way for one partition. */
const mostUnderWay = 4
/** A partition remembers so many batches of a lane. */
const remembered = 8
/** How long a batch is sent again whose outcome is not known. */
const insistMs: Millis = 10_000
const againMs = 50
const mostHeals = 3

/** What a lane needs of the store. */
export interface LaneStore {
  readonly instance: string
  readonly clock: Clock
  readonly writes: Pick<Writes, 'run'>
  readonly publishes: 'PUBLISH' | 'SPUBLISH'
  part(topic: string, partition: number): PartNames
  /** As it is known now, without asking. */
  known(topic: string): Topic | undefined
  /** Groups of a topic that pin nothing. */
  idle(topic: string): readonly string[]
  /** Makes a partition this topic's, where it may be. What is known of the topic is read anew before. */
  heal(topic: string, partition: number): Promise<void>
  /** Messages have come. */
  came(topic: string): void
}

export interface LaneOf {
  readonly topic: string
  readonly partition: number
  readonly confirmation: Confirmation | undefined
  /** Unique among all lanes of all instances that write to the partition. */
  readonly name: string
}

/** What is to be done with a batch when all before it are over. */
interface Sent {
  readonly batch: Batch
  readonly due: Millis
  state: 'under way' | 'again'
  mayBeStored: boolean
  heals: number
}

/**
 * Drafts on their way to one partition, in order. A batch says which one has to be there before it as long as that is not answered, and is sent again
 * when its outcome is not known: the partition remembers what it has.
 */
export class Lane {
  readonly topic: string
  readonly #store: LaneStore
  readonly #of: LaneOf
  readonly #part: PartNames
  #waiting: Item[] = []
  readonly #underWay: Sent[] = []
  readonly #resting = new Set<() => void>()
  #number = 0

  constructor(store: LaneStore, of: LaneOf) {
    this.#store = store
    this.#of = of
    this.topic = of.topic
    this.#part = store.part(of.topic, of.partition)
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#underWay.length === 0
  }

  atRest(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#resting.add(resolve))
  }

  /** `flush` sends it. */
  add(item: Item): void {
    this.#waiting.push(item)
  }

  flush(): void {
    while (this.#waiting.length > 0 && this.#underWay.length < mostUnderWay && this.#underWay.every(({ state }) => state === 'under way')) {
      const before = this.#underWay.at(-1)
      this.#number += 1
      const sent: Sent = { batch: new Batch(this.#number, this.#take()), due: this.#store.clock.monotonic() + insistMs, state: 'under way', mayBeStored: false, heals: 0 }
      this.#underWay.push(sent)
      void this.#send(sent, before?.batch)
    }
  }

  #take(): readonly Item[] {
    let count = 0
    let bytes = 0
    for (const { draft } of this.#waiting) {
      bytes += packedBytes(draft)
      if (count > 0 && (bytes > batchBytes || count >= batchMost)) break
      count += 1
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting
      this.#waiting = []
      return all
    }
    return this.#waiting.splice(0, count)
  }

  async #send(sent: Sent, before: Batch | undefined): Promise<void> {
    const topic = this.#store.known(this.topic)
    if (!topic) return this.#gone(sent)
    try {
      this.#answered(sent, await this.#run(sent.batch, topic, before))
    } catch (error) {
      this.#failed(sent, error)
    }
  }

  #run(batch: Batch, topic: Topic, before: Batch | undefined): Promise<Written> {
    const { log, part, seen, marks } = this.#part
    const { writes, publishes } = this.#store
    const field = (of: Batch): string => `${this.#of.name}:${of.number % remembered}`
    const args = [publishes, topic.id, field(batch), batch.number, before ? field(before) : '', before?.number ?? '', ...batch.args()]
    if (!batch.hasDedup && !hasBound(topic)) return writes.run(publishScript, [log, part, seen, marks], args, this.#of.confirmation)
    const { keys, ask } = batch.careful(topic, (each) => this.#store.part(this.topic, each), this.#of.partition, this.#store.idle(this.topic))
    return writes.run(publishCarefullyScript, [log, part, seen, marks, ...keys], [...args, ask], this.#of.confirmation)
  }

  #answered(sent: Sent, { reply, survives, error }: Written): void {
    const answer = Buffer.isBuffer(reply) ? reply.toString('latin1') : ''
    if (answer === 'gap') return this.#later(sent)
    if (answer === 'gone') return this.#gone(sent)
    this.#over(sent, () => sent.batch.stored(answer.startsWith('{') ? String(reply) : answer, survives, error))
    this.#store.came(this.topic)
  }

  #failed(sent: Sent, error: unknown): void {
    const failure = isMillraceError(error) ? error.cause : error
    const isUnknown = isFailure(failure) && failure.became === 'unknown'
    if (isUnknown) sent.mayBeStored = true
    if (isUnknown && this.#store.clock.monotonic() < sent.due) {
      this.#store.clock.after(againMs, () => this.#later(sent))
      return
    }
    const wrong = isMillraceError(error) ? error : new MillraceError('ENGINE_FAILED', `publishing to topic ${this.topic}: ${String(error)}`, { cause: error })
    this.#over(sent, () => sent.batch.fail(wrong, sent.mayBeStored ? 'unknown' : storedAfter(error)))
  }

  #gone(sent: Sent): void {
    sent.heals += 1
    if (sent.heals > mostHeals) return this.#over(sent, () => sent.batch.fail(unknownTopic(this.topic), sent.mayBeStored ? 'unknown' : 'no'))
    this.#store.heal(this.topic, this.#of.partition).then(() => this.#later(sent), (error: unknown) => this.#failed(sent, error))
  }

  /** Once more, when all before it are over. */
  #later(sent: Sent): void {
    sent.state = 'again'
    this.#next()
  }

  #over(sent: Sent, end: () => void): void {
    this.#underWay.splice(this.#underWay.indexOf(sent), 1)
    end()
    this.#next()
  }

  #next(): void {
    const [first] = this.#underWay
    if (first?.state === 'again') {
      first.state = 'under way'
      void this.#send(first, undefined)
    }
    if (this.#waiting.length > 0) this.flush()
    if (!this.isIdle) return
    for (const resolve of this.#resting) resolve()
    this.#resting.clear()
  }
}
