import { MillraceError } from '../../core/errors.js'
import type { Durability } from '../../core/message.js'
import type { Decided, Decision, Held, HoldQuery, Keeping, KeepRequest, Page, Published } from '../../engine/engine.js'
import { Asker } from './asker.js'
import { Bodies } from './bodies.js'
import type { Book, BookEvents, KeptHold } from './book.js'
import { Clerk } from './clerk.js'
import { decide } from './decide.js'
import { HeldOrder } from './held-order.js'
import { holds } from './holds.js'
import { Keepers } from './keeper.js'
import { Leftovers } from './leftovers.js'
import { publishHeld, type HeldDraft } from './publish-held.js'
import { Steward } from './steward.js'
import type { KafkaStore } from './store.js'

/** What an instance does about the holds of one topic. */
interface Office {
  readonly order: HeldOrder
  readonly steward: Steward
  readonly clerk: Clerk
  readonly asker: Asker
}

/** What an instance does about held messages, in all topics whose books it has open. */
export class Holding {
  readonly #store: KafkaStore
  readonly #offices = new Map<Book, Office>()
  readonly #keepers: Keepers
  readonly #bodies: Bodies

  constructor(store: KafkaStore) {
    this.#store = store
    this.#bodies = new Bodies(store)
    this.#keepers = new Keepers(store, () => this.#keepersChanged(), () => this.#each(({ asker }) => asker.ask()))
  }

  /** For each book that is opened, once. */
  follow(book: Book): void {
    const order = new HeldOrder(book)
    const asker = new Asker(this.#store, book, this.#keepers)
    const leftovers = new Leftovers(book)
    const steward = new Steward(this.#store, book, this.#keepers, () => {
      void leftovers.sweep(this.#store.clock.monotonic())
      clerk.turn()
    })
    const clerk = new Clerk(this.#store, book, this.#bodies, steward, this.#keepers)
    this.#offices.set(book, { order, steward, clerk, asker })
    const forgotten: BookEvents = { gone: () => this.#offices.delete(book) }
    for (const events of [order.events, clerk.events, asker.events, this.#stirs(book), forgotten]) book.listeners.add(events)
    steward.start()
  }

  /** Whether this instance is the steward of the topic, who alone cleans it. */
  isSteward(book: Book): boolean {
    return this.#offices.get(book)?.steward.isOurs === true
  }

  /** Stores drafts of one topic that are held. `survives` is what a record of the topic's ledger does. */
  publish(book: Book, drafts: readonly HeldDraft[], survives: readonly Durability[]): Promise<readonly Published[]> {
    return publishHeld(this.#store, book, drafts, survives)
  }

  decide(decisions: readonly Decision[]): Promise<readonly Decided[]> {
    return decide(this.#store, decisions)
  }

  keep(request: KeepRequest): Promise<Keeping> {
    return this.#keepers.keep(request)
  }

  holds(query: HoldQuery): Promise<Page<Held>> {
    return holds({ store: this.#store, bodies: this.#bodies, orderOf: (book) => this.#office(book).order }, query)
  }

  /** Ends after what is under way, and gives every stewardship up. */
  async close(): Promise<void> {
    await this.#keepers.close()
    await Promise.all([...this.#offices.values()].map(async ({ steward, clerk, asker }) => {
      asker.quiet()
      await clerk.close()
      await steward.close()
    }))
    this.#offices.clear()
    await this.#bodies.close()
  }

  /** For tests: falls silent as in a process that was killed. */
  quiet(): void {
    this.#keepers.quiet()
    this.#each(({ steward, clerk, asker }) => {
      asker.quiet()
      clerk.quiet()
      steward.quiet()
    })
  }

  #keepersChanged(): void {
    this.#each(({ steward, asker }) => {
      steward.look()
      asker.look()
    })
  }

  #each(call: (office: Office) => void): void {
    for (const office of [...this.#offices.values()]) call(office)
  }

  #office(book: Book): Office {
    const office = this.#offices.get(book)
    if (!office) throw new MillraceError('UNKNOWN_TOPIC', `topic ${book.topic} is gone`, { field: 'topic' })
    return office
  }

  /** For those who watch, in every instance. */
  #stirs({ topic }: Book): BookEvents {
    return {
      waits: () => this.#store.stir({ what: 'held', topic }),
      anew: () => this.#store.stir({ what: 'held', topic }),
      held: (now, before) => {
        this.#store.stir({ what: 'held', topic })
        if (now && isParked(now) && before && !isParked(before)) this.#store.stir({ what: 'parked', topic })
      },
    }
  }
}

function isParked({ row: { hold } }: KeptHold): boolean {
  return hold.why === 'prepared' && hold.until === 'decided'
}
