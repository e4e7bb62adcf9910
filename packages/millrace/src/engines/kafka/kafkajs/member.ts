import type { Millis } from '../../../core/clock.js'
import type { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { GroupMember, GroupRequest } from '../port.js'
import { backoff, now, rest, stopper, within } from './deadline.js'
import { failure, isPassing, isSilence, typeOf } from './failure.js'
import type { Broker, Joined } from './module.js'
import type { Nodes } from './nodes.js'
import { shareOut } from './share-out.js'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription, protocol } from './subscription.js'

/** So long the caller of `join` waits; a group whose members are slow to rejoin may take longer. */
const firstJoinMs = 5_000
/** How often the group's leader looks whether its topic has more partitions. */
const lookMs = 5_000
const leaveMs = 2_000
/** A heartbeat is also how a member hears of a rebalance, for which others wait. They seldom come alone. */
const mostBeatMs = 500
const livelyBeatMs = 100
const livelyMs = 3_000
const commitMs = 10_000
const joinGraceMs = 5_000

const lostMembership = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])

/**
 * A member of a group that reads nothing. kafkajs's consumer takes all partitions from all members at each rebalance and leaves no time to
 * finish; this member keeps what it keeps while the others come and go, and finishes what it must give away first.
 */
export class KafkaJsMember implements GroupMember {
  readonly #nodes: Nodes
  readonly #request: GroupRequest
  readonly #ended: () => void
  readonly #beatMs: Millis
  readonly #stop = stopper()
  readonly #owned = new Set<number>()
  #member = ''
  #generation = -1
  #coordinator: number | undefined
  #broker: Broker | undefined
  /** The group's topics and their partitions, while this member leads it. */
  #leads: ReadonlyMap<string, number> | undefined
  #lastWord = now()
  #changed = now()
  /** In the generation that it knows of, and not joining the next one. */
  #settled = false
  #leaving = false
  #told = false
  #running: Promise<void> = Promise.resolve()

  constructor(nodes: Nodes, request: GroupRequest, ended: () => void) {
    this.#ended = ended
    this.#nodes = nodes
    this.#request = request
    this.#beatMs = Math.max(Math.min(Math.floor(request.sessionMs / 3), mostBeatMs), 50)
  }

  /** Joins. Errors: what the coordinator has against it. */
  async start(): Promise<void> {
    const first = new Promise<void>((resolve, reject) => {
      this.#running = this.#run(resolve, reject)
    })
    await Promise.race([first, rest(firstJoinMs, this.#stop.signal)])
  }

  async commit(places: ReadonlyMap<number, Offset>): Promise<'committed' | 'stale' | 'unknown'> {
    const until = now() + commitMs
    for (let attempt = 0; ; attempt += 1) {
      if (this.#stop.signal.aborted || [...places.keys()].some((partition) => !this.#owned.has(partition))) return 'stale'
      const generation = this.#generation
      try {
        if (places.size > 0) await this.#commit([...places])
        return 'committed'
      } catch (error) {
        // The next generation may have come about meanwhile, with us.
        if (lostMembership.has(typeOf(error)) && this.#settled && generation === this.#generation) return 'stale'
        if (!isPassing(error) && typeOf(error) !== 'REBALANCE_IN_PROGRESS' && !lostMembership.has(typeOf(error))) {
          this.#request.trouble(failure(error, `group ${this.#request.group}: a commit was refused`))
          return 'unknown'
        }
      }
      if (now() >= until) return 'unknown'
      await rest(backoff(attempt), this.#stop.signal)
    }
  }

  async leave(patienceMs = this.#request.stallMs): Promise<void> {
    if (this.#leaving || this.#stop.signal.aborted) return
    this.#leaving = true
    await this.#handBack([...this.#owned], patienceMs)
    this.#stop.abort()
    await within(leaveMs, 'leaving a group', this.#sayGoodbye()).catch(() => undefined)
    this.#ended()
    await this.#nodes.close()
    await this.#running
  }

  die(): void {
    this.#stop.abort()
    this.#ended()
    void this.#nodes.close()
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#member === '' || this.#coordinator === undefined) return
    // Not the member's own connection: a join may be waiting there.
    const broker = await this.#nodes.broker(this.#coordinator)
    await broker.leaveGroup({ groupId: this.#request.group, memberId: this.#member })
  }

  async #run(joined: () => void, refused: (error: MillraceError) => void): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; ) {
      try {
        if (!this.#settled && this.#leaving) return
        if (!this.#settled) await this.#rejoin()
        joined()
        failures = 0
        await this.#stay()
        this.#settled = false
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if (await this.#failed(error)) continue
        refused(failure(error, `joining group ${this.#request.group}`))
        await rest(backoff(failures++, 100, 2_000), this.#stop.signal)
      }
    }
  }

  /** True when it can be tried again soon. What keeps the coordinator away does not end the membership before the session does. */
  async #failed(error: unknown): Promise<boolean> {
    const type = typeOf(error)
    if (type === 'REBALANCE_IN_PROGRESS' || lostMembership.has(type)) {
      this.#settled = false
      if (type === 'REBALANCE_IN_PROGRESS') return true
      if (type !== 'ILLEGAL_GENERATION') this.#member = ''
      this.#lose()
      return true
    }
    if (isSilence(error) && this.#coordinator !== undefined) this.#nodes.suspect(this.#coordinator)
    this.#disconnect()
    const silence = now() - this.#lastWord
    if (silence >= this.#request.sessionMs) {
      this.#settled = false
      this.#lose()
    }
    const passes = isPassing(error)
    // A group's first coordinator takes a moment; a broker that is restarted too.
    if (!this.#told && (!passes || silence >= this.#beatMs * 2)) {
      this.#told = true
      this.#request.trouble(failure(error, `group ${this.#request.group}: no word from its coordinator`))
    }
    if (!passes) return false
    await rest(this.#beatMs / 4, this.#stop.signal)
    return true
  }

  async #rejoin(): Promise<void> {
    const { group, topic, sessionMs, stallMs } = this.#request
    this.#settled = false
    const broker = await this.#connected()
    const metadata = encodeSubscription(topic, this.#owned, this.#owned.size === 0 ? -1 : this.#generation)
    const asked = { groupId: group, memberId: this.#member, sessionTimeout: sessionMs, rebalanceTimeout: stallMs, groupProtocols: [{ name: protocol, metadata }] }
    const joined = await within(stallMs + joinGraceMs, 'joining a group', broker.joinGroup(asked))
    this.#member = joined.memberId
    this.#leads = undefined
    const groupAssignment = joined.leaderId === joined.memberId ? await this.#shareOut(joined) : []
    const { memberAssignment } = await within(stallMs + joinGraceMs, 'joining a group', broker.syncGroup({ groupId: group, generationId: joined.generationId, memberId: joined.memberId, groupAssignment }))
    this.#generation = joined.generationId
    this.#changed = now()
    this.#lastWord = now()
    this.#settled = true
    await this.#take(decodeAssignment(topic, memberAssignment))
  }

  /** Of every topic that a member subscribes to: a group may have members in several. */
  async #shareOut({ members }: Joined): Promise<{ memberId: string; memberAssignment: Buffer }[]> {
    const own = this.#request.topic
    const topics = new Set(members.flatMap(({ memberId, memberMetadata }) => decodeSubscription(memberId, own, memberMetadata).topics))
    this.#leads = new Map(await Promise.all([...topics].map(async (topic) => [topic, await this.#partitionsOf(topic)] as const)))
    const shares = new Map(members.map(({ memberId }) => [memberId, new Map<string, readonly number[]>()]))
    for (const [topic, count] of this.#leads) {
      const partitions = Array.from({ length: count }, (_, partition) => partition)
      const subscribed = members.map(({ memberId, memberMetadata }) => decodeSubscription(memberId, topic, memberMetadata)).filter((each) => each.topics.includes(topic))
      for (const [member, share] of shareOut(subscribed, partitions, Math.floor(Math.random() * 2 ** 30))) shares.get(member)?.set(topic, share)
    }
    return [...shares].map(([memberId, share]) => ({ memberId, memberAssignment: encodeAssignment(share) }))
  }

  async #partitionsOf(topic: string): Promise<number> {
    return (await this.#nodes.look(topic))?.size ?? 0
  }

  /** What is new can be begun; what is another's now is finished first, and then handed back by joining again. */
  async #take(given: readonly number[]): Promise<void> {
    const added = given.filter((partition) => !this.#owned.has(partition))
    const taken = [...this.#owned].filter((partition) => !given.includes(partition))
    if (this.#leaving) return
    for (const partition of added) this.#owned.add(partition)
    if (added.length > 0) this.#request.assigned(added)
    if (taken.length === 0) return
    const back = this.#handBack(taken)
    await this.#beatWhile(back)
    await this.#rejoin()
  }

  async #handBack(partitions: readonly number[], patienceMs = this.#request.stallMs): Promise<void> {
    if (partitions.length === 0) return
    try {
      await within(patienceMs, 'handing partitions back', this.#request.revoked(partitions))
    } catch (error) {
      this.#request.trouble(failure(error, `group ${this.#request.group}: partitions go to another member before they were finished`))
    }
    for (const partition of partitions) this.#owned.delete(partition)
  }

  #lose(): void {
    const lost = [...this.#owned]
    this.#owned.clear()
    if (lost.length > 0) this.#request.lost(lost)
  }

  #pauseMs(): Millis {
    return now() - this.#changed < livelyMs ? Math.min(livelyBeatMs, this.#beatMs) : this.#beatMs
  }

  async #stay(): Promise<void> {
    let looked = now()
    while (await rest(this.#pauseMs(), this.#stop.signal)) {
      await this.#beat()
      if (this.#leads === undefined || now() - looked < lookMs) continue
      looked = now()
      for (const [topic, count] of this.#leads) if ((await this.#partitionsOf(topic)) !== count) return
    }
  }

  /** A rebalance that begins meanwhile waits for us: it is joined when this is done. */
  async #beatWhile(work: Promise<void>): Promise<void> {
    let done = false
    const end = work.finally(() => {
      done = true
    })
    while (!done && !this.#stop.signal.aborted) {
      await this.#beat().catch((error: unknown) => {
        if (typeOf(error) === 'REBALANCE_IN_PROGRESS') return
        if (!isPassing(error) || now() - this.#lastWord >= this.#request.sessionMs) throw error
        this.#disconnect()
      })
      await Promise.race([end, rest(this.#pauseMs(), this.#stop.signal)])
    }
  }

  async #beat(): Promise<void> {
    const broker = await this.#connected()
    const patience = Math.max(this.#request.sessionMs - (now() - this.#lastWord), 500)
    await within(patience, 'a heartbeat', broker.heartbeat({ groupId: this.#request.group, groupGenerationId: this.#generation, memberId: this.#member }))
    this.#lastWord = now()
    this.#told = false
  }

  async #commit(places: readonly (readonly [number, Offset])[]): Promise<void> {
    const { group, topic } = this.#request
    const broker = await this.#nodes.broker((this.#coordinator ??= await this.#nodes.coordinator('group', group)))
    const partitions = places.map(([partition, offset]) => ({ partition, offset: String(offset), metadata: null }))
    await within(this.#nodes.requestMs, 'a commit', broker.offsetCommit({ groupId: group, memberId: this.#member, groupGenerationId: this.#generation, topics: [{ topic, partitions }] }))
  }

  /** A connection of its own: a join keeps it waiting while commits go on. */
  async #connected(): Promise<Broker> {
    if (this.#broker?.isConnected() === true) return this.#broker
    if (this.#broker !== undefined) this.#nodes.release(this.#broker)
    this.#coordinator ??= await this.#nodes.coordinator('group', this.#request.group)
    return (this.#broker = await this.#nodes.own(this.#coordinator))
  }

  #disconnect(): void {
    if (this.#broker !== undefined) this.#nodes.release(this.#broker)
    this.#broker = undefined
    this.#coordinator = undefined
  }
}
