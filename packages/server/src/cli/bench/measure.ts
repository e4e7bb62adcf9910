import type { Target, TopicSettings } from './target.js'

export interface Load {
  readonly messages: number
  /** Bytes of each value. */
  readonly size: number
  readonly batch: number
  /** Calls that are under way at one time. */
  readonly lanes: number
  readonly settings: TopicSettings
}

/** One line of the result. Times are milliseconds. */
export interface Case {
  readonly name: 'send' | 'consume' | 'send one by one' | 'delivery'
  readonly messages: number
  /** Null where messages come one after the other, by themselves. */
  readonly messagesPerSecond: number | null
  /** Of which time the others speak. */
  readonly of: string
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

export interface Watch {
  /** Hears of messages sent or consumed, of `steps` in all. */
  readonly onProgress: (done: number) => void
  readonly signal: AbortSignal
}

const group = 'bench'
/** Sent one by one, after the batches. */
const singles = (messages: number): number => Math.min(1_000, Math.max(50, Math.round(messages / 50)))
/** Sent before time is taken, so that connections and compiled code are there. */
const warmUp = (messages: number): number => Math.min(1_000, Math.ceil(messages / 10))

/** Messages that are sent and consumed in all. */
export function steps({ messages }: Load): number {
  return 2 * (messages + warmUp(messages) + singles(messages))
}

/** Sends all, then consumes all, then sends one by one to a consumer that waits. Throws what the target throws, and when it is stopped. */
export function measure(target: Target, topic: string, load: Load, watch: Watch): Promise<readonly Case[]> {
  return new Run(target, topic, load, watch).run()
}

class Run {
  readonly #target: Target
  readonly #topic: string
  readonly #load: Load
  readonly #signal: AbortSignal
  readonly #progress: (count: number) => void
  readonly #values: Values
  readonly #arrivals: Arrivals

  constructor(target: Target, topic: string, load: Load, { onProgress, signal }: Watch) {
    this.#target = target
    this.#topic = topic
    this.#load = load
    this.#signal = signal
    let done = 0
    this.#progress = (count) => onProgress((done += count))
    this.#values = new Values(load.size)
    this.#arrivals = new Arrivals(this.#progress)
  }

  async run(): Promise<readonly Case[]> {
    const { messages, batch, lanes } = this.#load
    await this.#sendAll(warmUp(messages))
    const sent = await this.#sendAll(messages)
    const stop = new AbortController()
    const took = (count: number, ms?: number): void => this.#arrivals.took(count, ms)
    const consuming = this.#target.consume({ topic: this.#topic, group, batch, lanes, took, signal: AbortSignal.any([stop.signal, this.#signal]) })
    // A consumer that ends before its time ends all.
    const broken = consuming.then(() => Promise.reject(new Error('stopped')))
    broken.catch(() => undefined)
    try {
      return [sent, await this.#consumeAll(broken), ...(await this.#oneByOne(broken))]
    } finally {
      stop.abort()
      await consuming.catch(() => undefined)
    }
  }

  async #sendAll(messages: number): Promise<Case> {
    const { batch, lanes } = this.#load
    const times: number[] = []
    let left = messages
    const lane = async (): Promise<void> => {
      while (left > 0) {
        const count = Math.min(batch, left)
        left -= count
        times.push(await this.#send(count))
      }
    }
    const begun = performance.now()
    await Promise.all(Array.from({ length: lanes }, lane))
    return { name: 'send', messages, messagesPerSecond: perSecond(messages, performance.now() - begun), of: 'the answer to a batch', ...percentiles(times) }
  }

  async #consumeAll(broken: Promise<never>): Promise<Case> {
    const { messages } = this.#load
    await Promise.race([this.#arrivals.until(warmUp(messages)), broken])
    const before = this.#arrivals.count
    const begun = performance.now()
    await Promise.race([this.#arrivals.until(messages + warmUp(messages)), broken])
    const rate = perSecond(this.#arrivals.count - before, performance.now() - begun)
    return { name: 'consume', messages, messagesPerSecond: rate, of: 'taking and finishing a batch', ...percentiles(this.#arrivals.times) }
  }

  /** The next is sent when the one before has come, so that none waits for another. */
  async #oneByOne(broken: Promise<never>): Promise<readonly Case[]> {
    const messages = singles(this.#load.messages)
    const answered: number[] = []
    const came: number[] = []
    for (let turn = 0; turn < messages; turn += 1) {
      const begun = performance.now()
      const arrived = this.#arrivals.until(this.#arrivals.count + 1).then(() => came.push(performance.now() - begun))
      answered.push(await this.#send(1))
      await Promise.race([arrived, broken])
    }
    const rate = perSecond(messages, answered.reduce((sum, each) => sum + each, 0))
    return [
      { name: 'send one by one', messages, messagesPerSecond: rate, of: 'the answer to a message', ...percentiles(answered) },
      { name: 'delivery', messages, messagesPerSecond: null, of: 'sent until consumed', ...percentiles(came) },
    ]
  }

  async #send(count: number): Promise<number> {
    this.#signal.throwIfAborted()
    const begun = performance.now()
    await this.#target.send(this.#topic, this.#values.next(count))
    this.#progress(count)
    return performance.now() - begun
  }
}

/** Values of so many bytes of JSON, each another. */
class Values {
  readonly #filler: string
  readonly #size: number
  #made = 0

  constructor(size: number) {
    this.#size = size
    this.#filler = 'x'.repeat(size)
  }

  next(count: number): string[] {
    return Array.from({ length: count }, () => `${(this.#made += 1)}${this.#filler}`.slice(0, Math.max(1, this.#size - 2)))
  }
}

/** Counts what a consumer took, and wakes who waits for so many. */
class Arrivals {
  readonly times: number[] = []
  readonly #progress: (count: number) => void
  #wanted = Number.POSITIVE_INFINITY
  #wake: () => void = () => undefined
  count = 0

  constructor(progress: (count: number) => void) {
    this.#progress = progress
  }

  took(count: number, ms: number | undefined): void {
    this.count += count
    if (ms !== undefined) this.times.push(ms)
    this.#progress(count)
    if (this.count >= this.#wanted) this.#wake()
  }

  until(count: number): Promise<void> {
    this.#wanted = count
    return new Promise((resolve) => {
      this.#wake = resolve
      if (this.count >= count) resolve()
    })
  }
}

function perSecond(count: number, ms: number): number {
  return Math.round(count / (Math.max(ms, 0.001) / 1_000))
}

/** By rank: of a hundred times the 95th is the p95. Null without any. */
export function percentiles(times: readonly number[]): Pick<Case, 'p50Ms' | 'p95Ms' | 'p99Ms'> {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): number | null => {
    const time = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
    return time === undefined ? null : Math.round(time * 1_000) / 1_000
  }
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
}
