import type { Clock, Millis } from '../../core/clock.js'
import type { Offset } from '../../core/message.js'
import type { GroupPlace, KafkaAdmin } from './port.js'

/** How long what was heard counts. A place that is older keeps more than it has to. */
const heardMs = 10_000
/** A group without members, that has nothing in our topics, is asked again after so long: only by hand does it get a place. */
const idleMs = 60_000
/** So many questions at once. */
const groupsAtOnce = 8

export interface Cluster {
  readonly admin: Pick<KafkaAdmin, 'groups' | 'placesOf'>
  readonly clock: Clock
  /** Kafka's topics that are ours. */
  topics(): ReadonlySet<string>
}

interface Known {
  readonly places: readonly GroupPlace[]
  readonly isIdle: boolean
  readonly askedAt: Millis
}

/** The consumer groups of the cluster, by what they have committed in our topics. They are asked for all topics together, and of thousands that are old only now and then. */
export class Foreigners {
  readonly #cluster: Cluster
  #known = new Map<string, Known>()
  /** Whose places are known. */
  #topics: ReadonlySet<string> = new Set()
  #heardAt: Millis = -Infinity

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** The lowest place in each partition of one of Kafka's topics, of groups that are not `ours`. */
  async lowest(topic: string, ours: ReadonlySet<string>): Promise<ReadonlyMap<number, Offset>> {
    if (!this.#topics.has(topic) || this.#cluster.clock.monotonic() - this.#heardAt >= heardMs) await this.#hear()
    const lowest = new Map<number, Offset>()
    for (const [group, { places }] of this.#known) {
      if (ours.has(group)) continue
      for (const { topic: at, partition, offset } of places) if (at === topic && offset < (lowest.get(partition) ?? offset + 1n)) lowest.set(partition, offset)
    }
    return lowest
  }

  async #hear(): Promise<void> {
    const { admin, clock } = this.#cluster
    const ours = new Set(this.#cluster.topics())
    const before = [...ours].every((topic) => this.#topics.has(topic)) ? this.#known : new Map<string, Known>()
    const now = clock.monotonic()
    const groups = await admin.groups()
    const known = new Map<string, Known>()
    for (let at = 0; at < groups.length; at += groupsAtOnce) {
      await Promise.all(groups.slice(at, at + groupsAtOnce).map(async ({ group, isEmpty }) => {
        const last = before.get(group)
        const mayRest = isEmpty && last?.isIdle === true && now - last.askedAt < idleMs
        known.set(group, mayRest ? last : await this.#ask(group, isEmpty, ours, now))
      }))
    }
    this.#known = known
    this.#topics = ours
    this.#heardAt = now
  }

  async #ask(group: string, isEmpty: boolean, ours: ReadonlySet<string>, askedAt: Millis): Promise<Known> {
    const places = (await this.#cluster.admin.placesOf(group)).filter(({ topic }) => ours.has(topic))
    return { places, isIdle: isEmpty && places.length === 0, askedAt }
  }
}
