import type { Cancel } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { ProducerGroup } from '../../core/hold.js'
import type { Check, Held, Keeping, KeepRequest } from '../../engine/engine.js'
import type { Keeps } from './steward.js'
import type { KafkaStore } from './store.js'

/** Questions that an instance has open, at most. */
const asksAtOnce = 100
/** How often it is looked for topics that are new. */
const lookMs = 1_000

type Answer = Awaited<ReturnType<Check>>

/** The keepers of this instance: while there is one, it ripens what is held in every topic, and asks who answers. */
export class Keepers implements Keeps {
  readonly #store: KafkaStore
  readonly #keepers = new Set<Keeper>()
  readonly #onChange: () => void
  readonly #onRoom: () => void
  #asking = 0
  #cancel: Cancel | undefined

  /** `onChange` is called when a keeper comes or goes, `onRoom` when a question is over. */
  constructor(store: KafkaStore, onChange: () => void, onRoom: () => void) {
    this.#store = store
    this.#onChange = onChange
    this.#onRoom = onRoom
  }

  get isKeeping(): boolean {
    return this.#keepers.size > 0
  }

  /** How many questions may be asked now. */
  get room(): number {
    return asksAtOnce - this.#asking
  }

  keeperFor(group: ProducerGroup): Keeper | undefined {
    for (const keeper of this.#keepers) if (keeper.answersFor(group)) return keeper
    return undefined
  }

  async keep({ answers }: KeepRequest): Promise<Keeping> {
    await this.#store.books()
    const keeper = new Keeper(answers, {
      began: () => (this.#asking += 1),
      ended: () => {
        this.#asking -= 1
        this.#onRoom()
      },
      stopped: () => this.#remove(keeper),
    })
    this.#keepers.add(keeper)
    this.#onChange()
    this.#look()
    return keeper
  }

  async close(): Promise<void> {
    await Promise.all([...this.#keepers].map((keeper) => keeper.stop()))
  }

  /** As in a process that was killed. */
  quiet(): void {
    this.#cancel?.()
    this.#keepers.clear()
  }

  #remove(keeper: Keeper): void {
    if (this.#keepers.delete(keeper)) this.#onChange()
  }

  /** Opens the books of new topics. */
  #look(): void {
    this.#cancel?.()
    if (!this.isKeeping) return
    for (const name of this.#store.topics.keys()) this.#store.book(name).catch((error: unknown) => this.#failed(name, error))
    this.#cancel = this.#store.clock.after(lookMs, () => this.#look())
  }

  #failed(name: string, error: unknown): void {
    if (this.isKeeping && this.#store.topics.has(name)) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `topic ${name}: what is held cannot be read`))
  }
}

interface KeeperEvents {
  began(): void
  ended(): void
  stopped(): void
}

export class Keeper implements Keeping {
  readonly #answers: ReadonlyMap<ProducerGroup, Check>
  readonly #events: KeeperEvents
  readonly #asking = new Set<Promise<void>>()

  constructor(answers: ReadonlyMap<ProducerGroup, Check>, events: KeeperEvents) {
    this.#answers = answers
    this.#events = events
  }

  answersFor(group: ProducerGroup): boolean {
    return this.#answers.has(group)
  }

  async stop(): Promise<void> {
    this.#events.stopped()
    while (this.#asking.size > 0) await Promise.all(this.#asking)
  }

  /** Something that `stop` waits for: a claim, a question, what follows from its answer. */
  async work(work: Promise<void>): Promise<void> {
    this.#events.began()
    this.#asking.add(work)
    try {
      await work
    } finally {
      this.#asking.delete(work)
      this.#events.ended()
    }
  }

  /** A checker that fails knows nothing. */
  async check(group: ProducerGroup, held: Held): Promise<Answer> {
    try {
      return (await this.#answers.get(group)?.(held)) ?? 'unknown'
    } catch {
      return 'unknown'
    }
  }
}
