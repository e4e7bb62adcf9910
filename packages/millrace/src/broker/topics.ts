import { asMillraceError, isMillraceError, MillraceError, limits, type Millis, type Topic, type TopicChange, topicConfig, type TopicDraft } from '../core/index.js'
import type { Runtime } from './runtime.js'
import type { TopicContract, TopicRef, TopicSettings } from './topic-contract.js'

export interface Topics {
  /** The topic, created from the contract or draft where there is none. An existing one is left as it is. */
  ensure(topic: TopicRef | TopicDraft): Promise<Topic>
  /** Errors: TOPIC_EXISTS, INVALID naming the field, UNSUPPORTED. */
  create(topic: TopicRef | TopicDraft): Promise<Topic>
  /** Errors: UNKNOWN_TOPIC, INVALID. */
  alter(name: string, change: TopicChange): Promise<Topic>
  /** With its messages, groups and holds. Errors: UNKNOWN_TOPIC. */
  remove(name: string): Promise<void>
  list(): Promise<readonly Topic[]>
  /** Errors: UNKNOWN_TOPIC. */
  get(name: string): Promise<Topic>
  /** A paused topic takes messages and delivers none. */
  pause(name: string, paused?: boolean): Promise<Topic>
}

/** The topics as this instance knows them: asked for once, and again when the answer is old or proves wrong. */
export class TopicBook implements Topics {
  readonly #runtime: Runtime
  readonly #autoCreate: TopicSettings | undefined
  #known: ReadonlyMap<string, Topic> = new Map()
  #askedAt: Millis = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined

  constructor(runtime: Runtime, autoCreate: boolean | TopicSettings = false) {
    this.#runtime = runtime
    if (autoCreate !== false) this.#autoCreate = autoCreate === true ? {} : autoCreate
  }

  /** At once, or undefined when it has to be asked for. */
  known(name: string): Topic | undefined {
    const topic = this.#known.get(name)
    if (topic && Math.abs(this.#runtime.clock.wall() - this.#askedAt) > limits.topicsFreshMs) this.#refreshBehind()
    return topic
  }

  /** The topic, created where auto-creation is on. Errors: UNKNOWN_TOPIC. */
  async find(contract: Pick<TopicContract, 'name' | 'draft'>): Promise<Topic> {
    const { name, draft } = contract
    const topic = this.#known.get(name) ?? (await this.#ask(), this.#known.get(name))
    if (topic) return topic
    if (this.#autoCreate) return this.ensure({ ...this.#autoCreate, ...draft })
    throw unknownTopic(name)
  }

  /** What is known of a topic has proved wrong. */
  forget(name: string): void {
    const known = new Map(this.#known)
    known.delete(name)
    this.#known = known
  }

  async ensure(topic: TopicRef | TopicDraft): Promise<Topic> {
    const draft = draftOf(topic)
    await this.#ask()
    const found = this.#known.get(draft.name)
    if (found) return found
    try {
      return await this.create(draft)
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'TOPIC_EXISTS') throw error
      this.forget(draft.name)
      return this.get(draft.name)
    }
  }

  async create(topic: TopicRef | TopicDraft): Promise<Topic> {
    const config = topicConfig(draftOf(topic))
    await this.#runtime.open()
    return this.#learn(await this.#runtime.engine.topics.create(config))
  }

  async alter(name: string, change: TopicChange): Promise<Topic> {
    await this.#runtime.open()
    return this.#learn(await this.#runtime.engine.topics.alter(name, change))
  }

  async remove(name: string): Promise<void> {
    await this.#runtime.open()
    await this.#runtime.engine.topics.remove(name)
    this.forget(name)
  }

  async list(): Promise<readonly Topic[]> {
    await this.#ask()
    return [...this.#known.values()]
  }

  async get(name: string): Promise<Topic> {
    await this.#ask()
    const topic = this.#known.get(name)
    if (topic) return topic
    throw unknownTopic(name)
  }

  pause(name: string, paused = true): Promise<Topic> {
    return this.alter(name, { paused })
  }

  #learn(topic: Topic): Topic {
    this.#known = new Map(this.#known).set(topic.name, topic)
    return topic
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #fetch(): Promise<void> {
    await this.#runtime.open()
    const { engine } = this.#runtime
    const topics = await engine.topics.list().catch((error: unknown) => {
      throw asMillraceError(error, 'ENGINE_FAILED', `engine ${engine.name} did not list its topics`)
    })
    this.#known = new Map(topics.map((topic) => [topic.name, topic]))
    this.#askedAt = this.#runtime.clock.wall()
  }

  #refreshBehind(): void {
    if (this.#asking) return
    this.#askedAt = this.#runtime.clock.wall()
    this.#ask().catch((error: unknown) => this.#runtime.report(error))
  }
}

function draftOf(topic: TopicRef | TopicDraft): TopicDraft {
  if (typeof topic === 'string') return { name: topic }
  return 'draft' in topic ? topic.draft : topic
}

function unknownTopic(name: string): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', `there is no topic ${name}: create it with topics.ensure, or turn autoCreate on`, { field: 'topic' })
}
