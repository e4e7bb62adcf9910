import type { GroupMember, GroupRequest, KafkaClient, NewRecord, Reader, ReaderEvents, Sent, Transactor } from '../port.js'
import { ConfluentAdmin } from './admin.js'
import type { TopicConfigs } from './configs.js'
import { LastingMember } from './lasting-member.js'
import type { Base } from './link.js'
import { closed } from './outbox.js'
import { ConfluentProducer } from './producer.js'
import { ConfluentReader } from './reader.js'
import { ConfluentTransactor } from './transactor.js'
import { within } from './wait.js'

export class ConfluentClient implements KafkaClient {
  readonly name = 'confluent'
  /** Heartbeats come from the client's own thread. */
  readonly beatsWhileBlocked = true
  readonly admin: ConfluentAdmin
  readonly #base: Base
  readonly #producer: ConfluentProducer
  readonly #transactors = new Set<ConfluentTransactor>()
  readonly #readers = new Set<ConfluentReader>()
  readonly #members = new Set<LastingMember>()
  #closing: Promise<void> | undefined

  constructor(base: Base, configs: TopicConfigs) {
    this.#base = base
    this.#producer = new ConfluentProducer(base)
    this.admin = new ConfluentAdmin(base, configs, { changed: (topic) => this.#producer.forget(topic), reached: (due) => this.#producer.reached(due) })
  }

  async open(): Promise<void> {
    this.#refuseClosed()
    await this.#producer.open()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  send(records: readonly NewRecord[]): Promise<readonly Sent[]> {
    return this.#producer.send(records)
  }

  transactor(id: string): Promise<Transactor> {
    return this.#kept(this.#transactors, () => this.#transact(id), (each) => each.close())
  }

  reader(on: ReaderEvents): Promise<Reader> {
    return this.#kept(this.#readers, () => this.#read(on), (each) => each.close())
  }

  join(request: GroupRequest): Promise<GroupMember> {
    return this.#kept(this.#members, () => LastingMember.join(this.#base, request, (each) => this.#members.delete(each)), (each) => each.leave())
  }

  /** Where no broker is, a new producer would hold a thread of libuv's pool while it looks for one. */
  async #transact(id: string): Promise<ConfluentTransactor> {
    await this.#producer.reached(this.#base.clock.monotonic() + this.#base.answerMs)
    return ConfluentTransactor.open(this.#base, id, (each) => this.#transactors.delete(each))
  }

  async #read(on: ReaderEvents): Promise<ConfluentReader> {
    const reader = new ConfluentReader(this.#base, this.admin, on, (each) => this.#readers.delete(each))
    await reader.open()
    return reader
  }

  /** What comes to be while the client closes is closed with it. */
  async #kept<Part>(parts: Set<Part>, make: () => Promise<Part>, end: (part: Part) => Promise<void>): Promise<Part> {
    this.#refuseClosed()
    const part = await make()
    parts.add(part)
    if (this.#closing === undefined) return part
    await end(part)
    throw closed()
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw closed()
  }

  /** Every part bounds its own end; this bounds them together. */
  async #close(): Promise<void> {
    const parts = [...[...this.#members].map((each) => each.leave()), ...[...this.#readers, ...this.#transactors, this.#producer].map((each) => each.close())]
    await within(this.#base.clock, this.#base.closeMs * 3, Promise.allSettled(parts))
    await within(this.#base.clock, this.#base.closeMs, this.admin.close())
  }
}
