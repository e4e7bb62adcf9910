import { MillraceError } from '../core/errors.js'
import type { Draft, Durability } from '../core/message.js'
import type { TopicChange } from '../core/topic.js'
import type { JoinRequest, KeepRequest, Verdict } from './engine.js'
import type { Traits } from './traits.js'

/** What an engine without the trait is asked for, refused in one place. */
export class Refusals {
  readonly #engine: { readonly name: string; readonly traits: Traits }

  /** Some traits are known once the engine is open. */
  constructor(engine: { readonly name: string; readonly traits: Traits }) {
    this.#engine = engine
  }

  get #name(): string {
    return this.#engine.name
  }

  get #traits(): Traits {
    return this.#engine.traits
  }

  level(level: Durability | undefined): void {
    if (level !== undefined && !this.#traits.durability.includes(level)) {
      throw this.#unsupported('durability', `durability ${level}: it meets ${this.#traits.durability.join(', ')}`)
    }
  }

  topic(change: TopicChange): void {
    this.level(change.durability)
    const bounded = change.cap?.bytes !== undefined || change.cap?.count !== undefined
    if (bounded && !this.#traits.cap) throw this.#unsupported('cap', 'a bound on unread messages')
    if (bounded && change.cap?.whenFull === 'trim' && !this.#traits.trim) throw this.#unsupported('cap.whenFull', 'trimming unread messages')
    if (change.mayPassUnread && !this.#traits.trim) throw this.#unsupported('mayPassUnread', 'removing unread messages')
  }

  draft(draft: Draft): MillraceError | undefined {
    if (draft.dedup && !this.#traits.dedup) return this.#unsupported('dedup', 'producer deduplication')
    if (draft.hold?.why === 'prepared' && !this.#traits.prepared) return this.#unsupported('hold', 'prepared messages')
    return undefined
  }

  join(request: JoinRequest): void {
    if (request.mode === 'broadcast' && !this.#traits.broadcast) throw this.#unsupported('mode', 'broadcast')
    if (request.park && !this.#traits.park) throw this.#unsupported('park', 'parking the later messages of a key')
  }

  verdict(verdict: Verdict, mode: JoinRequest['mode']): void {
    if (verdict.is !== 'hold') return
    if (mode === 'broadcast' && verdict.hold.why !== 'dead') {
      throw new MillraceError('UNSUPPORTED', `a broadcast member cannot hold a message as ${verdict.hold.why}: nobody would get it afterwards`, { field: 'hold' })
    }
    if (verdict.hold.why === 'lent' && !this.#traits.lend) throw this.#unsupported('hold', 'lending')
  }

  keep(request: KeepRequest): void {
    if (request.answers.size > 0 && !this.#traits.prepared) throw this.#unsupported('answers', 'prepared messages')
  }

  #unsupported(field: string, what: string): MillraceError {
    return new MillraceError('UNSUPPORTED', `engine ${this.#name} cannot do ${what}`, { field })
  }
}
