import { Worker } from 'node:worker_threads'
import { systemClock, type Cancel, type Millis } from '../../core/clock.js'
import { asMillraceError, type MillraceError } from '../../core/errors.js'
import type { BeatOrder, BeatThread } from './beat-protocol.js'

/** How often the application's thread says that it is not busy. */
const aliveEveryMs = 100

/** What beats for one member. */
export interface Beating {
  /** When the last beat that was answered was asked for, by the monotonic clock. */
  readonly beatAt: Millis
  /** Resolves when it has begun, or cannot begin. */
  readonly begun: Promise<void>
  stop(): void
}

type Begun = Omit<BeatOrder & { readonly do: 'begin' }, 'do' | 'id' | 'beatAt'>

/** Beats for members from a thread of its own, while the application's is busy. Engines of a process that name the same module share the thread and its client. */
export class Pulse {
  readonly #module: string
  readonly #report: (error: MillraceError) => void
  #thread: Thread | undefined

  constructor(module: string, report: (error: MillraceError) => void) {
    this.#module = module
    this.#report = report
  }

  begin(member: Begun): Beating {
    this.#thread ??= Thread.of(this.#module, this)
    return this.#thread.begin(member)
  }

  close(): void {
    this.#thread?.leave(this)
    this.#thread = undefined
  }

  failed(error: Error): void {
    this.#thread = undefined
    this.#report(asMillraceError(error, 'ENGINE_FAILED', `the thread that beats failed: ${this.#module}`))
  }
}

const threads = new Map<string, Thread>()

class Thread {
  readonly #module: string
  readonly #worker: Worker
  readonly #alive = new Float64Array(new SharedArrayBuffer(8))
  readonly #users = new Set<Pulse>()
  #count = 0
  /** Who waits for a first beat. */
  readonly #waiting = new Map<number, () => void>()
  #stopAlive: Cancel = () => undefined

  constructor(module: string) {
    this.#module = module
    this.#stamp()
    const workerData: BeatThread = { module, alive: this.#alive }
    this.#worker = new Worker(new URL('./beat-thread.js', import.meta.url), { workerData, name: 'millrace-beat' })
    this.#worker.unref()
    this.#worker.on('message', (id: number) => this.#begun(id))
    this.#worker.on('error', (error) => {
      const users = [...this.#users]
      this.#end()
      for (const user of users) user.failed(error)
    })
  }

  static of(module: string, user: Pulse): Thread {
    const thread = threads.get(module) ?? new Thread(module)
    threads.set(module, thread)
    thread.#users.add(user)
    return thread
  }

  begin(member: Begun): Beating {
    const beatAt = new Float64Array(new SharedArrayBuffer(8))
    const id = (this.#count += 1)
    const begun = new Promise<void>((resolve) => this.#waiting.set(id, resolve))
    this.#tell({ do: 'begin', id, beatAt, ...member })
    return {
      begun,
      get beatAt() {
        return beatAt[0] ?? 0
      },
      stop: () => this.#tell({ do: 'end', id }),
    }
  }

  leave(user: Pulse): void {
    this.#users.delete(user)
    if (this.#users.size === 0) this.#end()
  }

  #begun(id: number): void {
    this.#waiting.get(id)?.()
    this.#waiting.delete(id)
  }

  #tell(order: BeatOrder): void {
    this.#worker.postMessage(order, [])
  }

  #stamp(): void {
    this.#alive[0] = systemClock.monotonic()
    this.#stopAlive = systemClock.after(aliveEveryMs, () => this.#stamp())
  }

  #end(): void {
    this.#stopAlive()
    this.#users.clear()
    for (const id of [...this.#waiting.keys()]) this.#begun(id)
    if (threads.get(this.#module) === this) threads.delete(this.#module)
    void this.#worker.terminate()
  }
}
