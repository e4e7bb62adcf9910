import { randomUUID } from 'node:crypto'
import { type Base, connect, made } from './link.js'
import { Pump } from './pump.js'
import { readerSettings } from './settings.js'
import type { NativeConsumer, NativeEnd, NativeError, NativeMessage, NativePlace } from './structure.js'
import { told, within } from './wait.js'

/** Records taken by one call at most: making objects of so many holds up the thread for some milliseconds. */
const maxRecords = 500

/** How long a look for leaders may hold a thread of libuv's pool. */
const askMs = 500

export interface StreamEvents {
  /** What a call has brought: the messages, then the ends that were reached, some of them before messages that came behind. Nothing is out. */
  taken(messages: readonly NativeMessage[], ends: readonly NativeEnd[], error: NativeError | undefined): void
  /** No broker can be reached. */
  down(error: NativeError): void
}

/** The client gives this event no code. */
const downText = /all broker/i

/** One native consumer outside any group. It is told nothing after its close. */
export class Stream {
  readonly #base: Base
  readonly #native: NativeConsumer
  readonly #pump: Pump
  /** Topics whose leaders were asked for. */
  readonly #asked = new Set<string>()
  #closing: Promise<void> | undefined

  private constructor(base: Base, native: NativeConsumer, pump: Pump) {
    this.#base = base
    this.#native = native
    this.#pump = pump
  }

  static async open(base: Base, on: StreamEvents): Promise<Stream> {
    let ring = (): void => undefined
    // The client asks for a group's name even where no group is meant.
    const settings = { ...readerSettings, ...base.settings, 'group.id': `millrace-reader-${randomUUID()}`, queue_non_empty_cb: () => ring() }
    const native = made(() => new base.library.KafkaConsumer(settings))
    let ends: NativeEnd[] = []
    const pump = new Pump(native, base.clock, maxRecords, {
      between: (error, messages) => {
        const reached = ends
        if (ends.length > 0) ends = []
        on.taken(messages, reached, error)
      },
    })
    const stream = new Stream(base, native, pump)
    native.on('partition.eof', (end) => {
      pump.took()
      ends.push(end)
    })
    native.on('event.error', (error) => {
      if (stream.#closing === undefined && downText.test(error.message)) on.down(error)
    })
    await connect(base, native, () => stream.close())
    ring = pump.ring
    pump.ring()
    return stream
  }

  get isTaking(): boolean {
    return this.#pump.isOut
  }

  get outMs(): number {
    return this.#pump.outMs
  }

  ease(isEased: boolean): void {
    this.#pump.ease(isEased)
  }

  assign(places: readonly NativePlace[]): void {
    this.#native.incrementalAssign(places)
    const added = places.filter(({ topic }) => !this.#asked.has(topic))
    if (added.length === 0) return
    for (const { topic } of added) this.#asked.add(topic)
    // By itself the client looks for the leaders of topics that are new to it once a second.
    this.#native.getMetadata({ allTopics: false, timeout: askMs }, () => undefined)
  }

  unassign(places: readonly NativePlace[]): void {
    this.#native.incrementalUnassign(places)
    for (const { topic } of places) this.#asked.delete(topic)
  }

  pause(places: readonly NativePlace[]): void {
    this.#native.pause(places)
  }

  resume(places: readonly NativePlace[]): void {
    this.#native.resume(places)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const ended = this.#pump.stop().then(() => (this.#native.isConnected() ? told((answer) => this.#native.disconnect(() => answer(null))) : undefined))
    await within(this.#base.clock, this.#base.closeMs, ended)
  }
}
