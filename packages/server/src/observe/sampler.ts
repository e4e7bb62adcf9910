import type { Cancel, Census, Clock, Millis } from 'millrace'
import { Series } from './series.js'

/** How long samples are kept, and how far apart they are. Near ones close together, far ones wide apart. */
const nearEveryMs = 5_000
const nearSamples = 721
const farEveryMs = 300_000
const farSamples = 289

/** The longest time that rates are known for: a day. */
export const longestRangeMs = farEveryMs * (farSamples - 1)
const nearRangeMs = nearEveryMs * (nearSamples - 1)

/** Series that are kept in all. Topics beyond have counts and no rates. */
const maxSeries = 2_000

export interface Counted {
  readonly census: Census
  /** Messages a second that were sent to the topic, or to one of its partitions, in the last `rangeMs`. */
  rate(topic: string, partition: number | undefined, rangeMs: Millis): number
}

interface Pair {
  readonly near: Series
  readonly far: Series
}

/** Looks at the counts now and then, so that rates are known without asking anyone to count twice. Memory is bounded. */
export class Sampler {
  readonly #count: () => Promise<Census>
  readonly #clock: Clock
  readonly #series = new Map<string, Pair>()
  #underWay: Promise<Census> | undefined
  #cancel: Cancel = () => undefined
  #ticks = 0
  #sampledAt: Millis | undefined

  constructor(count: () => Promise<Census>, clock: Clock) {
    this.#count = count
    this.#clock = clock
  }

  /** Samples from now on. */
  async start(): Promise<void> {
    await this.#sample()
    this.#next()
  }

  stop(): void {
    this.#cancel()
  }

  /** The census and the rates up to it. */
  async now(): Promise<Counted> {
    const census = await this.census()
    return { census, rate: (topic, partition, rangeMs) => this.#rate(census, topic, partition, rangeMs) }
  }

  /** Who asks while one is under way gets the same one. */
  census(): Promise<Census> {
    this.#underWay ??= this.#count().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  #next(): void {
    this.#cancel = this.#clock.after(nearEveryMs, () => {
      // A census that fails leaves a gap; whoever asks for one is told why.
      void this.#sample()
        .catch(() => undefined)
        .finally(() => this.#next())
    })
  }

  async #sample(): Promise<void> {
    const census = await this.census()
    const isFar = this.#ticks % (farEveryMs / nearEveryMs) === 0
    this.#ticks += 1
    const seen = new Set<string>()
    for (const { topic, published, partitions } of census.topics) {
      this.#push(seen, keyOf(topic), census.at, published, isFar)
      for (const { partition, published: sent } of partitions) this.#push(seen, keyOf(topic, partition), census.at, sent, isFar)
    }
    for (const key of this.#series.keys()) if (!seen.has(key)) this.#series.delete(key)
    this.#sampledAt = census.at
  }

  #push(seen: Set<string>, key: string, at: Millis, value: number, isFar: boolean): void {
    const pair = this.#series.get(key) ?? this.#begin(key)
    if (!pair) return
    if (isFar) pair.far.push(at, value)
    pair.near.push(at, value)
    seen.add(key)
  }

  /** What is new since the sample before began at nothing. */
  #begin(key: string): Pair | undefined {
    if (this.#series.size >= maxSeries) return undefined
    const pair = { near: new Series(nearSamples), far: new Series(farSamples) }
    if (this.#sampledAt !== undefined) for (const series of [pair.near, pair.far]) series.push(this.#sampledAt, 0)
    this.#series.set(key, pair)
    return pair
  }

  #rate(census: Census, topic: string, partition: number | undefined, rangeMs: Millis): number {
    const key = keyOf(topic, partition)
    const pair = this.#series.get(key) ?? this.#begin(key)
    const counts = census.topics.find((each) => each.topic === topic)
    const value = partition === undefined ? counts?.published : counts?.partitions.find((each) => each.partition === partition)?.published
    if (!pair || value === undefined) return 0
    return (rangeMs <= nearRangeMs ? pair.near : pair.far).rate(census.at, value, rangeMs)
  }
}

function keyOf(topic: string, partition?: number): string {
  return partition === undefined ? topic : `${topic}/${partition}`
}
