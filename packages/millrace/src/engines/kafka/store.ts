import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { MillraceError } from '../../core/errors.js'
import type { Durability } from '../../core/message.js'
import type { Topic } from '../../core/topic.js'
import type { Stir } from '../../engine/engine.js'
import { Book } from './book.js'
import { survivesInOurs } from './durability.js'
import { type Entry, Ledger } from './ledger.js'
import type { Names } from './names.js'
import type { KafkaClient, Reader } from './port.js'
import { decode, type TopicRow } from './rows.js'

export interface StoreOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly names: Names
  /** Copies of each of our own topics. */
  readonly replicationFactor: number
  /** Settings of our own topics. */
  readonly config: Readonly<Record<string, string>>
  readonly report: (error: MillraceError) => void
}

/** One instance's view of what is kept on a cluster: the registry of topics, and of each topic that it deals with the book. */
export class KafkaStore {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly names: Names
  readonly report: (error: MillraceError) => void
  /** Copies of each of our own topics, and at least of every other. */
  readonly copies: number
  /** Names this instance in ledgers. */
  readonly instance = randomUUID()
  /** What our own records survive. */
  readonly survives: readonly Durability[]
  readonly topics = new Map<string, Topic>()
  readonly watchers = new Set<(stir: Stir) => void>()
  readonly #options: StoreOptions
  readonly #ledgers = new Map<string, Ledger>()
  readonly #books = new Map<string, Promise<Book>>()
  /** Told of each book that is opened. */
  readonly #onBook: (book: Book) => void
  #reader: Reader | undefined
  #registry: Ledger | undefined

  constructor(options: StoreOptions, onBook: (book: Book) => void) {
    this.#options = options
    this.#onBook = onBook
    this.client = options.client
    this.clock = options.clock
    this.names = options.names
    this.report = options.report
    this.copies = options.replicationFactor
    this.survives = survivesInOurs(options.replicationFactor, options.config)
  }

  get registry(): Ledger {
    if (!this.#registry) throw new Error('the store is open')
    return this.#registry
  }

  async open(): Promise<void> {
    await this.client.open()
    this.#reader = await this.client.reader({
      records: (topic, _, records) => this.#ledgers.get(topic)?.take(records),
      end: () => undefined,
      lost: (topic) => this.#ledgers.get(topic)?.lost(),
      trouble: this.report,
    })
    this.#registry = await this.#openLedger(this.names.registry, { changed: (id, now) => this.#registered(id, now), gone: () => undefined })
  }

  async close(): Promise<void> {
    for (const ledger of this.#ledgers.values()) ledger.close()
    await this.#reader?.close()
    await this.client.close()
  }

  /** A topic's settings. Errors: UNKNOWN_TOPIC. */
  async topic(name: string): Promise<Topic> {
    if (!this.topics.has(name)) await this.registry.sync()
    const topic = this.topics.get(name)
    if (!topic) throw new MillraceError('UNKNOWN_TOPIC', `topic ${name} does not exist: create it first`, { field: 'topic' })
    return topic
  }

  /** What is known of a topic, followed from the first call on. Errors: UNKNOWN_TOPIC. */
  async book(name: string): Promise<Book> {
    const topic = await this.topic(name)
    const known = this.#books.get(topic.id)
    if (known) return known
    const opening = this.#openBook(name)
    this.#books.set(topic.id, opening)
    opening.catch(() => this.#books.delete(topic.id))
    return opening
  }

  /** The books of all topics that there are. */
  async books(): Promise<readonly Book[]> {
    await this.registry.sync()
    const opened = await Promise.all([...this.topics.keys()].map((name) => this.book(name).catch((error: unknown) => {
      // It was removed meanwhile.
      if (!this.topics.has(name)) return undefined
      throw error
    })))
    return opened.filter((book) => book !== undefined)
  }

  stir(stir: Stir): void {
    for (const watcher of [...this.watchers]) watcher(stir)
  }

  async #openBook(name: string): Promise<Book> {
    const book = new Book(name)
    await this.#openLedger(this.names.ledger(name), book.events, (ledger) => {
      book.ledger = ledger
    })
    this.#onBook(book)
    return book
  }

  async #openLedger(topic: string, events: ConstructorParameters<typeof Ledger>[4], onMade: (ledger: Ledger) => void = () => undefined): Promise<Ledger> {
    if (!this.#reader) throw new Error('the store is open')
    const ledger = new Ledger(topic, this.client, this.#reader, this.clock, { ...events, gone: () => {
      this.#ledgers.delete(topic)
      events.gone()
    } })
    onMade(ledger)
    this.#ledgers.set(topic, ledger)
    await ledger.open(this.copies, this.#options.config)
    return ledger
  }

  #registered(id: string, now: Entry | undefined): void {
    const name = id.slice(2)
    if (!id.startsWith('t/')) return
    const before = this.topics.get(name)
    const row = now && decode<TopicRow>(now)
    const topic = row?.removing === undefined ? row?.topic : undefined
    if (topic) this.topics.set(name, topic)
    else this.topics.delete(name)
    if (before && before.id !== topic?.id) this.#forget(before)
    if (before && before.paused !== topic?.paused) this.stir({ what: 'paused', topic: name })
  }

  #forget({ id, name }: Topic): void {
    this.#books.delete(id)
    const kafkaTopic = this.names.ledger(name)
    const ledger = this.#ledgers.get(kafkaTopic)
    this.#reader?.remove(kafkaTopic, 0)
    ledger?.lost()
    this.stir({ what: 'members', topic: name })
  }
}
