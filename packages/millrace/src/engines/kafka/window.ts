import type { Millis } from '../../core/clock.js'
import { asMillraceError } from '../../core/errors.js'
import type { Book, KeptHold } from './book.js'
import type { Due } from './due.js'
import type { Entry } from './ledger.js'
import type { KafkaStore } from './store.js'
import type { Waits } from './waiting.js'

/** How far ahead bodies are read; at first less, as some may be due already. */
const windowMs: Millis = 600_000
const firstMs: Millis = 5_000
/** So long before the window's end the log is swept for the next one, or longer where a sweep takes its time. */
const leadMs: Millis = 10_000
const sweepsOfLead = 3
/** Of what is in memory. */
const mostBytes = 128 * 2 ** 20
/** A hold in memory, beside its value. */
const holdBytes = 1_000

type WindowStore = Pick<KafkaStore, 'clock' | 'report'>
type WindowBook = Pick<Book, 'topic' | 'waiting' | 'keptHold'>
/** Reads what waits from the log, in its order. */
type SweepLog = (waits: readonly Waits[]) => AsyncIterable<readonly KeptHold[]>

interface Taken {
  readonly due: Millis
  readonly bytes: number
}

/** What is due next of the delays that wait, in memory; read from the ledger's log in one sweep for some minutes. */
export class Window {
  readonly #store: WindowStore
  readonly #book: WindowBook
  readonly #sweepLog: SweepLog
  readonly #due: Due
  readonly #onRead: () => void
  readonly #taken = new Map<string, Taken>()
  #bytes = 0
  /** All that is due before is here, or being read. */
  #horizon: Millis = -Infinity
  #isSweeping = false
  #isOver = false
  /** How long the last sweep took. */
  #sweepMs: Millis = 0

  /** `onRead` is called when there are more in `due`. */
  constructor(store: WindowStore, book: WindowBook, sweepLog: SweepLog, due: Due, onRead: () => void) {
    this.#store = store
    this.#book = book
    this.#sweepLog = sweepLog
    this.#due = due
    this.#onRead = onRead
  }

  /** Reads on where it is time. */
  look(): void {
    const wall = this.#store.clock.wall()
    const room = mostBytes - this.#bytes
    if (this.#isOver || this.#isSweeping || this.#horizon - wall > Math.max(leadMs, sweepsOfLead * this.#sweepMs) || room < mostBytes / 2) return
    const until = wall + (this.#horizon < wall ? firstMs : windowMs)
    const { picked, horizon } = this.#book.waiting.soonest(this.#horizon, until, room, (id) => this.#taken.has(id))
    this.#horizon = horizon
    if (picked.length > 0) void this.#sweep(picked)
  }

  /** One that was written now: what is due soon needs not be read again. */
  changed(id: string, now: Entry | undefined): void {
    this.#drop(id)
    if (now?.due !== undefined && now.due < this.#horizon) this.#take(this.#book.keptHold(now), { due: now.due, bytes: now.value.length })
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#isOver = true
    this.forget()
  }

  forget(): void {
    for (const id of [...this.#taken.keys()]) this.#drop(id)
    this.#horizon = -Infinity
  }

  async #sweep(picked: readonly Waits[]): Promise<void> {
    this.#isSweeping = true
    const began = this.#store.clock.monotonic()
    const wanted = new Map(picked.map((waits) => [waits.id, waits]))
    try {
      for await (const holds of this.#sweepLog(picked)) {
        for (const hold of holds) {
          const waits = wanted.get(hold.id)
          if (waits && waits.due < this.#horizon) this.#take(hold, waits)
        }
        this.#onRead()
      }
    } catch (error) {
      if (!this.#isOver) this.#store.report(asMillraceError(error, 'ENGINE_FAILED', `topic ${this.#book.topic}: delays could not be read, it is tried again`))
    }
    this.#isSweeping = false
    this.#sweepMs = Math.min(this.#store.clock.monotonic() - began, windowMs / (2 * sweepsOfLead))
    for (const { id, version, due } of picked) {
      if (!this.#taken.has(id) && this.#book.waiting.get(id)?.version === version) this.#horizon = Math.min(this.#horizon, due)
    }
  }

  #take(hold: KeptHold, { due, bytes }: Taken): void {
    this.#drop(hold.id)
    const taken = { due, bytes: bytes + holdBytes }
    this.#taken.set(hold.id, taken)
    this.#bytes += taken.bytes
    this.#due.put(hold)
    if (this.#bytes > mostBytes) this.#shorten()
  }

  #drop(id: string): void {
    const taken = this.#taken.get(id)
    if (!taken) return
    this.#taken.delete(id)
    this.#bytes -= taken.bytes
    this.#due.remove(id)
  }

  /** The later half is read again when its time is near. */
  #shorten(): void {
    const byDue = [...this.#taken].sort(([, one], [, other]) => one.due - other.due)
    while (this.#bytes > mostBytes / 2 && byDue.length > 1) {
      const [id, { due }] = byDue.pop() ?? ['', { due: Infinity }]
      this.#drop(id)
      this.#horizon = Math.min(this.#horizon, due)
    }
  }
}
