import { existsSync } from 'node:fs'
import { isMillraceError } from '../../core/errors.js'
import type { Draft } from '../../core/message.js'
import { topicConfig, type TopicDraft } from '../../core/topic.js'
import { TurnedClock } from '../../core/turned-clock.js'
import type { Delivery, Engine, HoldQuery, JoinRequest, LeaseRequest, Membership, Verdict } from '../../engine/engine.js'
import { guard } from '../../engine/guard.js'
import { embedded, type EmbeddedOptions } from './index.js'

// A process for tests: an engine whose verbs come as messages of the process that forked it. See `processes.harness.ts`.

export type OpenOptions = Omit<EmbeddedOptions, 'clock'> & {
  /** A clock that nobody turns: no timer ever fires. */
  readonly isTimeStill?: boolean
}

export interface Flood {
  readonly topic: string
  readonly partitions: number
  readonly batch: number
  readonly prefix: string
  /** Calls that are under way at once. */
  readonly underWay: number
}

export type ProcessEvent =
  | { readonly event: 'ready' }
  | { readonly event: 'stored'; readonly ids: readonly string[] }
  | { readonly event: 'stir'; readonly what: string }
  | { readonly event: 'revoked'; readonly member: string; readonly partitions: readonly number[] }
  /** A lease of a worker came back with nothing. */
  | { readonly event: 'idle'; readonly group: string }
  /** A handler began. */
  | { readonly event: 'got'; readonly group: string; readonly id: string; readonly partition: number; readonly attempt: number; readonly alone: boolean }
  /** A handler's verdict was taken. */
  | { readonly event: 'finished'; readonly group: string; readonly id: string; readonly outcome: string }
  | { readonly event: 'answer'; readonly call: number; readonly ok?: unknown; readonly error?: { readonly code: string; readonly message: string } }

const joined: { readonly membership: Membership; readonly request: JoinRequest }[] = []
let opened: Engine | undefined
let isWorking = true

function tell(event: ProcessEvent): void {
  if (process.connected) process.send?.(event)
}

/** As `tell`; resolves once the message is on its way and outlives this process. */
function told(event: ProcessEvent): Promise<void> {
  return new Promise((resolve) => process.send?.(event, () => resolve()))
}

function engine(): Engine {
  if (!opened) throw new Error('open first')
  return opened
}

function member(handle: number): (typeof joined)[number] {
  const found = joined[handle]
  if (!found) throw new Error(`no member ${handle}`)
  return found
}

const verbs = {
  open: async ({ isTimeStill = false, ...options }: OpenOptions): Promise<void> => {
    opened = guard(embedded(isTimeStill ? { ...options, clock: new TurnedClock(new SharedArrayBuffer(16)) } : options))
    await opened.open()
  },
  close: () => engine().close(),
  /** Ends by itself, once this is answered. */
  disconnect: async (): Promise<void> => void setImmediate(() => process.disconnect()),
  /** As a handler that calls `process.exit`, whatever the store's thread is doing. */
  exit: async (afterMs: number): Promise<void> => void setTimeout(() => process.exit(7), afterMs),
  createTopic: async (draft: TopicDraft): Promise<void> => void (await engine().topics.create(topicConfig(draft))),
  publish: (drafts: readonly Draft[]) => engine().publish(drafts),
  census: () => engine().census(),
  holds: (query: HoldQuery) => engine().holds(query),
  join: async (request: Omit<JoinRequest, 'revoke'>): Promise<number> => {
    const revoke = async (partitions: readonly number[]): Promise<void> => tell({ event: 'revoked', member: request.member, partitions })
    const membership = await engine().join({ ...request, revoke })
    return joined.push({ membership, request: { ...request, revoke } }) - 1
  },
  lease: (handle: number, ask: Omit<LeaseRequest, 'signal'>) => member(handle).membership.lease(ask),
  settle: (handle: number, verdicts: readonly Verdict[]) => member(handle).membership.settle(verdicts),
  leave: (handle: number) => member(handle).membership.leave(),
  watch: async (): Promise<void> => void engine().watch(({ what }) => tell({ event: 'stir', what })),
  flood: async (flood: Flood): Promise<void> => {
    for (let lane = 0; lane < flood.underWay; lane += 1) void publishForEver(flood, lane)
  },
  /** Leases and finishes, one after another; a message with the id `killer` ends the process inside its handler. */
  work: async (handle: number, killer?: string): Promise<void> => void workForEver(handle, killer),
  /** Finishes what it has and takes no more. */
  stopWork: async (): Promise<void> => {
    isWorking = false
  },
  /** Keeps this thread busy until there is such a file, as a handler that computes does. */
  block: async (file: string): Promise<void> => {
    const cell = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(file)) Atomics.wait(cell, 0, 0, 5)
  },
}

export type ProcessVerbs = typeof verbs

async function publishForEver({ topic, partitions, batch, prefix }: Flood, lane: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const drafts = Array.from({ length: batch }, (_, index): Draft => {
      const id = `${prefix}-${lane}-${round}-${index}`
      return { id, topic, partition: (round + index) % partitions, key: null, value: Buffer.alloc(100 + ((round * 37) % 900), id), headers: [], timestamp: Date.now(), producerId: prefix }
    })
    const answers = await engine().publish(drafts)
    tell({ event: 'stored', ids: answers.flatMap((answer) => ('ok' in answer ? [answer.ok.id] : [])) })
  }
}

async function workForEver(handle: number, killer: string | undefined): Promise<void> {
  const { membership, request } = member(handle)
  while (isWorking) {
    const leased = await membership.lease({ max: 10, waitMs: 200 })
    for (const delivery of leased) await handleOne(membership, request.group, delivery, killer)
    if (leased.length === 0) tell({ event: 'idle', group: request.group })
  }
}

async function handleOne(membership: Membership, group: string, delivery: Delivery, killer: string | undefined): Promise<void> {
  const { id, partition } = delivery.message
  await told({ event: 'got', group, id, partition, attempt: delivery.attempt, alone: delivery.alone })
  if (id === killer) process.kill(process.pid, 'SIGKILL')
  const [outcome = 'none'] = await membership.settle([{ delivery, is: 'done' }])
  tell({ event: 'finished', group, id, outcome })
}

interface Ask {
  readonly call: number
  readonly verb: keyof ProcessVerbs
  readonly args: readonly never[]
}

async function perform({ call, verb, args }: Ask): Promise<void> {
  const run: (...args: readonly never[]) => Promise<unknown> = verbs[verb]
  try {
    tell({ event: 'answer', call, ok: await run(...args) })
  } catch (error) {
    if (!isMillraceError(error)) throw error
    tell({ event: 'answer', call, error: { code: error.code, message: error.message } })
  }
}

process.on('message', (ask: Ask) => void perform(ask))
process.on('disconnect', () => process.exit())
tell({ event: 'ready' })
