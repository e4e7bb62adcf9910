import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { GroupMember, GroupRequest, KafkaAdmin, KafkaClient, NewRecord, Reader, ReaderEvents, Sent, Transactor } from '../port.js'
import { KafkaJsAdmin } from './admin.js'
import { failure } from './failure.js'
import { KafkaJsMember } from './member.js'
import type { KafkaJsModule } from './module.js'
import { Nodes } from './nodes.js'
import { KafkaJsReader } from './reader.js'
import { Sender } from './sender.js'
import { checkSettings, type KafkaJsSettings } from './settings.js'
import { KafkaJsTransactor } from './transactor.js'

export interface KafkaJsOptions {
  /** What `await import('kafkajs')` gives, version 2.2.4. */
  readonly module: KafkaJsModule
  /** `host:port` of some brokers; they tell of the others. */
  readonly brokers: readonly string[]
  /** `ssl`, `sasl` and whatever else of kafkajs's `KafkaConfig` says nothing about what is promised. */
  readonly settings?: KafkaJsSettings
  /** How long the cluster may be away before a call fails; 30 s. */
  readonly patienceMs?: Millis
}

const patienceMs = 30_000
/** How long members may hand back at the close. */
const closeMs = 3_000

/** A Kafka client on kafkajs: pure JavaScript, nothing to build. */
export function kafkajs(options: KafkaJsOptions): KafkaClient {
  return new KafkaJsClient(options)
}

/** Only the verbs on topics and groups, for a client that lacks some. `close` when done. */
export function kafkajsAdmin(options: KafkaJsOptions): KafkaAdmin & { close(): Promise<void> } {
  const nodes = nodesOf(options, 'millrace-admin')
  const admin = new KafkaJsAdmin(nodes, options.patienceMs ?? patienceMs)
  return Object.assign(admin, {
    close: async () => {
      admin.stop()
      await nodes.close()
    },
  })
}

class KafkaJsClient implements KafkaClient {
  readonly name = 'kafkajs'
  readonly beatsWhileBlocked = false
  readonly admin: KafkaJsAdmin
  readonly #options: KafkaJsOptions
  readonly #patienceMs: Millis
  readonly #nodes: Nodes
  readonly #sender: Sender
  readonly #closers = new Set<() => Promise<void>>()
  #closed = false

  constructor(options: KafkaJsOptions) {
    this.#options = options
    this.#patienceMs = options.patienceMs ?? patienceMs
    this.#nodes = nodesOf(options, 'millrace')
    this.#sender = new Sender(this.#nodes, this.#patienceMs)
    this.admin = new KafkaJsAdmin(this.#nodes, this.#patienceMs)
  }

  async open(): Promise<void> {
    try {
      await this.#nodes.metadata([])
    } catch (error) {
      const { code, message } = failure(error, `Kafka at ${this.#options.brokers.join(', ')}`)
      throw new MillraceError(code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' ? code : 'CONFIG', message, { field: 'brokers', cause: error })
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#sender.close()
    this.admin.stop()
    await Promise.all([...this.#closers].map((close) => close()))
    await this.#nodes.close()
  }

  send(records: readonly NewRecord[]): Promise<readonly Sent[]> {
    return this.#sender.send(records)
  }

  async transactor(id: string): Promise<Transactor> {
    this.#refuseClosed()
    const close = (): Promise<void> => made.close()
    const made = new KafkaJsTransactor(this.#nodes, id, this.#patienceMs, () => this.#closers.delete(close))
    this.#closers.add(close)
    try {
      await made.open()
      return made
    } catch (error) {
      await made.close()
      throw error
    }
  }

  async reader(on: ReaderEvents): Promise<Reader> {
    const close = (): Promise<void> => made.close()
    const made = new KafkaJsReader(this.#own('millrace-reader'), codecsOf(this.#options.module), on, () => this.#closers.delete(close))
    this.#closers.add(close)
    return made
  }

  async join(request: GroupRequest): Promise<GroupMember> {
    const close = (): Promise<void> => made.leave(closeMs)
    const made = new KafkaJsMember(this.#own(request.member), request, () => this.#closers.delete(close))
    this.#closers.add(close)
    try {
      await made.start()
      return made
    } catch (error) {
      made.die()
      throw error
    }
  }

  /** Connections of its own, so that a fetch or a join that waits keeps nobody else waiting. */
  #own(clientId: string): Nodes {
    this.#refuseClosed()
    return nodesOf(this.#options, clientId)
  }

  #refuseClosed(): void {
    if (this.#closed) throw new MillraceError('CLOSED', 'the client is closed')
  }
}

function nodesOf({ module, brokers, settings = {} }: KafkaJsOptions, name: string): Nodes {
  checkSettings({ ...settings })
  if (brokers.length === 0 || brokers.some((each) => !/^.+:\d+$/.test(each))) throw new MillraceError('CONFIG', 'kafkajs: `brokers` are written as host:port', { field: 'brokers' })
  const { clientId } = settings
  return new Nodes(module, brokers, settings, clientId === undefined ? name : `${clientId}-${name}`)
}

function codecsOf(module: KafkaJsModule): KafkaJsModule['CompressionCodecs'] {
  return module.CompressionCodecs ?? module.default?.CompressionCodecs
}
