import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { Reader, ReaderEvents } from '../port.js'
import { committedRecords } from './committed-records.js'
import { backoff, now, rest, stopper, within } from './deadline.js'
import { code, failure, isPassing, isSilence, typeOf } from './failure.js'
import type { Broker, CompressionCodecs } from './module.js'
import type { Nodes } from './nodes.js'
import { Place } from './place.js'
import { Turns } from './turns.js'
import { fetch, type FetchAnswer } from './wire-calls.js'

/** How long a broker holds a fetch for which there is nothing. A partition that is added meanwhile goes with the other lane. */
const waitMs = 250
/** On top of it: a broker that has not answered by then is silent. */
const silentMs = 5_000
const lanesPerNode = 2
const fetchBytes = 8 * 1_024 * 1_024
const partitionBytes = 1_024 * 1_024
/** A partition that nobody leads, a topic that is just made: looked for anew this often. */
const lookAgainMs = 100
/** A topic that was not there for so long is gone. */
const goneMs = 2_000
/** A place that lies outside the log for so long is lost: a new leader may have to catch up first. */
const outsideMs = 3_000
/** What will hardly go away by itself: compression that nobody can read, missing rights. */
const hopelessMs = 1_000
const tellAgainMs = 10_000
/** An end that only shows in that nothing comes: compaction took the last records. */
const silencesAtEnd = 3

/** Reads with its own fetches: kafkajs's consumer reads only inside a group, whose rebalances would stop it. */
export class KafkaJsReader implements Reader {
  readonly #nodes: Nodes
  readonly #codecs: CompressionCodecs | undefined
  readonly #on: ReaderEvents
  readonly #closed: () => void
  readonly #places = new Map<string, Place>()
  readonly #lanes = new Map<number, number>()
  readonly #connections = new Map<number, Broker[]>()
  readonly #looking = new Set<string>()
  readonly #absent = new Map<string, Millis>()
  readonly #toldUntil = new Map<string, Millis>()
  readonly #stop = stopper()
  readonly #turns = new Turns(() => this.#turn(), this.#stop.signal)
  #turned = 0

  constructor(nodes: Nodes, codecs: CompressionCodecs | undefined, on: ReaderEvents, closed: () => void) {
    this.#closed = closed
    this.#nodes = nodes
    this.#codecs = codecs
    this.#on = on
  }

  add(topic: string, partition: number, from: Offset): void {
    const name = nameOf(topic, partition)
    this.#places.get(name)?.end()
    this.#places.set(name, new Place(topic, partition, from))
    this.#turns.ask()
  }

  remove(topic: string, partition: number): void {
    const name = nameOf(topic, partition)
    this.#places.get(name)?.end()
    this.#places.delete(name)
  }

  pause(topic: string, partition: number): void {
    this.#places.get(nameOf(topic, partition))?.pause()
  }

  resume(topic: string, partition: number): void {
    if (this.#places.get(nameOf(topic, partition))?.resume() === true) this.#turns.ask()
  }

  /** What it has fetched it has anyway, and a pause drops nothing. */
  ease(): void {}

  async close(): Promise<void> {
    this.#stop.abort()
    for (const each of this.#places.values()) each.end()
    this.#places.clear()
    this.#closed()
    await this.#nodes.close()
  }

  /** Gives each partition that is wanted and not asked for to a lane of its leader. */
  #turn(): void {
    const byNode = new Map<number, Place[]>()
    for (const place of this.#inTurn()) {
      if (!place.ready) continue
      const leader = this.#nodes.leader(place.topic, place.partition)
      if (leader === undefined || leader < 0) void this.#look(place.topic)
      else byNode.set(leader, [...(byNode.get(leader) ?? []), place])
    }
    for (const [node, places] of byNode) {
      if ((this.#lanes.get(node) ?? 0) < lanesPerNode) void this.#fetch(node, places)
    }
  }

  /** Beginning with another one each time: a full answer leaves out the last ones. */
  #inTurn(): Place[] {
    const places = [...this.#places.values()]
    this.#turned = places.length === 0 ? 0 : (this.#turned + 1) % places.length
    return [...places.slice(this.#turned), ...places.slice(0, this.#turned)]
  }

  async #fetch(node: number, places: readonly Place[]): Promise<void> {
    this.#lanes.set(node, (this.#lanes.get(node) ?? 0) + 1)
    for (const place of places) place.asked()
    let broker: Broker | undefined
    try {
      broker = await this.#connection(node)
      const answers = await within(waitMs + silentMs, `node ${node}: a fetch`, fetch(broker, { places: places.map((each) => each.wanted), waitMs, maxBytes: fetchBytes, partitionBytes }))
      this.#giveBack(node, broker)
      broker = undefined
      const full = answers.some(({ bytes }) => bytes.length > 0)
      for (const answer of answers) await this.#answered(places, answer, full)
    } catch (error) {
      if (broker !== undefined) this.#nodes.release(broker)
      if (isSilence(error)) this.#nodes.suspect(node)
      await this.#failed(places, error)
    } finally {
      for (const place of places) place.answered()
      this.#lanes.set(node, (this.#lanes.get(node) ?? 1) - 1)
      this.#turns.ask()
    }
  }

  async #connection(node: number): Promise<Broker> {
    const free = this.#connections.get(node)?.pop()
    if (free?.isConnected() === true) return free
    if (free !== undefined) this.#nodes.release(free)
    return this.#nodes.own(node)
  }

  #giveBack(node: number, broker: Broker): void {
    const free = this.#connections.get(node)
    if (free === undefined) this.#connections.set(node, [broker])
    else free.push(broker)
  }

  async #answered(places: readonly Place[], answer: FetchAnswer, full: boolean): Promise<void> {
    const place = places.find((each) => each.topic === answer.topic && each.partition === answer.partition)
    if (place?.current !== true) return
    if (answer.code !== code.none && answer.code !== code.offsetOutOfRange) this.#nodes.forget(place.topic)
    try {
      if (answer.code === code.none) await this.#read(place, answer, full)
      else if (answer.code === code.offsetOutOfRange) await this.#outside(place)
      else if (answer.code === code.topicForbidden) throw new MillraceError('FORBIDDEN', 'the broker refuses reads')
    } catch (error) {
      // The others of this fetch go on.
      this.#tell(failure(error, `topic ${place.topic}, partition ${place.partition}`))
      this.#leaveAlone(place, hopelessMs)
    }
  }

  #leaveAlone(place: Place, ms: Millis): void {
    place.resting = true
    void rest(ms, this.#stop.signal).then(() => {
      place.resting = false
      this.#turns.ask()
    })
  }

  async #read(place: Place, answer: FetchAnswer, full: boolean): Promise<void> {
    const from = place.next
    const { records, next } = await committedRecords(answer, from, this.#codecs)
    // It may have been paused or taken out meanwhile.
    if (!place.current) return
    place.next = next
    place.failures = 0
    place.outsideSince = undefined
    if (records.length > 0) this.#on.records(place.topic, place.partition, records)
    if (!place.stands || this.#stop.signal.aborted) return
    place.silences = answer.bytes.length === 0 && !full && next < answer.stable ? place.silences + 1 : 0
    const end = next >= answer.stable ? next : place.silences >= silencesAtEnd ? answer.stable : undefined
    if (end === undefined || end === place.ended) return
    place.ended = end
    this.#on.end(place.topic, place.partition, end)
  }

  /** Before the log's beginning, or behind its end while a new leader catches up. */
  async #outside(place: Place): Promise<void> {
    const began = (place.outsideSince ??= now())
    const start = await this.#start(place)
    if (!place.stands) return
    if ((start !== undefined && place.next < start) || now() - began >= outsideMs) return this.#lose(place, 'deleted')
    this.#leaveAlone(place, lookAgainMs)
  }

  async #start({ topic, partition }: Place): Promise<Offset | undefined> {
    const leader = this.#nodes.leader(topic, partition)
    if (leader === undefined || leader < 0) return undefined
    const broker = await this.#nodes.broker(leader)
    const { responses } = await within(silentMs, 'looking up an offset', broker.listOffsets({ isolationLevel: 1, topics: [{ topic, partitions: [{ partition, timestamp: -2 }] }] }))
    const found = responses[0]?.partitions[0]
    return found === undefined ? undefined : BigInt(found.offset)
  }

  async #failed(places: readonly Place[], error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) return
    for (const { topic } of places) this.#nodes.forget(topic)
    this.#tell(failure(error, isPassing(error) ? 'a fetch got no answer; connecting anew' : 'a fetch failed'))
    const [first] = places
    if (first !== undefined) await rest(backoff(first.failures++), this.#stop.signal)
  }

  async #look(topic: string): Promise<void> {
    if (this.#looking.has(topic)) return
    this.#looking.add(topic)
    try {
      const seen = await within(silentMs, `looking at topic ${topic}`, this.#nodes.look(topic))
      const mine = [...this.#places.values()].filter((each) => each.topic === topic)
      const absent = mine.filter(({ partition }) => seen?.get(partition) === undefined)
      if (absent.length === 0) this.#absent.delete(topic)
      else if (now() - this.#since(topic) >= goneMs) for (const place of absent) this.#lose(place, 'gone')
      const leaderless = mine.some(({ partition }) => (seen?.get(partition)?.leader ?? -1) < 0)
      if (leaderless) await rest(lookAgainMs, this.#stop.signal)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#tell(failure(error, `topic ${topic} cannot be looked at`))
      await rest(typeOf(error) === 'FORBIDDEN' ? 1_000 : lookAgainMs, this.#stop.signal)
    } finally {
      this.#looking.delete(topic)
      this.#turns.ask()
    }
  }

  /** Each trouble once in a while, however often it is met. */
  #tell(error: MillraceError): void {
    const due = this.#toldUntil.get(error.message) ?? 0
    if (now() < due) return
    for (const [message, until] of this.#toldUntil) if (now() >= until) this.#toldUntil.delete(message)
    this.#toldUntil.set(error.message, now() + tellAgainMs)
    this.#on.trouble(error)
  }

  #since(topic: string): Millis {
    const since = this.#absent.get(topic) ?? now()
    this.#absent.set(topic, since)
    return since
  }

  #lose(place: Place, why: 'deleted' | 'gone'): void {
    if (!place.stands) return
    this.remove(place.topic, place.partition)
    this.#on.lost(place.topic, place.partition, why)
  }
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
