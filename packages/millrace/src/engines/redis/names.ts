import { MillraceError } from '../../core/errors.js'

/** What our keys and channels are called: a prefix keeps several stores apart, a tag in braces keeps what belongs together in one slot. */
export class Names {
  readonly prefix: string
  /** Hash: name of a topic -> Topic as JSON; `#store` names the store, `#version` counts the changes. */
  readonly topics: string
  /** Channel: topics have changed. */
  readonly registry: string
  readonly #topics = new Map<string, TopicNames>()

  constructor(prefix: string) {
    if (/[{}\s]/u.test(prefix)) throw new MillraceError('CONFIG', `prefix ${JSON.stringify(prefix)} has braces or blanks: Redis reads a slot out of braces`, { field: 'prefix' })
    this.prefix = prefix
    this.topics = `${prefix}topics`
    this.registry = `${prefix}topics!`
  }

  topic(name: string): TopicNames {
    const known = this.#topics.get(name)
    if (known) return known
    const names = new TopicNames(this.prefix, name)
    this.#topics.set(name, names)
    return names
  }

  part(topic: string, partition: number): PartNames {
    return this.topic(topic).part(partition)
  }

  /** The topic was removed. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }
}

/** What belongs to a whole topic: one slot. */
export class TopicNames {
  readonly topic: string
  /** Hash: group -> GroupRow as JSON. */
  readonly groups: string
  /** Channel of what concerns the whole topic: a Stir without its topic, as JSON. */
  readonly channel: string
  /** String with a time: the instance that looks after the topic's logs. */
  readonly janitor: string
  readonly #prefix: string
  readonly #parts: PartNames[] = []

  constructor(prefix: string, topic: string) {
    this.#prefix = prefix
    this.topic = topic
    this.groups = `${prefix}{${topic}}groups`
    this.channel = `${prefix}{${topic}}!`
    this.janitor = `${prefix}{${topic}}janitor`
  }

  /** Sorted set: member -> when it counts as dead, by the server's clock. */
  beats(group: string): string {
    return `${this.#prefix}{${this.topic}}beats:${group}`
  }

  part(partition: number): PartNames {
    return (this.#parts[partition] ??= new PartNames(`${this.#prefix}{${this.topic}/${partition}}`))
  }
}

/** What belongs to one partition: one slot, another than its topic's. */
export class PartNames {
  /** In front of every key of the partition. */
  readonly base: string
  /** Stream: the messages. */
  readonly log: string
  /** Hash: what the partition is and has had. */
  readonly part: string
  /** Hash: an instance's last batches, so that one that is sent again is answered and not stored. */
  readonly seen: string
  /** Sorted set by offset: now and then how many entries and bytes there were before a place. */
  readonly marks: string
  /** Set: groups that have a cursor. */
  readonly groups: string
  /** Channel: see `stirs`. */
  readonly channel: string

  constructor(base: string) {
    this.base = base
    this.log = `${base}log`
    this.part = `${base}part`
    this.seen = `${base}seen`
    this.marks = `${base}marks`
    this.groups = `${base}groups`
    this.channel = `${base}!`
  }

  /** Hash: where a group stands. */
  cursor(group: string): string {
    return `${this.base}c:${group}`
  }

  /** String: offset of the first message with a dedup id, for its window. */
  dedup(id: string): string {
    return `${this.base}d:${id}`
  }

  /** Hash: offset -> held row of a group. */
  held(group: string): string {
    return `${this.base}h:${group}`
  }

  /** Hash: message id -> held row of a message that nobody may read yet. */
  get drafts(): string {
    return `${this.base}h`
  }

  /** Set: groups that have held messages. */
  get heldGroups(): string {
    return `${this.base}hg`
  }

  /** Sorted set: held messages of one state in the order in which they were held, of a group or of those that nobody has seen. */
  listed(state: string, group?: string): string {
    return group === undefined ? `${this.base}o${state}` : `${this.base}o${state}:${group}`
  }

  /** Set: offsets of a group's rows that whoever claims its cursor has to know. */
  known(group: string): string {
    return `${this.base}l:${group}`
  }

  /** List: what the owner of a group's cursor is told. */
  news(group: string): string {
    return `${this.base}n:${group}`
  }
}
