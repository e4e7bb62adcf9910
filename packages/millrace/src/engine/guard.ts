import { MillraceError } from '../core/errors.js'
import { limits } from '../core/limits.js'
import type { Draft, Durability } from '../core/message.js'
import { checkName, checkWhole, topicConfig } from '../core/topic.js'
import { wrongWithDraft } from './draft.js'
import type { Engine, GroupAdmin, JoinRequest, Membership, Published, TopicAdmin } from './engine.js'
import { Refusals } from './refuse.js'

/**
 * Wraps an engine once with what every engine owes and none should write again: opening once, closing once, refusal
 * before open and after close, limits, and UNSUPPORTED where a trait is absent.
 */
export function guard(engine: Engine): Engine {
  return engine instanceof GuardedEngine ? engine : new GuardedEngine(engine)
}

class GuardedEngine implements Engine {
  readonly name: string
  readonly topics: TopicAdmin
  readonly groups: GroupAdmin
  readonly #engine: Engine
  readonly #refuse: Refusals
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #isOpen = false

  constructor(engine: Engine) {
    this.name = engine.name
    this.#engine = engine
    this.#refuse = new Refusals(engine)
    this.topics = this.#guardTopics(engine.topics)
    this.groups = this.#guardGroups(engine.groups)
  }

  get traits(): Engine['traits'] {
    return this.#engine.traits
  }

  open(): Promise<void> {
    if (this.#closing) return Promise.reject(closed(this.name))
    this.#opening ??= this.#engine.open().then(
      () => {
        this.#isOpen = true
      },
      (error: unknown) => {
        this.#opening = undefined
        throw error
      },
    )
    return this.#opening
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut()
    return this.#closing
  }

  async #shut(): Promise<void> {
    await this.#opening?.catch(() => undefined)
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#engine.close()
  }

  async publish(drafts: readonly Draft[], level?: Durability): Promise<readonly Published[]> {
    this.#check()
    checkBatch('drafts', drafts)
    this.#refuse.level(level)
    const wrongWith = (draft: Draft): MillraceError | undefined => wrongWithDraft(draft) ?? this.#refuse.draft(draft)
    if (!drafts.some(wrongWith)) return this.#engine.publish(drafts, level)
    const wrong = drafts.map(wrongWith)
    const good = drafts.filter((_, index) => wrong[index] === undefined)
    const answers = (good.length > 0 ? await this.#engine.publish(good, level) : [])[Symbol.iterator]()
    return wrong.map((error) => (error ? { error, stored: 'no' } : (answers.next().value as Published)))
  }

  async join(request: JoinRequest): Promise<Membership> {
    this.#check()
    checkName('group', request.group)
    checkName('member', request.member)
    for (const field of ['leaseMs', 'stallMs', 'drainMs', 'maxDeliveries'] as const) checkWhole(field, request[field], 1, Number.MAX_SAFE_INTEGER)
    this.#refuse.join(request)
    return new GuardedMembership(await this.#engine.join(request), request.mode, this.#refuse, () => this.#check())
  }

  async decide(...[decisions]: Parameters<Engine['decide']>): ReturnType<Engine['decide']> {
    this.#check()
    checkBatch('decisions', decisions)
    return this.#engine.decide(decisions)
  }

  async keep(...[request]: Parameters<Engine['keep']>): ReturnType<Engine['keep']> {
    this.#check()
    this.#refuse.keep(request)
    return this.#engine.keep(request)
  }

  async holds(...[query]: Parameters<Engine['holds']>): ReturnType<Engine['holds']> {
    this.#check()
    checkWhole('limit', query.limit, 1, limits.maxPage)
    return this.#engine.holds(query)
  }

  async browse(...[query]: Parameters<Engine['browse']>): ReturnType<Engine['browse']> {
    this.#check()
    checkWhole('limit', query.limit, 1, limits.maxPage)
    return this.#engine.browse(query)
  }

  watch(...[on]: Parameters<Engine['watch']>): ReturnType<Engine['watch']> {
    return this.#engine.watch(on)
  }

  async census(): ReturnType<Engine['census']> {
    this.#check()
    return this.#engine.census()
  }

  #check(): void {
    if (this.#isOpen) return
    if (this.#closing) throw closed(this.name)
    throw new MillraceError('NOT_OPEN', `engine ${this.name} is not open: await open() first`)
  }

  #guardTopics(topics: TopicAdmin): TopicAdmin {
    return {
      create: async (config) => {
        this.#check()
        const checked = topicConfig(config)
        this.#refuse.topic(checked)
        return topics.create(checked)
      },
      alter: async (name, change) => {
        this.#check()
        topicConfig({ ...change, name })
        this.#refuse.topic(change)
        return topics.alter(name, change)
      },
      remove: async (name) => {
        this.#check()
        return topics.remove(name)
      },
      list: async () => {
        this.#check()
        return topics.list()
      },
    }
  }

  #guardGroups(groups: GroupAdmin): GroupAdmin {
    return {
      create: async (topic, group, from) => {
        this.#check()
        checkName('group', group)
        return groups.create(topic, group, from)
      },
      positions: async (topic, group) => {
        this.#check()
        return groups.positions(topic, group)
      },
      seek: async (topic, group, to, partition) => {
        this.#check()
        return groups.seek(topic, group, to, partition)
      },
      pause: async (topic, group, paused) => {
        this.#check()
        return groups.pause(topic, group, paused)
      },
      remove: async (topic, group) => {
        this.#check()
        return groups.remove(topic, group)
      },
    }
  }
}

class GuardedMembership implements Membership {
  readonly #membership: Membership
  readonly #mode: JoinRequest['mode']
  readonly #refuse: Refusals
  readonly #check: () => void
  #leaving: Promise<void> | undefined

  constructor(membership: Membership, mode: JoinRequest['mode'], refuse: Refusals, check: () => void) {
    this.#membership = membership
    this.#mode = mode
    this.#refuse = refuse
    this.#check = check
  }

  async lease(...[ask]: Parameters<Membership['lease']>): ReturnType<Membership['lease']> {
    this.#check()
    if (this.#leaving) throw new MillraceError('LAPSED', 'this membership has left its group: join again')
    checkWhole('max', ask.max, 1, limits.maxLease)
    return ask.signal?.aborted ? [] : this.#membership.lease(ask)
  }

  async settle(...[verdicts]: Parameters<Membership['settle']>): ReturnType<Membership['settle']> {
    this.#check()
    checkBatch('verdicts', verdicts)
    for (const verdict of verdicts) this.#refuse.verdict(verdict, this.#mode)
    if (this.#leaving) return verdicts.map(() => 'lapsed')
    return this.#membership.settle(verdicts)
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#membership.leave()
    return this.#leaving
  }
}

function checkBatch(field: string, items: readonly unknown[]): void {
  if (items.length > limits.maxBatch) throw new MillraceError('INVALID', `${field} are ${items.length}: at most ${limits.maxBatch} in one call`, { field })
}

function closed(name: string): MillraceError {
  return new MillraceError('CLOSED', `engine ${name} is closed: make a new one`)
}
