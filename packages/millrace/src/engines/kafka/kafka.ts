import { type Clock, systemClock } from '../../core/clock.js'
import type { MillraceError } from '../../core/errors.js'
import type { Draft, Durability, Message } from '../../core/message.js'
import type { Census } from '../../engine/census.js'
import type { BrowseQuery, Decided, Decision, Engine, Held, HoldQuery, JoinRequest, Keeping, KeepRequest, Membership, Page, Published, Stir } from '../../engine/engine.js'
import type { Traits } from '../../engine/traits.js'
import { Ages } from './ages.js'
import { Alone } from '../../engine/cursor/alone.js'
import { Browser } from './browse.js'
import { census, type Estimates } from './census.js'
import { Groups } from './groups.js'
import { Holding } from './holding.js'
import { Janitor } from './janitor.js'
import { Listener } from './listener.js'
import { KafkaMember } from './member.js'
import { Names } from './names.js'
import type { KafkaClient } from './port.js'
import { publish } from './publish.js'
import { Scanner } from './scanner.js'
import { Sizes } from './sizes.js'
import { KafkaStore } from './store.js'
import { Topics } from './topics.js'

export interface KafkaOptions {
  /** `confluent({ … })` or `kafkajs({ … })`. The engine opens and closes it: one for each engine. */
  readonly client: KafkaClient
  /** In front of the name of every topic and group on the cluster, so that several stores share it. Default none. */
  readonly prefix?: string
  /** Copies of the engine's own topics, and the fewest of any topic, which may ask for more. Default 1; 3 on a cluster of three or more. */
  readonly replicationFactor?: number
  /** Settings of the engine's own topics, on top of its own. */
  readonly config?: Readonly<Record<string, string>>
  /** Told of trouble that the engine deals with by itself: a connection that was lost, a broker that was silent. */
  readonly report?: (error: MillraceError) => void
  readonly clock?: Clock
}

/** An engine on Kafka: every promise on the distributed log. */
export class KafkaEngine implements Engine {
  readonly name = 'kafka'
  readonly topics: Topics
  readonly groups: Groups
  readonly #store: KafkaStore
  readonly #alone = new Alone()
  readonly #members = new Set<KafkaMember | Listener>()
  readonly #holding: Holding
  readonly #scanner: Scanner
  readonly #browser: Browser
  readonly #estimates: Estimates
  #janitor: Janitor | undefined

  constructor({ client, prefix = '', replicationFactor = 1, config = {}, report = () => undefined, clock = systemClock }: KafkaOptions) {
    this.#store = new KafkaStore({ client, clock, names: new Names(prefix), replicationFactor, config, report }, (book) => {
      this.#holding.follow(book)
      this.#janitor?.follow(book)
    })
    this.#holding = new Holding(this.#store)
    this.#scanner = new Scanner(this.#store)
    this.#browser = new Browser(this.#store, this.#scanner)
    this.#estimates = { ages: new Ages(this.#store, this.#scanner), sizes: new Sizes(this.#store, this.#scanner) }
    this.topics = new Topics(this.#store)
    this.groups = new Groups(this.#store)
  }

  get traits(): Traits {
    return {
      // Verdicts and holds are in our own topics.
      durability: this.#store.survives,
      persistent: true,
      shared: true,
      beatsWhileBlocked: this.#store.client.beatsWhileBlocked,
      park: true,
      lend: true,
      broadcast: true,
      dedup: false,
      prepared: true,
      trim: false,
      cap: false,
      bands: 1,
      census: 'estimated',
    }
  }

  async open(): Promise<void> {
    await this.#store.open()
    this.#janitor = new Janitor(this.#store)
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#members].map((member) => member.leave()))
    await this.#janitor?.close()
    await this.#holding.close()
    await this.#scanner.close()
    await this.#store.close()
  }

  /** For tests: silent as a process that was killed. Its connections end with `close`. */
  async die(): Promise<void> {
    for (const member of [...this.#members]) member.die()
    this.#holding.quiet()
  }

  publish(drafts: readonly Draft[], level?: Durability): Promise<readonly Published[]> {
    return publish(this.#store, this.#holding, drafts, level)
  }

  async join(request: JoinRequest): Promise<Membership> {
    const book = await this.#store.book(request.topic)
    if (request.mode === 'share') await this.groups.create(request.topic, request.group, request.from)
    const over = (): void => void this.#members.delete(member)
    const member: KafkaMember | Listener = await (request.mode === 'share' ? KafkaMember.join(this.#store, book, request, this.#alone, over) : Listener.join(this.#store, book, request, over))
    this.#members.add(member)
    return member
  }

  decide(decisions: readonly Decision[]): Promise<readonly Decided[]> {
    return this.#holding.decide(decisions)
  }

  keep(request: KeepRequest): Promise<Keeping> {
    return this.#holding.keep(request)
  }

  holds(query: HoldQuery): Promise<Page<Held>> {
    return this.#holding.holds(query)
  }

  browse(query: BrowseQuery): Promise<Page<Message>> {
    return this.#browser.browse(query)
  }

  census(): Promise<Census> {
    return census(this.#store, this.#estimates)
  }

  watch(on: (stir: Stir) => void): () => void {
    this.#store.watchers.add(on)
    return () => this.#store.watchers.delete(on)
  }
}

export function kafka(options: KafkaOptions): KafkaEngine {
  return new KafkaEngine(options)
}
