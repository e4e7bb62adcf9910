import { resolve } from 'node:path'
import { type Cancel, type Clock, systemClock } from '../../core/clock.js'
import { isMillraceError, MillraceError } from '../../core/errors.js'
import { limits } from '../../core/limits.js'
import type { Draft, Durability, Message } from '../../core/message.js'
import { draftBytes } from '../../engine/draft.js'
import type { Check, Engine, Held, Keeping, KeepRequest, Membership, JoinRequest, Published, Stir } from '../../engine/engine.js'
import type { Traits } from '../../engine/traits.js'
import { fromWire, Link, type StoreEvent } from './link.js'
import { EmbeddedMembership } from './membership.js'
import type { PublishAnswer, PublishBatch, WireHeld, WireMessage } from './protocol.js'
import { packDrafts, readRecord } from '../../engine/record.js'

export interface EmbeddedOptions {
  /** The store's folder; created where there is none. Several processes of one host may share it. */
  readonly path: string
  /** Where `lmdb` is: `import.meta.resolve('lmdb')`. It is loaded in the store's own thread. */
  readonly lmdb: string
  /** What every commit survives: `fsync` (default) a power loss, `os` a killed process. */
  readonly durability?: 'os' | 'fsync'
  /** Bytes of stored messages at which publishing answers STORE_FULL. Default 32 GiB. */
  readonly maxBytes?: number
  readonly clock?: Clock
}

const levels: Readonly<Record<'os' | 'fsync', readonly Durability[]>> = { os: ['memory', 'os'], fsync: ['memory', 'os', 'fsync'] }

/** An engine on one LMDB file: durable, and shared by the processes of one host. */
export class EmbeddedEngine implements Engine {
  readonly name = 'embedded'
  readonly traits: Traits
  readonly topics: Engine['topics']
  readonly groups: Engine['groups']
  readonly #options: EmbeddedOptions
  readonly #clock: Clock
  readonly #alive = new SharedArrayBuffer(8)
  readonly #memberships = new Map<number, EmbeddedMembership>()
  readonly #watchers = new Set<(stir: Stir) => void>()
  readonly #checks = new Map<number, KeepRequest>()
  readonly #cancels: Cancel[] = []
  #keepings = 0
  #link: Link | undefined

  constructor(options: EmbeddedOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const durability = levels[options.durability ?? 'fsync']
    this.traits = {
      durability,
      persistent: true,
      shared: true,
      beatsWhileBlocked: true,
      park: true,
      lend: true,
      broadcast: true,
      dedup: true,
      prepared: true,
      trim: true,
      cap: true,
      bands: 1,
      census: 'exact',
    }
    this.topics = {
      create: (config) => this.#store.call('createTopic', [config]),
      alter: (name, change) => this.#store.call('alterTopic', [name, change]),
      remove: (name) => this.#store.call('removeTopic', [name]),
      list: () => this.#store.call('listTopics', []),
    }
    this.groups = {
      create: (topic, group, from) => this.#store.call('createGroup', [topic, group, from]),
      positions: (topic, group) => this.#store.call('positions', [topic, group]),
      seek: (topic, group, to, partition) => this.#store.call('seek', [topic, group, to, partition]),
      pause: (topic, group, paused) => this.#store.call('pauseGroup', [topic, group, paused]),
      remove: (topic, group) => this.#store.call('removeGroup', [topic, group]),
    }
  }

  get #store(): Link {
    if (!this.#link) throw new MillraceError('NOT_OPEN', 'engine embedded is not open: await open() first')
    return this.#link
  }

  async open(): Promise<void> {
    this.#live()
    const { path, lmdb, durability = 'fsync', maxBytes = 32 * 2 ** 30 } = this.#options
    const clock = this.#clock.shared ? { clock: this.#clock.shared } : {}
    const settings = { path: resolve(path), lmdb, durability, maxBytes, alive: this.#alive, ...clock }
    await new Promise<void>((opened, failed) => {
      const link: Link = new Link(settings, (event) => {
        if (event.event === 'opened') opened()
        else if (event.event === 'failed') failed(fromWire(event.error))
        else this.#hear(event)
      })
      this.#link = link
    })
    const turned = this.#clock.onTurn?.(() => this.#store.call('turn', []).catch(() => undefined))
    if (turned) this.#cancels.push(turned)
  }

  async close(): Promise<void> {
    // A store that cannot be written is closed all the same, and its members fall silent.
    await Promise.allSettled([...this.#memberships.keys()].map((handle) => this.#store.call('leave', [handle])))
    await this.#end('close')
  }

  /** For tests: stops as a killed process does. Its members fall silent and nothing is handed back. */
  async die(): Promise<void> {
    await this.#end('die')
  }

  async #end(verb: 'close' | 'die'): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    await this.#store.call(verb, [])
  }

  /** Tells the store's thread that this one is alive. */
  #live(): void {
    new Float64Array(this.#alive)[0] = this.#clock.monotonic()
    this.#cancels.splice(0, 1, this.#clock.after(limits.safetyLookMs, () => this.#live()))
  }

  async publish(drafts: readonly Draft[]): Promise<readonly Published[]> {
    const batch = packBatch(drafts)
    let answer: PublishAnswer
    try {
      answer = await this.#store.call('publish', [batch], [batch.bytes])
    } catch (error) {
      return drafts.map(() => notStored(error))
    }
    return drafts.map((draft, index) => this.#published(draft, index, answer))
  }

  #published({ id, topic, partition, timestamp }: Draft, index: number, { offsets, duplicates, errors }: PublishAnswer): Published {
    const error = errors.size > 0 ? errors.get(index) : undefined
    if (error) return { error: fromWire(error), stored: 'no' }
    const at = offsets[index] ?? -1
    const duplicate = duplicates.length > 0 && duplicates.includes(index)
    return { ok: { id, topic, partition, timestamp, offset: at < 0 ? null : BigInt(at), survives: this.traits.durability, duplicate } }
  }

  async join(request: JoinRequest): Promise<Membership> {
    const { revoke: _, ...plain } = request
    const handle = await this.#store.call('join', [plain])
    const membership = new EmbeddedMembership(this.#store, handle, request)
    this.#memberships.set(handle, membership)
    return membership
  }

  decide(...[decisions]: Parameters<Engine['decide']>): ReturnType<Engine['decide']> {
    return this.#store.call('decide', [decisions])
  }

  async keep(request: KeepRequest): Promise<Keeping> {
    const keeping = (this.#keepings += 1)
    this.#checks.set(keeping, request)
    await this.#store.call('keep', [keeping, [...request.answers.keys()]])
    return {
      stop: async () => {
        this.#checks.delete(keeping)
        await this.#store.call('unkeep', [keeping]).catch(() => undefined)
      },
    }
  }

  async holds(...[query]: Parameters<Engine['holds']>): ReturnType<Engine['holds']> {
    const { items, ...cursor } = await this.#store.call('holds', [query])
    return { items: items.map(heldFrom), ...cursor }
  }

  async browse(...[query]: Parameters<Engine['browse']>): ReturnType<Engine['browse']> {
    const { items, ...cursor } = await this.#store.call('browse', [query])
    return { items: items.map((item) => messageFrom(query.topic, item)), ...cursor }
  }

  watch(on: (stir: Stir) => void): () => void {
    this.#watchers.add(on)
    return () => this.#watchers.delete(on)
  }

  census(): ReturnType<Engine['census']> {
    return this.#store.call('census', [])
  }

  #hear(event: Exclude<StoreEvent, { readonly event: 'opened' | 'failed' }>): void {
    if (event.event === 'stirs') for (const stir of event.stirs) this.#stir(stir)
    else if (event.event === 'revoke') void this.#memberships.get(event.member)?.revoke(event.partitions)
    else if (event.event === 'lost') this.#memberships.get(event.member)?.lost(event.partitions)
    else void this.#ask(event.producerGroup, heldFrom(event.held))
  }

  #stir(stir: Stir): void {
    for (const on of this.#watchers) {
      try {
        on(stir)
      } catch {
        // A watcher that throws disturbs nobody: looking is its own affair.
      }
    }
  }

  async #ask(producerGroup: string, held: Held): Promise<void> {
    const check = [...this.#checks.values()].flatMap(({ answers }) => answers.get(producerGroup) ?? []).at(0)
    const answer = check ? await answerOf(check, held) : 'unknown'
    if (answer === 'unknown') return
    // An answer that cannot be stored is asked for again.
    await this.#store.call('decide', [[{ hold: held.id, to: answer === 'commit' ? 'release' : 'drop' }]]).catch(() => undefined)
  }
}

async function answerOf(check: Check, held: Held): ReturnType<Check> {
  try {
    return await check(held)
  } catch {
    return 'unknown'
  }
}

function packBatch(drafts: readonly Draft[]): PublishBatch {
  const { bytes, ends } = packDrafts(drafts)
  const topics = [...new Set(drafts.map(({ topic }) => topic))]
  const special = new Map<number, NonNullable<ReturnType<PublishBatch['special']['get']>>>()
  drafts.forEach(({ hold, dedup }, index) => {
    if (hold || dedup) special.set(index, { ...(hold ? { hold } : {}), ...(dedup ? { dedup } : {}) })
  })
  return {
    bytes,
    ends,
    topics,
    topic: Uint32Array.from(drafts, ({ topic }) => topics.indexOf(topic)),
    partition: Uint32Array.from(drafts, ({ partition }) => partition),
    size: Uint32Array.from(drafts, draftBytes),
    special,
  }
}

function notStored(error: unknown): Published {
  if (!isMillraceError(error)) throw error
  return { error, stored: error.code === 'STORE_FULL' || error.code === 'CLOSED' ? 'no' : 'unknown' }
}

function messageFrom(topic: string, { partition, offset, record }: WireMessage): Message {
  return readRecord(Buffer.from(record.buffer, record.byteOffset, record.byteLength), { topic, partition, offset: BigInt(offset) })
}

function heldFrom({ meta, record }: WireHeld): Held {
  const { id, hold, topic, partition, offset, heldAt } = meta
  const message = messageFrom(topic, { partition, offset: offset ?? 0, record })
  return { id, hold, heldAt, message: { ...message, offset: offset === null ? null : message.offset } }
}
