import type { Millis } from '../../core/clock.js'
import type { Bounds, NewRecord } from './port.js'
import type { Scanner } from './scanner.js'
import type { KafkaStore } from './store.js'

/** A look takes no longer, reads so many records, and counts for so long. */
const lookMs = 1_000
const sample = 64
const freshMs = 60_000

/** How large the messages of a topic are: the mean of some, as Kafka does not say how many bytes a log has. */
export class Sizes {
  readonly #store: KafkaStore
  readonly #scanner: Scanner
  /** By the topic's id. */
  readonly #means = new Map<string, { readonly bytes: number; readonly at: Millis }>()

  constructor(store: KafkaStore, scanner: Scanner) {
    this.#store = store
    this.#scanner = scanner
  }

  /** Bytes of a message; 0 for an empty topic. */
  async mean(topic: string, bounds: readonly Bounds[]): Promise<number> {
    const id = this.#store.topics.get(topic)?.id ?? ''
    const known = this.#means.get(id)
    const full = bounds.find(({ start, end }) => start < end)
    if (full === undefined || (known && this.#store.clock.monotonic() - known.at < freshMs)) return known?.bytes ?? 0
    const bytes = (await this.#look(topic, full)) ?? known?.bytes
    if (bytes !== undefined) this.#means.set(id, { bytes, at: this.#store.clock.monotonic() })
    return bytes ?? 0
  }

  async #look(topic: string, { partition, start, end }: Bounds): Promise<number | undefined> {
    const from = end - start > sample ? end - BigInt(sample) : start
    const stretch = { topic: this.#store.names.topic(topic), partition, from, to: end, most: sample, mostBytes: Infinity }
    const { records } = await this.#scanner.read(stretch, this.#store.clock.monotonic() + lookMs).catch(() => ({ records: [] }))
    return records.length === 0 ? undefined : records.reduce((sum, record) => sum + bytesOf(record), 0) / records.length
  }
}

/** Of key, value and headers. */
export function bytesOf({ key, value, headers }: Pick<NewRecord, 'key' | 'value' | 'headers'>): number {
  const own = (key?.length ?? 0) + (value?.length ?? 0)
  return headers.reduce((bytes, [name, each]) => bytes + name.length + each.byteLength, own)
}
