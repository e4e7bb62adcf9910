import type { Bounds, KafkaRecord, Reader } from './port.js'
import { bytesOf } from './sizes.js'
import type { KafkaStore } from './store.js'
import { Tally } from './tally.js'

/**
 * Counts what is in partitions, as Kafka does not say it: reads each once, for topics that are told how many messages or bytes to keep.
 * While it has not read all it knows of too few, so that too much is kept.
 */
export class Tallies {
  readonly #store: KafkaStore
  /** By the Kafka topic, and the partition. */
  readonly #tallies = new Map<string, Map<number, Tally>>()
  #reader: Promise<Reader> | undefined
  #isClosed = false

  constructor(store: KafkaStore) {
    this.#store = store
  }

  /** The tally of a partition, which is read from now on. */
  async of(topic: string, { partition, start }: Bounds): Promise<Tally> {
    const tallies = this.#tallies.get(topic) ?? new Map<number, Tally>()
    const tally = tallies.get(partition) ?? new Tally()
    if (!tallies.has(partition) && !this.#isClosed) {
      this.#reader ??= this.#open()
      const reader = await this.#reader
      this.#tallies.set(topic, tallies.set(partition, tally))
      reader.add(topic, partition, start)
    }
    tally.cut(Number(start))
    return tally
  }

  /** Reads a topic no more. */
  async forget(topic: string): Promise<void> {
    const tallies = this.#tallies.get(topic)
    if (!tallies) return
    this.#tallies.delete(topic)
    const reader = await this.#reader
    for (const partition of tallies.keys()) reader?.remove(topic, partition)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#tallies.clear()
    await (await this.#reader?.catch(() => undefined))?.close()
  }

  #open(): Promise<Reader> {
    const reader = this.#store.client.reader({
      records: (topic, partition, records) => this.#read(topic, partition, records),
      end: () => undefined,
      // Looked for again from the start that there is then.
      lost: (topic, partition) => void this.#tallies.get(topic)?.delete(partition),
      trouble: this.#store.report,
    })
    reader.catch(() => (this.#reader = undefined))
    return reader
  }

  #read(topic: string, partition: number, records: readonly KafkaRecord[]): void {
    const tally = this.#tallies.get(topic)?.get(partition)
    for (const record of records) tally?.append(Number(record.offset), bytesOf(record))
  }
}
