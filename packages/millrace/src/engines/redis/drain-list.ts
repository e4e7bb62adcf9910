import { randomUUID } from 'node:crypto'
import { type Clock, type Millis, systemClock } from '../../core/clock.js'
import type { MillraceError } from '../../core/errors.js'
import type { Receipt } from '../../core/message.js'
import { Calls } from './calls.js'
import { clientOf } from './clients/index.js'
import { end, finish, take } from './scripts/drain.js'

/** Between two looks at an empty list, and between two sends to a full topic. */
const waitMs = 200

/** The calls of a Millrace that are made. */
export interface DrainMill {
  readonly engine: { readonly traits: { readonly dedup: boolean } }
  readonly topics: { get(name: string): Promise<{ readonly partitions: number }> }
  sendMany(topic: string | DrainTopic, items: readonly DrainItem[]): Promise<readonly DrainSent[]>
}

/** What is used of a topic's contract. */
export interface DrainTopic {
  readonly name: string
  readonly codec: { decode(bytes: Uint8Array | null): unknown }
  key(value: unknown): string | null
}

export interface DrainItem {
  readonly value: unknown
  readonly id: string
  readonly partition?: number
  readonly dedup?: { readonly windowMs: Millis }
}

export type DrainSent = { readonly ok: Pick<Receipt, 'duplicate'> } | { readonly error: MillraceError; readonly stored: 'no' | 'unknown' | 'weaker' }

export interface DrainOptions {
  /** Of the server that has the list, of any kind that the engine takes. It stays yours. */
  readonly client: unknown
  /** Key of the list. */
  readonly list: string
  /** Where the next item is: `right` for LPUSH and BRPOP, `left` for RPUSH and BLPOP. Default `right`. */
  readonly end?: 'right' | 'left'
  /** On any engine. */
  readonly mill: DrainMill
  /** A contract, or the name of a topic of JSON. */
  readonly topic: string | DrainTopic
  /** The value of an item. By the topic's codec unless given. */
  readonly decode?: (item: Buffer) => unknown
  /** Items in hand at most. Default 500; no more than 4 MiB, and one, in any case. */
  readonly batch?: number
  /** Goes on when the list is empty, until the signal: for as long as somebody may push. */
  readonly follow?: boolean
  /** How long after a crash another run stores nothing twice. Default an hour. */
  readonly dedupMs?: Millis
  readonly onProgress?: (progress: DrainProgress) => void
  /** Stops after what is in hand. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
}

export interface DrainProgress {
  /** Stored in the topic, by this run. */
  readonly moved: number
  /** In hand of a run that died after they were stored. */
  readonly duplicates: number
  /** That the topic does not take (SCHEMA, CODEC, TOO_LARGE): they are in the list's `:refused`. */
  readonly refused: number
  /** In the list. */
  readonly left: number
}

/**
 * Moves the items of a simple list queue into a topic, in their order, until the list is empty. What is in hand is in a hash beside the list: a run that dies loses nothing, the next one
 * goes on with it. Errors: what the topic answers, with what was in hand kept; those of the server.
 */
export async function drainList(options: DrainOptions): Promise<DrainProgress> {
  const drain = new Drain(options)
  await drain.run()
  return drain.progress
}

/** Beside the list and in its slot: an item in hand by its number, and what belongs to all of them. */
export function drainKeys(list: string): { readonly hand: string; readonly refused: string } {
  const hasTag = /^[^{]*\{[^}]+\}/u.test(list)
  const base = hasTag ? list : `{${list}}`
  return { hand: `${base}:moving`, refused: `${base}:refused` }
}

interface InHand {
  readonly name: string
  readonly items: readonly { readonly number: number; readonly bytes: Buffer }[]
}

class Drain {
  readonly #options: DrainOptions
  readonly #calls: Calls
  readonly #clock: Clock
  readonly #keys: ReturnType<typeof drainKeys>
  /** For items that nobody has named yet. */
  readonly #name = randomUUID()
  #partitions = 1
  progress: DrainProgress = { moved: 0, duplicates: 0, refused: 0, left: 0 }

  constructor(options: DrainOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#calls = new Calls(clientOf(options.client, { clock: this.#clock }))
    this.#keys = drainKeys(options.list)
  }

  async run(): Promise<void> {
    const { mill, topic, signal, follow, list } = this.#options
    this.#partitions = (await mill.topics.get(typeof topic === 'string' ? topic : topic.name)).partitions
    while (!signal?.aborted) {
      const inHand = await this.#take()
      if (inHand.items.length > 0) await this.#move(inHand)
      else if (follow) await this.#wait()
      else break
    }
    await this.#calls.run(finish, [list, this.#keys.hand], [])
  }

  async #take(): Promise<InHand> {
    const { list, end: from = 'right', batch = 500 } = this.#options
    const answer = await this.#calls.run(take, [list, this.#keys.hand], [from === 'right' ? 'RPOP' : 'LPOP', batch, 4 * 2 ** 20, this.#name])
    const [name, left, ...rest] = Array.isArray(answer) ? answer : []
    this.progress = { ...this.progress, left: Number(left) }
    const items = rest.flatMap((bytes, index) => (index % 2 === 1 && Buffer.isBuffer(bytes) ? [{ number: Number(String(rest[index - 1])), bytes }] : []))
    return { name: String(name), items }
  }

  async #move({ name, items }: InHand): Promise<void> {
    const sends = items.map(({ number, bytes }) => ({ number, item: this.#item(`${name}-${number}`, number, bytes) }))
    const outcome = await this.#send(sends)
    const { moved, duplicates, refused, failures } = outcome
    if (moved.length + refused.length > 0) await this.#calls.run(end, [this.#keys.hand, this.#keys.refused], [refused.length, ...refused, ...moved])
    const { progress } = this
    this.progress = { ...progress, moved: progress.moved + moved.length - duplicates, duplicates: progress.duplicates + duplicates, refused: progress.refused + refused.length }
    this.#options.onProgress?.(this.progress)
    const [failure] = failures
    if (failure && !this.#options.signal?.aborted) throw failure
  }

  /** Until each is stored or refused, or something has failed: a topic that is full is waited for. */
  async #send(sends: readonly Sending[]): Promise<Outcome> {
    const { mill, topic, signal } = this.#options
    const outcome: Outcome = { moved: [], refused: sends.filter(({ item }) => !item).map(({ number }) => number), duplicates: 0, failures: [] }
    let left = sends
    for (;;) {
      const numbers: number[] = []
      const all = left.flatMap(({ number, item }) => (item && numbers.push(number) ? [item] : []))
      if (all.length === 0) return outcome
      const full = new Set<number>()
      for (const [index, result] of (await mill.sendMany(topic, all)).entries()) sort(numbers[index] ?? 0, result, outcome, full)
      if (outcome.failures.length > 0 || signal?.aborted) return outcome
      if (full.size > 0) await this.#wait()
      left = left.filter(({ number }) => full.has(number))
    }
  }

  /** Undefined: it has no value. The same item is the same message each time: dedup is by partition, so one without a key has its own. */
  #item(id: string, number: number, bytes: Buffer): DrainItem | undefined {
    const { mill, topic, decode = decoderOf(topic), dedupMs = 3_600_000 } = this.#options
    let value: unknown
    let key: string | null = null
    try {
      value = decode(bytes)
      key = typeof topic === 'string' ? null : topic.key(value)
    } catch {
      return undefined
    }
    return { value, id, ...(key === null && { partition: number % this.#partitions }), ...(mill.engine.traits.dedup && { dedup: { windowMs: dedupMs } }) }
  }

  #wait(): Promise<void> {
    const { signal } = this.#options
    return new Promise((resolve) => {
      const over = (): void => {
        cancel()
        clearTimeout(keep)
        signal?.removeEventListener('abort', over)
        resolve()
      }
      const cancel = this.#clock.after(waitMs, over)
      // The clock keeps no process alive, and this is work.
      const keep = setTimeout(() => undefined, 2 ** 30)
      signal?.addEventListener('abort', over)
    })
  }
}

interface Sending {
  readonly number: number
  readonly item: DrainItem | undefined
}

interface Outcome {
  readonly moved: number[]
  readonly refused: number[]
  readonly failures: MillraceError[]
  duplicates: number
}

function sort(number: number, result: DrainSent, outcome: Outcome, full: Set<number>): void {
  if ('ok' in result) {
    outcome.moved.push(number)
    if (result.ok.duplicate) outcome.duplicates += 1
  } else if (refusals.has(result.error.code)) outcome.refused.push(number)
  else if (result.error.code === 'FULL') full.add(number)
  else outcome.failures.push(result.error)
}

const refusals: ReadonlySet<string> = new Set(['SCHEMA', 'CODEC', 'TOO_LARGE'])

function decoderOf(topic: string | DrainTopic): (bytes: Buffer) => unknown {
  return typeof topic === 'string' ? (bytes) => JSON.parse(bytes.toString()) as unknown : (bytes) => topic.codec.decode(bytes)
}
