import assert from 'node:assert/strict'
import type { Millis } from '../core/clock.js'
import { isMillraceError, type ErrorCode } from '../core/errors.js'
import type { Hold } from '../core/hold.js'
import type { Draft, Durability, Message, Receipt } from '../core/message.js'
import { topicConfig, type TopicDraft } from '../core/topic.js'
import type { GroupCensus, TopicCensus } from '../engine/census.js'
import type { BrowseQuery, Check, Decided, Decision, Engine, GroupPosition, Held, HoldQuery, JoinRequest, Keeping, Published } from '../engine/engine.js'
import type { Traits } from '../engine/traits.js'
import type { Harness, Instance } from './harness.js'
import { Member, type MemberOptions } from './member.js'
import { bytes } from './text.js'

/** Longest simulated time that a condition is waited for, and the steps in which it passes. */
const patienceMs = 30_000
const firstStepMs = 10
const longestStepMs = 250

type DraftOptions = Partial<Omit<Draft, 'value'>> & { readonly value?: Uint8Array | null }

/** What a case is handed: an open engine and verbs to read by. Its times are the suite's, scaled for the harness in here. */
export class Kit {
  readonly engine: Engine
  /** The instance that `engine` belongs to. */
  readonly first: Instance
  readonly #harness: Harness
  readonly #scale: number
  readonly #names: { count: number }

  private constructor(harness: Harness, first: Instance, names: { count: number }) {
    this.#harness = harness
    this.#names = names
    this.first = first
    this.engine = first.engine
    this.#scale = harness.timeScale ?? 1
  }

  static async start(harness: Harness): Promise<Kit> {
    return new Kit(harness, await harness.open(), { count: 0 })
  }

  get traits(): Traits {
    return this.engine.traits
  }

  /** Another instance on the same store; after all others were closed, the store opened again. */
  another(): Promise<Instance> {
    return this.#harness.open()
  }

  /** Closes the first instance, unless it was killed, and opens the store again. */
  async reopen(): Promise<Kit> {
    await this.comes(this.first.close())
    return new Kit(this.#harness, await this.#harness.open(), this.#names)
  }

  wall(): Millis {
    return this.#harness.wall()
  }

  /** The wall clock `ms` from now. */
  in(ms: number): Millis {
    return this.wall() + ms * this.#scale
  }

  pass(ms: number): Promise<void> {
    return this.#harness.pass(ms * this.#scale)
  }

  /** False where time is real and cannot be moved. */
  async jumpWall(ms: number): Promise<boolean> {
    if (!this.#harness.jumpWall) return false
    await this.#harness.jumpWall(ms)
    return true
  }

  async stall(ms: number): Promise<void> {
    assert.ok(this.#harness.stall, 'a harness of an engine that beats while blocked must be able to stall')
    await this.#harness.stall(ms * this.#scale)
  }

  /** Looks until `look` is neither false nor undefined, letting time pass between the looks, and answers it. */
  async until<T>(what: string, look: () => Promise<T | false | undefined> | T | false | undefined, found: () => string = () => ''): Promise<T> {
    for (let passed = 0, step = firstStepMs; ; passed += step, step = Math.min(step * 2, longestStepMs)) {
      const seen = await look()
      if (seen !== false && seen !== undefined) return seen
      assert.ok(passed < patienceMs, `not within ${patienceMs} ms: ${found() || what}`)
      await this.pass(step)
    }
  }

  /** What the promise becomes, letting time pass until it does. What takes real time has the time of the case. */
  async comes<T>(promise: Promise<T>): Promise<T> {
    const state = { over: false }
    const end = (): void => void (state.over = true)
    promise.then(end, end)
    for (let passed = 0; !state.over && passed < patienceMs; passed += longestStepMs) {
      await new Promise(setImmediate)
      if (!state.over) await this.pass(longestStepMs)
    }
    return promise
  }

  /** A topic of one partition that keeps everything, unless told otherwise. */
  async topic(config: Partial<TopicDraft> = {}): Promise<string> {
    const name = config.name ?? `topic-${this.#next()}`
    await this.engine.topics.create(topicConfig({ partitions: 1, keep: {}, ...config, ...this.#scaled(config), name }))
    return name
  }

  #scaled({ keep, groupIdleMs }: Partial<TopicDraft>): Partial<TopicDraft> {
    return {
      ...(keep?.ageMs !== undefined && { keep: { ...keep, ageMs: Math.floor(keep.ageMs * this.#scale) } }),
      ...(groupIdleMs !== undefined && { groupIdleMs: Math.floor(groupIdleMs * this.#scale) }),
    }
  }

  draft(topic: string, value: string, options: DraftOptions = {}): Draft {
    const { dedup } = options
    return {
      id: `m-${this.#next()}`, topic, partition: 0, key: null, value: bytes(value), headers: [],
      timestamp: this.wall(), producerId: 'conformance', ...options, ...(dedup && { dedup: { ...dedup, windowMs: dedup.windowMs * this.#scale } }),
    }
  }

  /** Publishes values under one key to partition 0. */
  publish(topic: string, key: string | null, ...values: readonly string[]): Promise<readonly Receipt[]> {
    return this.send(...values.map((value) => this.draft(topic, value, { key })))
  }

  /** Publishes drafts, all of which must be stored. */
  async send(...drafts: readonly Draft[]): Promise<readonly Receipt[]> {
    return receipts(await this.engine.publish(drafts))
  }

  async sendOne(draft: Draft, level?: Durability): Promise<Receipt> {
    const [receipt] = receipts(await this.engine.publish([draft], level))
    assert.ok(receipt, 'a draft has an answer')
    return receipt
  }

  /** A draft that must be refused with this code and never stored. */
  async refusesDraft(code: ErrorCode, draft: Draft): Promise<void> {
    const [answer] = await this.engine.publish([draft])
    assert.ok(answer, 'a draft has an answer')
    refused(code, answer)
  }

  /** Joins as a member of a group, alone on `engine` unless another is given. */
  async member(topic: string, group: string, options: MemberOptions = {}): Promise<Member> {
    const { engine = this.engine, leaseMs = 3_000, drainMs = 1_000, stallMs = 60_000, ...rest } = options
    const request: JoinRequest = {
      topic, group, member: `${group}-${this.#next()}`, mode: 'share', from: 'start', maxDeliveries: 3, park: false, revoke: async () => undefined, ...rest,
      leaseMs: leaseMs * this.#scale, drainMs: drainMs * this.#scale, stallMs: stallMs * this.#scale,
    }
    return new Member(this, request, await engine.join(request))
  }

  /** Keeps on `engine`, with checkers by producer group. */
  keeper(answers: Readonly<Record<string, Check>> = {}, engine: Engine = this.engine): Promise<Keeping> {
    return engine.keep({ answers: new Map(Object.entries(answers)) })
  }

  delay(inMs: number): Hold {
    return { why: 'delay', until: this.in(inMs), then: 'release', attempt: 0 }
  }

  /** Asked about after `afterMs`, then each `everyMs`, at most `checks` times, parked in `parkInMs` whatever was answered. */
  prepared({ ask = 'billing', afterMs = 5_000, everyMs = 5_000, checks = 3, parkInMs = 600_000 } = {}): Hold {
    return { why: 'prepared', until: this.in(afterMs), then: { ask, checks, everyMs: everyMs * this.#scale, parkAt: this.in(parkInMs) }, attempt: 0 }
  }

  /** Decides, and holds the engine to it: 'done', or 'accepted' where the log has the last word. */
  async decide(decision: Decision, engine: Engine = this.engine): Promise<void> {
    const [answer] = await engine.decide([decision])
    assert.ok(answer === 'done' || answer === 'accepted', `decided ${decision.hold} to ${decision.to}: answer is ${answer}`)
  }

  async decided(decision: Decision, engine: Engine = this.engine): Promise<Decided | undefined> {
    return (await engine.decide([decision]))[0]
  }

  /** All that is held, page after page. */
  async held(query: Partial<HoldQuery> = {}, engine: Engine = this.engine): Promise<readonly Held[]> {
    return pages((cursor) => engine.holds({ limit: 100, ...query, ...cursor }))
  }

  async heldOne(query: Partial<HoldQuery>): Promise<Held> {
    const [held, second] = await this.until(`one is held: ${JSON.stringify(query)}`, async () => {
      const all = await this.held(query)
      return all.length > 0 && all
    })
    assert.ok(held && !second, 'exactly one is held')
    return held
  }

  /** The log of a topic, page after page. */
  async log(topic: string, query: Partial<BrowseQuery> = {}): Promise<readonly Message[]> {
    return pages((cursor) => this.engine.browse({ topic, from: 'start', limit: 100, ...query, ...cursor }))
  }

  async position(topic: string, group: string, partition = 0): Promise<GroupPosition> {
    const position = (await this.engine.groups.positions(topic, group)).find((each) => each.partition === partition)
    assert.ok(position, `group ${group} has a position in partition ${partition}`)
    return position
  }

  async census(topic: string): Promise<TopicCensus> {
    const census = (await this.engine.census()).topics.find((each) => each.topic === topic)
    assert.ok(census, `the census knows topic ${topic}`)
    return census
  }

  async groupCensus(topic: string, group: string): Promise<GroupCensus> {
    const census = (await this.census(topic)).groups.find((each) => each.group === group)
    assert.ok(census, `the census knows group ${group}`)
    return census
  }

  #next(): number {
    this.#names.count += 1
    return this.#names.count
  }
}

/** Holds a promise to its refusal. */
export async function refuses(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(isMillraceError(error), `a MillraceError ${code}, not ${String(error)}`)
    assert.equal(error.code, code, error.message)
    return true
  })
}

export function refused(code: ErrorCode, answer: Published): void {
  assert.ok('error' in answer, `refused with ${code}`)
  assert.equal(answer.error.code, code, answer.error.message)
  assert.equal(answer.stored, 'no')
}

export function receipts(answers: readonly Published[]): readonly Receipt[] {
  return answers.map((answer) => {
    if ('ok' in answer) return answer.ok
    throw answer.error
  })
}

async function pages<T>(page: (cursor: { cursor?: string }) => Promise<{ items: readonly T[]; cursor?: string }>): Promise<readonly T[]> {
  const all: T[] = []
  let cursor: string | undefined
  do {
    assert.ok(all.length < 100_000, 'pages come to an end')
    const next = await page(cursor === undefined ? {} : { cursor })
    all.push(...next.items)
    cursor = next.cursor
  } while (cursor !== undefined)
  return all
}
