import type { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { KafkaRecord, Reader, ReaderEvents } from '../port.js'
import type { ConfluentAdmin } from './admin.js'
import { asError } from './codes.js'
import { fromNative } from './header.js'
import type { Base } from './link.js'
import { Place, Places } from './place.js'
import { Stream } from './stream.js'
import type { NativeEnd, NativeError, NativeMessage, NativePlace } from './structure.js'
import { pause as rest } from './wait.js'
import { Watch } from './watch.js'

const rebuildMs = 500

/** Partitions read by place. What it promises is kept here; a Stream is one native consumer, which may be replaced by another at the same places. */
export class ConfluentReader implements Reader {
  readonly #base: Base
  readonly #on: ReaderEvents
  readonly #left: (reader: ConfluentReader) => void
  readonly #places = new Places()
  readonly #watch: Watch
  /** Taken out, and the native consumer does not know yet. */
  #leaving: Place[] = []
  #stream: Stream | undefined
  #isScheduled = false
  #isEased = false
  #isClosed = false
  #isDown = false
  #closing: Promise<void> | undefined

  constructor(base: Base, admin: ConfluentAdmin, on: ReaderEvents, left: (reader: ConfluentReader) => void) {
    this.#base = base
    this.#on = on
    this.#left = left
    this.#watch = new Watch(base.clock, admin, {
      places: () => this.#places.all(),
      outMs: () => this.#stream?.outMs ?? 0,
      lost: (place, why) => this.#lose(place, why),
      ended: (place) => this.#tellEnd(place),
      stalled: (error) => void this.#rebuild(error),
      unanswered: (error) => this.#on.trouble(error),
    })
  }

  async open(): Promise<void> {
    this.#stream = await this.#newStream()
    this.#watch.begin()
  }

  add(topic: string, partition: number, from: Offset): void {
    this.#takeOut(this.#places.get(topic, partition))
    this.#places.set(new Place(topic, partition, from))
    this.#schedule()
  }

  remove(topic: string, partition: number): void {
    this.#takeOut(this.#places.get(topic, partition))
    this.#schedule()
  }

  pause(topic: string, partition: number): void {
    const place = this.#places.get(topic, partition)
    if (place === undefined) return
    place.isPaused = true
    this.#schedule()
  }

  resume(topic: string, partition: number): void {
    const place = this.#places.get(topic, partition)
    if (place === undefined) return
    place.isPaused = false
    this.#schedule()
  }

  ease(isEased: boolean): void {
    this.#isEased = isEased
    this.#stream?.ease(isEased)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    this.#watch.end()
    await this.#stream?.close()
    this.#left(this)
  }

  #newStream(): Promise<Stream> {
    return Stream.open(this.#base, {
      taken: (messages, ends, error) => this.#taken(messages, ends, error),
      down: (error) => this.#down(error),
    })
  }

  /** Told once, until something comes again. */
  #down(error: NativeError): void {
    if (!this.#isDown) this.#on.trouble(asError(error, 'cannot read from Kafka'))
    this.#isDown = true
  }

  #takeOut(place: Place | undefined): void {
    if (place === undefined) return
    this.#places.delete(place)
    if (place.native !== 'out') this.#leaving.push(place)
  }

  #taken(messages: readonly NativeMessage[], ends: readonly NativeEnd[], error: NativeError | undefined): void {
    this.#hand(this.#gathered(messages))
    for (const end of ends) this.#ended(end)
    this.#reconcile()
    // The client does not say which partition it means, and drops such an error when records came with it.
    if (error !== undefined) this.#watch.lookNow()
  }

  /** Those of one partition mostly come one after another. */
  #gathered(messages: readonly NativeMessage[]): ReadonlyMap<Place, readonly KafkaRecord[]> {
    const batches = new Map<Place, KafkaRecord[]>()
    let place: Place | undefined
    let batch: KafkaRecord[] | undefined
    for (const message of messages) {
      if (place?.partition !== message.partition || place.topic !== message.topic) {
        place = this.#places.get(message.topic, message.partition)
        batch = place && batches.get(place)
      }
      if (place === undefined || place.native === 'out') continue
      if (batch === undefined) batches.set(place, (batch = []))
      batch.push(recordOf(message))
    }
    return batches
  }

  #ended({ topic, partition, offset }: NativeEnd): void {
    const place = this.#places.get(topic, partition)
    if (place === undefined || place.native === 'out') return
    place.isHeard = true
    // More came behind it, and another end will.
    if (place.next > offset) return
    place.next = BigInt(offset)
    this.#tellEnd(place)
  }

  #tellEnd(place: Place): void {
    if (!this.#places.has(place)) return
    place.isAtEnd = true
    if (place.isPaused || place.isHolding) place.heldEnd = place.next
    else this.#on.end(place.topic, place.partition, place.next)
  }

  /** What one call brought goes to the application, unless that has paused the partition or let it go meanwhile. */
  #hand(batches: ReadonlyMap<Place, readonly KafkaRecord[]>): void {
    if (batches.size > 0) this.#isDown = false
    for (const [place, batch] of batches) {
      place.next = (batch.at(-1)?.offset ?? place.next) + 1n
      place.isHeard = true
      place.isAtEnd = false
      if (!this.#places.has(place)) continue
      if (place.isPaused || place.isHolding) {
        for (const record of batch) place.held.push(record)
        place.heldEnd = undefined
      } else this.#on.records(place.topic, place.partition, batch)
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#stream?.isTaking === false) this.#reconcile()
    })
  }

  /** Makes the native consumer read what is wanted. Runs while no call is out, so that nothing of before a jump can come after it. */
  #reconcile(): void {
    const stream = this.#stream
    if (stream === undefined || this.#isClosed) return
    this.#handHeld()
    const places = this.#places.all()
    const unwanted = this.#leaving
    this.#leaving = []
    this.#native(unwanted, 'out', (each) => stream.unassign(each))
    this.#native(places.filter((place) => place.native === 'out' && !place.isPaused), 'flowing', (each) => stream.assign(each))
    this.#native(places.filter((place) => place.native === 'flowing' && place.isPaused), 'paused', (each) => stream.pause(each))
    this.#native(places.filter((place) => place.native === 'paused' && !place.isPaused), 'flowing', (each) => stream.resume(each))
  }

  #native(places: readonly Place[], then: Place['native'], call: (places: readonly NativePlace[]) => void): void {
    // A client that is being replaced is not told.
    if (places.length === 0 || this.#stream === undefined) return
    try {
      call(places.map((place) => (place.native === 'out' ? place.start() : place.name())))
      for (const place of places) place.native = then
    } catch (error) {
      void this.#rebuild(asError(error, 'the Kafka client lost its partitions'))
    }
  }

  #handHeld(): void {
    for (const place of this.#places.all()) {
      if (place.isPaused || !place.isHolding) continue
      const { held, heldEnd } = place
      place.held = []
      place.heldEnd = undefined
      if (held.length > 0) this.#on.records(place.topic, place.partition, held)
      if (heldEnd === undefined || !this.#places.has(place)) continue
      if (place.isPaused) place.heldEnd = heldEnd
      else this.#on.end(place.topic, place.partition, heldEnd)
    }
  }

  #lose(place: Place, why: 'deleted' | 'gone'): void {
    if (!this.#places.has(place)) return
    this.#takeOut(place)
    this.#schedule()
    this.#on.lost(place.topic, place.partition, why)
  }

  /** A new native consumer at the same places. The old one is closed beside it: it may not answer any more. */
  async #rebuild(why: MillraceError): Promise<void> {
    const broken = this.#stream
    if (broken === undefined || this.#isClosed) return
    this.#stream = undefined
    this.#leaving = []
    void broken.close()
    this.#on.trouble(why)
    for (;;) {
      for (const place of this.#places.all()) this.#forget(place)
      try {
        const stream = await this.#newStream()
        this.#stream = stream
        stream.ease(this.#isEased)
        if (this.#isClosed) return await stream.close()
        return this.#schedule()
      } catch (error) {
        if (this.#isClosed) return
        this.#on.trouble(asError(error, 'cannot read from Kafka'))
        await rest(this.#base.clock, rebuildMs)
      }
    }
  }

  #forget(place: Place): void {
    place.native = 'out'
    place.silentLooks = 0
    place.isAtEnd = false
    place.amissSince = undefined
  }
}

function recordOf(message: NativeMessage): KafkaRecord {
  return {
    topic: message.topic,
    partition: message.partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    headers: fromNative(message.headers),
    timestamp: message.timestamp,
  }
}
