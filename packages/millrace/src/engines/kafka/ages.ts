import type { Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import type { Scanner } from './scanner.js'
import type { KafkaStore } from './store.js'

/** One look takes no longer; what is not known by then is asked for by the next. */
const lookMs = 1_000
const mostPlaces = 10_000

export interface Lag {
  readonly topic: string
  readonly partition: number
  readonly from: Offset
  readonly to: Offset
}

/** Timestamps of the messages that groups stand before. A group that does not move is looked up once. */
export class Ages {
  readonly #store: KafkaStore
  readonly #scanner: Scanner
  readonly #known = new Map<string, Millis>()
  readonly #asked = new Map<string, Promise<Millis | undefined>>()

  constructor(store: KafkaStore, scanner: Scanner) {
    this.#store = store
    this.#scanner = scanner
  }

  /** Undefined when there is no message, or it could not be read in time. */
  of(lag: Lag): Promise<Millis | undefined> {
    const place = `${this.#store.topics.get(lag.topic)?.id}/${lag.partition}/${lag.from}`
    const asked = this.#asked.get(place) ?? this.#ask(lag, place).finally(() => this.#asked.delete(place))
    this.#asked.set(place, asked)
    return asked
  }

  async #ask({ topic, partition, from, to }: Lag, place: string): Promise<Millis | undefined> {
    const known = this.#known.get(place)
    if (known !== undefined) return known
    const stretch = { topic: this.#store.names.topic(topic), partition, from, to, most: 1, mostBytes: 1 }
    const [record] = await this.#scanner.read(stretch, this.#store.clock.monotonic() + lookMs).then(({ records }) => records, () => [])
    if (record) this.#remember(place, record.timestamp)
    return record?.timestamp
  }

  #remember(place: string, timestamp: Millis): void {
    this.#known.set(place, timestamp)
    const [oldest] = this.#known.size > mostPlaces ? this.#known.keys() : []
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}
