import type { Cancel, Clock } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Bounds } from '../port.js'
import type { ConfluentAdmin } from './admin.js'
import { asError } from './codes.js'
import type { Place } from './place.js'

const lookMs = 1_000
/** Partitions at their end are silent by nature; they are looked at every so many looks. */
const restEvery = 5
/** Looks in a row with more to read and nothing coming, after which the connection is built anew. */
const stalledLooks = 5
/** The client's call for records waits for nothing, but for a thread of libuv's pool. */
const longestCallMs = 30_000
/** A topic that was just made is unknown for a moment; of a broker that was just started so is any, or its log seems to end where it did when that was last written down. */
const amissMs = 3_000

export interface WatchEvents {
  places(): readonly Place[]
  /** How long the call for records has been out. It waits for nothing, so that it comes back at once. */
  outMs(): number
  lost(place: Place, why: 'deleted' | 'gone'): void
  /** There is no more to read, and the client has not said so: it drops that when an error comes right behind. */
  ended(place: Place): void
  stalled(error: MillraceError): void
  /** The cluster does not answer. Told once, until it does again. */
  unanswered(error: MillraceError): void
}

type Asked = Pick<ConfluentAdmin, 'partitionsOf' | 'bounds' | 'logEnds'>

/** Asks the cluster about partitions from which nothing comes: is there nothing, was it deleted, or do our fetches get no answer? */
export class Watch {
  readonly #clock: Clock
  readonly #admin: Asked
  readonly #on: WatchEvents
  #next: Cancel | undefined
  #looks = 0
  #isLooking = false
  #isAnswered = true
  #isEnded = false

  constructor(clock: Clock, admin: Asked, on: WatchEvents) {
    this.#clock = clock
    this.#admin = admin
    this.#on = on
  }

  begin(): void {
    this.#next = this.#clock.after(lookMs, () => void this.#tick())
  }

  end(): void {
    this.#isEnded = true
    this.#next?.()
  }

  /** Something is wrong with some partition. */
  lookNow(): void {
    void this.#look(this.#on.places().filter((place) => isRead(place) && !place.isHeard))
  }

  async #tick(): Promise<void> {
    this.#looks += 1
    const places = this.#on.places().filter(isRead)
    if (this.#on.outMs() > longestCallMs) this.#on.stalled(new MillraceError('TIMEOUT', 'the Kafka client has not come back with records: it is built anew'))
    else await this.#look(places.filter((place) => !place.isHeard && (!place.isAtEnd || place.amissSince !== undefined || this.#looks % restEvery === 0)))
    for (const place of places) {
      if (place.isHeard) {
        place.silentLooks = 0
        place.amissSince = undefined
      }
      place.isHeard = false
    }
    if (!this.#isEnded) this.begin()
  }

  async #look(silent: readonly Place[]): Promise<void> {
    if (this.#isLooking || silent.length === 0) return
    this.#isLooking = true
    try {
      for (const [topic, places] of byTopic(silent)) await this.#ask(topic, places)
      this.#isAnswered = true
    } catch (error) {
      if (this.#isAnswered && !this.#isEnded) this.#on.unanswered(asError(error, 'nothing comes, and the cluster does not answer'))
      this.#isAnswered = false
    } finally {
      this.#isLooking = false
    }
    const stalled = silent.find((place) => place.silentLooks >= stalledLooks)
    if (stalled !== undefined && !this.#isEnded) {
      this.#on.stalled(new MillraceError('TIMEOUT', `no records of ${stalled.topic}, partition ${stalled.partition}, came for ${stalledLooks} s though there are some: the connection is built anew`))
    }
  }

  async #ask(topic: string, places: readonly Place[]): Promise<void> {
    const there = await this.#admin.partitionsOf(topic)
    const known = places.filter((place) => there !== undefined && place.partition < there)
    for (const place of places) if (!known.includes(place)) this.#isAmiss(place, 'gone')
    if (known.length === 0) return
    const bounds = new Map((await this.#admin.bounds(topic, known.map((place) => place.partition))).map((each) => [each.partition, each]))
    for (const place of known) this.#compare(place, bounds.get(place.partition))
    const isBeyond = (place: Place): boolean => place.next > (bounds.get(place.partition)?.end ?? place.next)
    for (const place of known) if (!isBeyond(place)) place.amissSince = undefined
    await this.#askBeyond(topic, known.filter(isBeyond))
  }

  /** A place may lie beyond the committed records while a transaction is open, but never beyond the log: that one was cut, or is another topic's now. */
  async #askBeyond(topic: string, places: readonly Place[]): Promise<void> {
    if (places.length === 0) return
    const ends = await this.#admin.logEnds(topic, places.map((place) => place.partition))
    for (const [index, place] of places.entries()) {
      if ((ends[index] ?? place.next) < place.next) this.#isAmiss(place, 'deleted')
      else place.amissSince = undefined
    }
  }

  #isAmiss(place: Place, why: 'deleted' | 'gone'): void {
    const now = this.#clock.monotonic()
    place.amissSince ??= now
    if (now - place.amissSince >= amissMs && !this.#isEnded) this.#on.lost(place, why)
  }

  #compare(place: Place, bounds: Bounds | undefined): void {
    if (bounds === undefined || this.#isEnded || place.isHeard) return
    if (bounds.start > place.next) this.#on.lost(place, 'deleted')
    else if (bounds.end === place.next && !place.isAtEnd) this.#on.ended(place)
    else place.silentLooks = bounds.end > place.next ? place.silentLooks + 1 : 0
  }
}

function isRead(place: Place): boolean {
  return !place.isPaused && place.native === 'flowing'
}

function byTopic(places: readonly Place[]): ReadonlyMap<string, readonly Place[]> {
  const topics = new Map<string, Place[]>()
  for (const place of places) topics.set(place.topic, [...(topics.get(place.topic) ?? []), place])
  return topics
}
