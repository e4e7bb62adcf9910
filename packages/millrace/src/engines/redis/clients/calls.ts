import { createHash } from 'node:crypto'
import type { Cancel, Clock, Millis } from '../../../core/index.js'
import type { Argument, Command, RedisConnection, Reply, Script } from '../port.js'
import { Failure } from './failure.js'
import { replyOf } from './reply.js'
import { tagOf } from './slots.js'
import type { Wire } from './wire.js'

const firstWaitMs = 20
const longestWaitMs = 500

export interface CallOptions {
  readonly clock: Clock
  /** How long a call may take that says nothing else. */
  readonly deadlineMs: Millis
}

/** A call and what has become of it so far. */
interface Call {
  readonly order: number
  readonly key: string | undefined
  words: Command
  /** What is asked of a server that does not know the script. */
  readonly whole: (() => Command) | undefined
  readonly resolve: (reply: Reply) => void
  readonly reject: (failure: Failure) => void
  cancel: Cancel
  tries: number
  out: boolean
  settled: boolean
  /** How many answers its lane had had when it was sent. */
  answersBefore: number
  last?: Failure
}

/** The calls for keys of one tag: those that are on their way, and those that stand in line since one has to be asked again. */
interface Lane {
  out: number
  answers: number
  readonly waiting: Call[]
  cancel?: Cancel
}

/** Calls over a wire: in order for each tag, each with its deadline, asked again while nothing was done. */
export class Calls implements RedisConnection {
  readonly #wire: Wire
  readonly #options: CallOptions
  readonly #lanes = new Map<string, Lane>()
  #order = 0

  constructor(wire: Wire, options: CallOptions) {
    this.#wire = wire
    this.#options = options
  }

  command(args: Command, key?: string, deadlineMs?: Millis): Promise<Reply> {
    return this.#place(args, key, deadlineMs)
  }

  run(script: Script, keys: readonly [string, ...string[]], args: readonly Argument[], deadlineMs?: Millis): Promise<Reply> {
    const rest = [keys.length, ...keys, ...args]
    return this.#place(['EVALSHA', hashOf(script), ...rest], keys[0], deadlineMs, () => ['EVAL', script.lua, ...rest])
  }

  #place(words: Command, key: string | undefined, deadlineMs: Millis = this.#options.deadlineMs, whole?: () => Command): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const tag = key === undefined ? '' : tagOf(key)
      const lane = this.#lanes.get(tag) ?? this.#open(tag)
      const call: Call = { order: this.#order++, key, words, whole, resolve, reject, cancel: () => undefined, tries: 0, out: false, settled: false, answersBefore: 0 }
      call.cancel = this.#options.clock.after(deadlineMs, () => this.#late(call, tag, lane, deadlineMs))
      if (lane.waiting.length > 0) lane.waiting.push(call)
      else void this.#send(call, tag, lane)
    })
  }

  #open(tag: string): Lane {
    const lane: Lane = { out: 0, answers: 0, waiting: [] }
    this.#lanes.set(tag, lane)
    return lane
  }

  async #send(call: Call, tag: string, lane: Lane): Promise<void> {
    call.out = true
    call.answersBefore = lane.answers
    lane.out += 1
    try {
      const answer = await this.#wire.send(call.words, call.key)
      if (!call.settled) this.#settle(call, () => call.resolve(replyOf(answer, call.words)))
    } catch (error) {
      if (!call.settled) this.#failed(call, lane, this.#wire.failureOf(error))
    }
    lane.answers += 1
    // One that was given up is no longer counted.
    if (!call.out) return
    call.out = false
    this.#came(tag, lane)
  }

  #failed(call: Call, lane: Lane, failure: Failure): void {
    if (failure.code === 'NOSCRIPT' && call.whole !== undefined) call.words = call.whole()
    else if (failure.became === 'again') call.tries += 1
    else return this.#settle(call, () => call.reject(failure))
    call.last = failure
    const at = lane.waiting.findIndex((each) => each.order > call.order)
    lane.waiting.splice(at < 0 ? lane.waiting.length : at, 0, call)
  }

  /** Who stands in line goes on when all who were before them have come back: else they would overtake. */
  #came(tag: string, lane: Lane): void {
    lane.out -= 1
    if (lane.out > 0) return
    if (lane.waiting.length === 0) {
      if (this.#lanes.get(tag) === lane) this.#lanes.delete(tag)
      return
    }
    const tries = lane.waiting[0]?.tries ?? 0
    const waitMs = tries === 0 ? 0 : Math.min(firstWaitMs * 2 ** (tries - 1), longestWaitMs)
    lane.cancel = this.#options.clock.after(waitMs, () => this.#goOn(tag, lane))
  }

  #goOn(tag: string, lane: Lane): void {
    delete lane.cancel
    for (const call of lane.waiting.splice(0)) void this.#send(call, tag, lane)
  }

  #late(call: Call, tag: string, lane: Lane, deadlineMs: Millis): void {
    if (call.settled) return
    const what = `${call.words[0]}${call.key === undefined ? '' : ` on ${call.key}`}`
    if (call.out) {
      call.out = false
      this.#settle(call, () => call.reject(new Failure('unknown', 'DEADLINE', `the server has not answered ${what} within ${deadlineMs} ms`)))
      this.#wire.late?.(call.key, lane.answers === call.answersBefore)
      return this.#came(tag, lane)
    }
    lane.waiting.splice(lane.waiting.indexOf(call), 1)
    this.#settle(call, () => call.reject(new Failure('again', call.last?.code ?? 'DEADLINE', `${what} could not be done within ${deadlineMs} ms: ${call.last?.message ?? 'others are before it'}`, call.last)))
    if (lane.waiting.length > 0 || lane.out > 0) return
    lane.cancel?.()
    if (this.#lanes.get(tag) === lane) this.#lanes.delete(tag)
  }

  #settle(call: Call, tell: () => void): void {
    call.settled = true
    call.cancel()
    tell()
  }
}

const hashes = new WeakMap<Script, string>()

function hashOf(script: Script): string {
  let hash = hashes.get(script)
  if (hash === undefined) {
    hash = createHash('sha1').update(script.lua).digest('hex')
    hashes.set(script, hash)
  }
  return hash
}
