import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, MillraceError } from '../../core/errors.js'
import type { Draft } from '../../core/message.js'
import type { Delivery, Engine, JoinRequest } from '../../engine/engine.js'
import type { ProcessEvent, ProcessVerbs } from './process.harness.js'

const program = new URL('./process.harness.js', import.meta.url)

interface Waiting {
  readonly fits: (event: ProcessEvent) => boolean
  readonly resolve: (event: never) => void
  readonly reject: (error: Error) => void
}

type Answer = Extract<ProcessEvent, { readonly event: 'answer' }>

/** Another process with an engine, and what it says. */
export class OtherProcess {
  /** All that it said, but for the answers to calls. */
  readonly events: ProcessEvent[] = []
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>
  readonly #child: ChildProcess
  readonly #waiting = new Set<Waiting>()
  #calls = 0
  #isOver = false

  constructor() {
    this.#child = fork(program, { serialization: 'advanced', execArgv: [] })
    this.#child.on('message', (event: ProcessEvent) => this.#hear(event))
    this.exited = new Promise((resolve) => {
      // Not 'exit': what it said before it died is heard first.
      this.#child.on('close', (code, signal) => {
        this.#isOver = true
        for (const { reject } of this.#waiting) reject(new Error('the process has ended'))
        resolve({ code, signal })
      })
    })
  }

  async call<V extends keyof ProcessVerbs>(verb: V, ...args: Parameters<ProcessVerbs[V]>): Promise<Awaited<ReturnType<ProcessVerbs[V]>>> {
    const call = (this.#calls += 1)
    const heard = this.#next<Answer>((event) => event.event === 'answer' && event.call === call)
    this.#child.send({ call, verb, args })
    const { ok, error } = await heard
    if (error) throw new MillraceError(error.code as ErrorCode, error.message)
    // The process answers with what the verb gives.
    return ok as Awaited<ReturnType<ProcessVerbs[V]>>
  }

  /** The first event that fits, of those that were and of those that come. */
  async heard<E extends ProcessEvent['event']>(
    kind: E,
    fits: (event: Extract<ProcessEvent, { readonly event: E }>) => boolean = () => true,
  ): Promise<Extract<ProcessEvent, { readonly event: E }>> {
    const isIt = (event: ProcessEvent): event is Extract<ProcessEvent, { readonly event: E }> => event.event === kind && fits(event as never)
    return this.events.find(isIt) ?? this.#next(isIt)
  }

  /** The next event of a kind; false when the process ends before. */
  next(kind: ProcessEvent['event']): Promise<boolean> {
    return this.#next((event) => event.event === kind).then(() => true, () => false)
  }

  /** All events of a kind so far. */
  all<E extends ProcessEvent['event']>(kind: E): Extract<ProcessEvent, { readonly event: E }>[] {
    return this.events.filter((event) => event.event === kind) as Extract<ProcessEvent, { readonly event: E }>[]
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** Lets it end by itself. */
  async dismiss(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    await this.call('disconnect')
    return this.exited
  }

  /** Ends it as a power switch would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  #next<E extends ProcessEvent>(fits: (event: ProcessEvent) => boolean): Promise<E> {
    if (this.#isOver) return Promise.reject(new Error('the process has ended'))
    return new Promise((resolve, reject) => this.#waiting.add({ fits, resolve, reject }))
  }

  #hear(event: ProcessEvent): void {
    if (event.event !== 'answer') this.events.push(event)
    for (const waiting of this.#waiting) {
      if (!waiting.fits(event)) continue
      this.#waiting.delete(waiting)
      waiting.resolve(event as never)
    }
  }
}

/** A folder for a store and the processes that use it. */
export class Processes {
  readonly path: string
  readonly #lmdb: string
  readonly #all: OtherProcess[] = []
  #drafts = 0

  private constructor(path: string, lmdb: string) {
    this.path = path
    this.#lmdb = lmdb
  }

  static async start(lmdb: string): Promise<Processes> {
    return new Processes(await mkdtemp(join(tmpdir(), 'millrace-processes-')), lmdb)
  }

  get options(): { readonly path: string; readonly lmdb: string; readonly durability: 'os' } {
    // A killed process is what these tests are about, and `os` survives it.
    return { path: join(this.path, 'store'), lmdb: this.#lmdb, durability: 'os' }
  }

  /** A process that has opened nothing yet. */
  async fork(): Promise<OtherProcess> {
    const other = new OtherProcess()
    this.#all.push(other)
    await other.heard('ready')
    return other
  }

  async open(options: Partial<Parameters<ProcessVerbs['open']>[0]> = {}): Promise<OtherProcess> {
    const other = await this.fork()
    await other.call('open', { ...this.options, ...options })
    return other
  }

  draft(topic: string, over: Partial<Draft> = {}): Draft {
    this.#drafts += 1
    const id = over.id ?? `m${this.#drafts}`
    return { id, topic, partition: 0, key: null, value: Buffer.from(id), headers: [], timestamp: Date.now(), producerId: 'test', ...over }
  }

  /** Ends every process and removes the folder. */
  async end(): Promise<void> {
    await Promise.all(this.#all.map((other) => other.kill()))
    await rm(this.path, { recursive: true, force: true })
  }
}

/** What joining takes, with a lease that a busy machine keeps. */
export function request(member: string, over: Partial<Omit<JoinRequest, 'revoke'>> = {}): Omit<JoinRequest, 'revoke'> {
  return {
    topic: 't', group: 'g', member, mode: 'share', from: 'start', leaseMs: 1_500, stallMs: 60_000, drainMs: 5_000, maxDeliveries: 3, park: false, ...over,
  }
}

export function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ message }) => message.id)
}

/** Waits, woken by stirs, until these own the partitions of group `g` between them, as evenly as can be; says how many each owns. */
export async function ownersBecome(engine: Engine, ...names: readonly string[]): Promise<number[]> {
  for (;;) {
    const stirred = nextStir(engine)
    const owners = (await engine.groups.positions('t', 'g')).map(({ owner }) => owner)
    const shares = names.map((name) => owners.filter((owner) => owner === name).length).sort()
    if (owners.every((owner) => owner !== null && names.includes(owner)) && Math.max(...shares) - Math.min(...shares) <= 1) return shares
    await stirred
  }
}

function nextStir(engine: Engine): Promise<void> {
  return new Promise((resolve) => {
    const stop = engine.watch(() => {
      stop()
      resolve()
    })
  })
}
