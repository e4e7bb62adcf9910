import { type Asker, part } from './client.js'
import type { ShownMessage, ShownTopic } from './shown.js'

/** Where reading begins: with the last so many (of the `window` last of each partition), at a place, or with what a group has not finished. */
export type Beginning = { readonly last: number; readonly window: number } | { readonly at: 'start' | 'end' } | { readonly time: string } | { readonly group: string }

export interface TailOptions {
  readonly fits: (message: ShownMessage) => boolean
  /** Told to people: what they might take for a gap. */
  readonly note: (text: string) => void
}

interface Partition {
  readonly partition: number
  readonly start: string
  readonly end: string
}

interface Described extends ShownTopic {
  readonly partitionList: readonly Partition[]
}

interface Page {
  readonly messages: readonly ShownMessage[]
}

/** Messages that are in memory at one time, of all partitions; also the most that a server gives in a page. */
export const maxRound = 1_000
const lanes = 8

/** Reads a topic as it grows, by offset and without consuming. A partition's messages come in its order. */
export class TopicTail {
  readonly #asker: Asker
  readonly #topic: string
  readonly #options: TailOptions
  #next = new Map<number, bigint>()
  #goal: readonly Partition[] = []
  #id = ''

  constructor(asker: Asker, topic: string, options: TailOptions) {
    this.#asker = asker
    this.#topic = topic
    this.#options = options
  }

  /** True once all is read that was there at the beginning. */
  get isThrough(): boolean {
    return this.#goal.every(({ partition, end }) => (this.#next.get(partition) ?? 0n) >= BigInt(end))
  }

  /** Finds its place, and reads the last ones where these are asked for. */
  async begin(from: Beginning): Promise<readonly ShownMessage[]> {
    const { id, partitionList } = await this.#describe()
    this.#id = id
    this.#goal = partitionList
    if ('last' in from) return this.#last(partitionList, from)
    const places = 'group' in from ? await this.#positions(from.group) : new Map(await inLanes(partitionList, async (each) => [each.partition, await this.#place(each, from)] as const))
    this.#next = new Map(places)
    return []
  }

  /** What came since, or a part of it; nothing when nothing did. */
  async round(): Promise<readonly ShownMessage[]> {
    const topic = await this.#describe()
    if (topic.id !== this.#id) this.#startAnew(topic)
    const behind = topic.partitionList.filter((each) => this.#nextOf(each) < BigInt(each.end))
    const limit = Math.max(1, Math.floor(maxRound / Math.max(1, behind.length)))
    return merged(await inLanes(behind, (each) => this.#read(each, limit))).filter(this.#options.fits)
  }

  async #last(partitions: readonly Partition[], { last, window }: { readonly last: number; readonly window: number }): Promise<readonly ShownMessage[]> {
    const pages = await inLanes(partitions, async ({ partition, start, end }) => {
      const back = BigInt(end) - BigInt(window)
      const { messages } = await this.#page(partition, { offset: String(back > BigInt(start) ? back : start), limit: window })
      this.#next.set(partition, BigInt(end))
      // What came meanwhile comes with the next round.
      return messages.filter((each) => this.#options.fits(each) && BigInt(each.offset ?? 0) < BigInt(end)).slice(-last)
    })
    return merged(pages).slice(-last)
  }

  async #read(partition: Partition, limit: number): Promise<readonly ShownMessage[]> {
    const { messages } = await this.#page(partition.partition, { offset: String(this.#nextOf(partition)), limit })
    const last = messages.at(-1)?.offset
    // A page without a message lies in a gap up to the end.
    this.#next.set(partition.partition, typeof last === 'string' ? BigInt(last) + 1n : BigInt(partition.end))
    return messages
  }

  /** Moves on to what is still there. */
  #nextOf({ partition, start }: Partition): bigint {
    const next = this.#next.get(partition) ?? BigInt(start)
    if (next >= BigInt(start)) return next
    this.#options.note(`partition ${partition}: ${BigInt(start) - next} messages were cut away before they could be shown`)
    this.#next.set(partition, BigInt(start))
    return BigInt(start)
  }

  #startAnew({ id, partitionList }: Described): void {
    this.#options.note(`topic ${this.#topic} was created anew: what it has is shown from its start`)
    this.#id = id
    this.#next = new Map(partitionList.map(({ partition, start }) => [partition, BigInt(start)]))
  }

  async #place({ partition, start, end }: Partition, from: { readonly at: 'start' | 'end' } | { readonly time: string }): Promise<bigint> {
    if ('at' in from) return BigInt(from.at === 'start' ? start : end)
    const { messages } = await this.#page(partition, { time: from.time, limit: 1 })
    return BigInt(messages[0]?.offset ?? end)
  }

  async #positions(group: string): Promise<ReadonlyMap<number, bigint>> {
    const { positions } = await this.#asker.get<{ readonly positions: readonly { readonly partition: number; readonly watermark: string }[] }>(`/topics/${part(this.#topic)}/groups/${part(group)}/positions`)
    return new Map(positions.map(({ partition, watermark }) => [partition, BigInt(watermark)]))
  }

  #describe(): Promise<Described> {
    return this.#asker.get<Described>(`/topics/${part(this.#topic)}`)
  }

  #page(partition: number, query: { readonly offset?: string; readonly time?: string; readonly limit: number }): Promise<Page> {
    return this.#asker.get<Page>(`/topics/${part(this.#topic)}/messages`, { partition, ...query })
  }
}

/** The oldest first, where that leaves each partition's order as it is. */
function merged(partitions: readonly (readonly ShownMessage[])[]): ShownMessage[] {
  const heads = partitions.map((messages) => ({ messages, at: 0 })).filter(({ messages }) => messages.length > 0)
  const all: ShownMessage[] = []
  while (heads.length > 0) {
    const oldest = heads.reduce((one, other) => (timeOf(other) < timeOf(one) ? other : one))
    const message = oldest.messages[oldest.at]
    if (message) all.push(message)
    oldest.at += 1
    if (oldest.at >= oldest.messages.length) heads.splice(heads.indexOf(oldest), 1)
  }
  return all
}

function timeOf({ messages, at }: { readonly messages: readonly ShownMessage[]; readonly at: number }): string {
  return messages[at]?.timestamp ?? ''
}

async function inLanes<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let from = 0; from < items.length; from += lanes) results.push(...(await Promise.all(items.slice(from, from + lanes).map(work))))
  return results
}
