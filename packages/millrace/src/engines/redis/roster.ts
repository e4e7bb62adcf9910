import type { Millis } from '../../core/clock.js'
import type { JoinRequest } from '../../engine/engine.js'
import type { Reply } from './port.js'
import { free } from './scripts/free.js'
import { beatScript, lookScript, rosterScript } from './scripts/roster.js'
import type { RedisStore } from './store.js'

/** A cursor as every member sees it. */
export interface SeenCursor {
  readonly owner: string | null
  readonly membership: string
  /** As text, '' where there is no cursor yet. */
  readonly epoch: string
  /** What the owner was not told yet; only of ours. */
  readonly hasNews: boolean
  /** The log has more than was read; only of ours. */
  readonly isMore: boolean
}

export interface Look {
  /** False when others count us as dead. */
  readonly isAlive: boolean
  /** lost: neither is known, as on a server that lost all it had. */
  readonly group: 'there' | 'paused' | 'removed' | 'lost'
  readonly members: readonly string[]
  readonly cursors: readonly SeenCursor[]
}

/** Who shares a topic for a group, as the server has it. Each look is a beat, too. */
export class Roster {
  readonly #store: RedisStore
  readonly #request: JoinRequest
  readonly #beats: string
  readonly #groups: string

  constructor(store: RedisStore, request: JoinRequest) {
    this.#store = store
    this.#request = request
    const names = store.names.topic(request.topic)
    this.#beats = names.beats(request.group)
    this.#groups = names.groups
  }

  /**
   * `after`: for each partition what was read of its log, undefined where it is not ours. `beatMs`: how long ago the last beat was asked for that was answered,
   * undefined for a member that joins. One call, or in a cluster one for each partition.
   */
  async look(after: readonly (string | undefined)[], beatMs: Millis | undefined): Promise<Look> {
    const { group, member, leaseMs } = this.#request
    const logs = after.map((_, partition) => this.#store.part(this.#request.topic, partition).log)
    const beat = [group, member, leaseMs, beatMs ?? ''] as const
    if (!this.#store.client.isCluster) {
      const reply = await this.#store.run(rosterScript, [this.#beats, this.#groups, ...logs], [...beat, ...after.map((each) => each ?? '')])
      const [beaten = null, ...cursors] = listOf(reply)
      return { ...beatOf(beaten), cursors: cursors.map(cursorOf) }
    }
    const [beaten, ...cursors] = await Promise.all([
      this.#store.run(beatScript, [this.#beats, this.#groups], beat),
      ...logs.map((log, partition) => this.#store.run(lookScript, [log], [group, after[partition] ?? ''])),
    ])
    return { ...beatOf(beaten), cursors: cursors.map((reply) => cursorOf(listOf(reply)[0] ?? null)) }
  }

  /** Frees cursors that are a membership's there and not here: that it has let go of them was lost on the way, and others wait for it. False when there was none. */
  async freeLost(cursors: readonly SeenCursor[], membership: string, isKnown: (partition: number) => boolean): Promise<boolean> {
    const { topic, group } = this.#request
    const lost = cursors.flatMap(({ membership: of, epoch }, partition) => (of === membership && !isKnown(partition) ? [{ partition, epoch }] : []))
    await Promise.all(lost.map(({ partition, epoch }) => this.#store.run(free, [this.#store.part(topic, partition).log], [group, epoch, membership])))
    return lost.length > 0
  }

  /** Others need not wait for our lease to end. */
  async leave(): Promise<void> {
    await this.#store.command(['ZREM', this.#beats, this.#request.member], this.#beats)
  }
}

function beatOf(reply: Reply): Omit<Look, 'cursors'> {
  const [isAlive, row, topic, members = null] = listOf(reply)
  const text = textOf(row)
  const group = text ? ((JSON.parse(text) as { readonly paused?: boolean }).paused ? 'paused' : 'there') : textOf(topic) ? 'removed' : 'lost' // rows of groups are ours
  return { isAlive: isAlive === 1, group, members: listOf(members).map(textOf) }
}

function cursorOf(reply: Reply): SeenCursor {
  const [owner, membership, epoch, news, isMore] = listOf(reply)
  return { owner: textOf(owner) || null, membership: textOf(membership), epoch: textOf(epoch), hasNews: Number(news) > 0, isMore: Number(isMore) > 0 }
}

function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString() : ''
}

function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : []
}
