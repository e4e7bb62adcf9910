import type { Cancel } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { JoinRequest } from '../../../engine/engine.js'
import * as groups from './groups.js'
import type { GroupOf } from './member-rows.js'
import type { Cursor, Txn } from './txn.js'

/** A membership of this instance, as the store's thread keeps it. */
export class Member {
  readonly handle: number
  readonly request: Omit<JoinRequest, 'revoke'>
  /** Partitions that are being drained, with what ends their time. */
  readonly draining = new Map<number, Cancel>()
  /** What a broadcast member reads next, by partition. */
  readonly broadcast: Map<number, number> | undefined
  /** The partitions that it owned at the last look. */
  owned: readonly number[] = []
  lastBeat = -Infinity
  lapsed = false
  readonly #topicId: string
  readonly #groupNumber: number
  #turn = 0

  constructor(handle: number, request: Omit<JoinRequest, 'revoke'>, of: GroupOf) {
    this.handle = handle
    this.request = request
    this.#topicId = of.topic.topic.id
    this.#groupNumber = of.group.number
    this.broadcast = request.mode === 'broadcast' ? new Map() : undefined
  }

  get id(): string {
    return this.request.member
  }

  /** The group as it stands; undefined when the topic or the group it joined is gone. */
  of(txn: Txn): GroupOf | undefined {
    const topic = txn.topic(this.request.topic)
    if (topic?.topic.id !== this.#topicId) return undefined
    if (this.broadcast) return { topic, group: { number: 0, name: this.request.group, createdAt: 0, paused: false } }
    const group = txn.group(topic.number, this.request.group)
    return group?.number === this.#groupNumber ? { topic, group } : undefined
  }

  /** The cursors it may lease from, each time beginning with another partition. */
  cursors(txn: Txn, of: GroupOf): Cursor[] {
    const mine = groups.cursors(txn, of.topic, of.group).filter(({ owner, partition }) => owner === this.id && !this.draining.has(partition))
    this.#turn = mine.length === 0 ? 0 : (this.#turn + 1) % mine.length
    return [...mine.slice(this.#turn), ...mine.slice(0, this.#turn)]
  }

  checkAlive(): void {
    if (this.lapsed) throw new MillraceError('LAPSED', `member ${this.id} is no longer in group ${this.request.group}: join again`)
  }
}
