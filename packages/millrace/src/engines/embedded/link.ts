import { Worker } from 'node:worker_threads'
import { MillraceError } from '../../core/errors.js'
import { gateOfExit } from './exit-gate.js'
import type { Reply, Request, StoreSettings, Verb, Verbs, WireError } from './protocol.js'

export type StoreEvent = Extract<Reply, { readonly event: string }>

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: MillraceError) => void
}

// What the thread makes dies with its batch: more room for it would be memory for nothing.
const resourceLimits = { maxYoungGenerationSizeMb: 16 }

/** The way to the store's thread. Calls of one tick travel together. */
export class Link {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #on: (event: StoreEvent) => void
  #calls = 0
  #batch: Request[] = []
  #transfer: ArrayBuffer[] = []
  #lost: MillraceError | undefined

  constructor(settings: Omit<StoreSettings, 'gate'>, on: (event: StoreEvent) => void) {
    this.#on = on
    const { gate, remove } = gateOfExit()
    this.#worker = new Worker(new URL('./store/worker.js', import.meta.url), { workerData: { ...settings, gate } satisfies StoreSettings, name: 'millrace-store', resourceLimits })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#lose(`the store's thread failed: ${error.message}`))
    this.#worker.on('exit', () => {
      remove()
      this.#lose("the store's thread has ended")
    })
  }

  call<V extends Verb>(verb: V, args: Parameters<Verbs[V]>, transfer: readonly ArrayBuffer[] = []): Promise<ReturnType<Verbs[V]>> {
    if (this.#lost) return Promise.reject(this.#lost)
    const call = (this.#calls += 1)
    if (this.#batch.length === 0) queueMicrotask(() => this.#send())
    this.#batch.push({ call, verb, args })
    this.#transfer.push(...transfer)
    if (this.#pending.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => this.#pending.set(call, { resolve, reject }))
  }

  #send(): void {
    const [batch, transfer] = [this.#batch, this.#transfer]
    this.#batch = []
    this.#transfer = []
    this.#worker.postMessage(batch, transfer)
  }

  #receive(reply: Reply): void {
    if ('event' in reply) {
      this.#on(reply)
      return
    }
    const pending = this.#pending.get(reply.call)
    this.#pending.delete(reply.call)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('error' in reply) pending?.reject(fromWire(reply.error))
    else pending?.resolve(reply.ok as never)
  }

  /** What was under way may or may not have been stored. */
  #lose(why: string): void {
    this.#lost ??= new MillraceError('CLOSED', `${why}: make a new engine`)
    this.#on({ event: 'failed', error: { code: 'ENGINE_FAILED', message: why } })
    const unknown = new MillraceError('UNKNOWN_OUTCOME', `${why} before it answered: the call may or may not have happened`)
    for (const { reject } of this.#pending.values()) reject(unknown)
    this.#pending.clear()
  }
}

export function fromWire({ code, message, field }: WireError): MillraceError {
  return new MillraceError(code, message, field === undefined ? {} : { field })
}
