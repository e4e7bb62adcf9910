import type { Millis } from '../../../core/clock.js'
import { MillraceError } from '../../../core/errors.js'
import type { Offset } from '../../../core/message.js'
import type { Bounds, GroupPlace, GroupState, KafkaAdmin, NewTopic, TopicDescription } from '../port.js'
import { stopper } from './deadline.js'
import { code, failure, typeOf } from './failure.js'
import { insist, until, type Patience } from './insist.js'
import type { Broker, PartitionsOf } from './module.js'
import type { Nodes, Partitions } from './nodes.js'
import { alterTopicConfig } from './wire-calls.js'

const committedOnly = 1
const firstOffset = -2
const endOffset = -1
const topicResource = 2
const none = -1n
/** Groups that are described by one call. */
const groupsAtOnce = 200

/** Topics, offsets and groups. Uses nothing of the adapter but the connections, so that another client's adapter can be handed it. */
export class KafkaJsAdmin implements KafkaAdmin {
  readonly #nodes: Nodes
  readonly #stop = stopper()
  readonly #patience: Patience

  constructor(nodes: Nodes, patienceMs: Millis) {
    this.#nodes = nodes
    this.#patience = { ms: patienceMs, signal: this.#stop.signal }
  }

  stop(): void {
    this.#stop.abort()
  }

  async createTopic({ name, partitions, replicationFactor, config }: NewTopic): Promise<'created' | 'exists'> {
    const what = `creating topic ${name}`
    const configEntries = Object.entries(config).map(([entry, value]) => ({ name: entry, value }))
    let asked = false
    const made = await insist(this.#patience, what, async () => {
      const before = asked
      asked = true
      try {
        await (await this.#controller()).createTopics({ topics: [{ topic: name, numPartitions: partitions, replicationFactor, configEntries }], timeout: this.#nodes.requestMs })
        return true
      } catch (error) {
        const first = firstOf(error)
        // The answer to our own first try may have been lost.
        if (typeOf(first) === 'TOPIC_ALREADY_EXISTS') return before
        throw first
      }
    })
    await this.#ready(name, (seen) => seen.size > 0)
    return made ? 'created' : 'exists'
  }

  async removeTopic(name: string): Promise<boolean> {
    let asked = false
    const removed = await insist(this.#patience, `removing topic ${name}`, async () => {
      const before = asked
      asked = true
      try {
        await (await this.#controller()).deleteTopics({ topics: [name], timeout: this.#nodes.requestMs })
        return true
      } catch (error) {
        if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return before
        throw error
      }
    })
    await until(this.#patience, `topic ${name} is not gone`, async () => ((await this.#nodes.look(name)) === undefined ? true : undefined))
    return removed
  }

  async addPartitions(name: string, partitions: number): Promise<void> {
    await insist(this.#patience, `adding partitions to topic ${name}`, async () => {
      const seen = await this.#nodes.look(name)
      if (seen?.size === partitions) return
      if (seen !== undefined && seen.size > partitions) throw new MillraceError('INVALID', `topic ${name} has ${seen.size} partitions, and none can be taken away`, { field: 'partitions' })
      await (await this.#controller()).createPartitions({ topicPartitions: [{ topic: name, count: partitions }], timeout: this.#nodes.requestMs })
    })
    await this.#ready(name, (seen) => seen.size >= partitions)
  }

  async describeTopic(name: string): Promise<TopicDescription | undefined> {
    return insist(this.#patience, `describing topic ${name}`, async () => {
      const seen = await this.#nodes.look(name)
      if (seen === undefined) return undefined
      try {
        const { resources } = await (await this.#nodes.any()).describeConfigs({ resources: [{ type: topicResource, name }] })
        const entries = resources.flatMap(({ configEntries }) => configEntries).map(({ configName, configValue }) => [configName, configValue ?? ''])
        const [first] = seen.values()
        return { partitions: seen.size, replicationFactor: first?.replicas ?? 0, config: Object.fromEntries(entries) }
      } catch (error) {
        if (typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
        throw error
      }
    })
  }

  async alterConfig(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { code: number, why } = await insist(this.#patience, `configuring topic ${name}`, async () => alterTopicConfig(await this.#controller(), name, config))
    if (number === code.unknownTopic) throw new MillraceError('UNKNOWN_TOPIC', `there is no topic ${name}`)
    if (number === code.topicForbidden) throw new MillraceError('FORBIDDEN', `topic ${name}: the broker refuses to configure it`)
    if (number !== code.none) throw new MillraceError('CONFIG', `topic ${name}: the broker refuses the configuration with the code ${number}: ${why}`)
  }

  async bounds(topic: string, partitions: readonly number[]): Promise<readonly Bounds[]> {
    const [starts, ends] = await Promise.all([this.#offsets(topic, partitions, firstOffset), this.#offsets(topic, partitions, endOffset)])
    return partitions.map((partition) => ({ partition, start: starts.get(partition) ?? 0n, end: ends.get(partition) ?? 0n }))
  }

  async manyBounds(topics: ReadonlyMap<string, readonly number[]>): Promise<ReadonlyMap<string, readonly Bounds[]>> {
    const [starts, ends] = await Promise.all([this.#manyOffsets(topics, firstOffset), this.#manyOffsets(topics, endOffset)])
    const found = [...topics].map(([topic, partitions]) => [topic, partitions.flatMap((partition) => {
      const [start, end] = [starts.get(`${topic}/${partition}`), ends.get(`${topic}/${partition}`)]
      return start === undefined || end === undefined ? [] : [{ partition, start, end }]
    })] as const)
    return new Map(found.filter(([topic, bounds]) => bounds.length === topics.get(topic)?.length))
  }

  async offsetsAt(topic: string, partitions: readonly number[], time: Millis): Promise<readonly Offset[]> {
    const found = await this.#offsets(topic, partitions, Math.max(Math.ceil(time), 0))
    const without = partitions.filter((partition) => (found.get(partition) ?? none) < 0n)
    const ends = without.length === 0 ? found : await this.#offsets(topic, without, endOffset)
    return partitions.map((partition) => {
      const at = found.get(partition) ?? none
      return at >= 0n ? at : (ends.get(partition) ?? 0n)
    })
  }

  async deleteRecords(topic: string, before: ReadonlyMap<number, Offset>): Promise<void> {
    const starts = await this.#offsets(topic, [...before.keys()], firstOffset)
    const wanted = [...before].filter(([partition, offset]) => offset > (starts.get(partition) ?? none))
    await this.#eachLeader(`deleting records of ${topic}`, topic, wanted.map(([partition]) => partition), async (broker, partitions) => {
      await broker.deleteRecords({ topics: [{ topic, partitions: partitions.map((partition) => ({ partition, offset: String(before.get(partition) ?? 0n) })) }] })
      return []
    })
  }

  /** Every broker must answer: a group that was not seen would not be waited for. */
  async groups(): Promise<readonly GroupState[]> {
    return insist(this.#patience, 'listing groups', async () => {
      const found = await Promise.all((await this.#nodes.all()).map(async (node) => this.#groupsOf(await this.#nodes.broker(node))))
      return [...new Map(found.flat().map((each) => [each.group, each])).values()]
    })
  }

  async placesOf(group: string): Promise<readonly GroupPlace[]> {
    return insist(this.#patience, `reading the places of group ${group}`, async () => {
      const broker = await this.#nodes.broker(await this.#nodes.coordinator('group', group))
      try {
        // No topics: all of them.
        const { responses } = await broker.offsetFetch({ groupId: group, topics: [] })
        const places = responses.flatMap(({ topic, partitions }) => partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) })))
        return places.filter(({ offset }) => offset >= 0n)
      } catch (error) {
        if (typeOf(error) === 'GROUP_ID_NOT_FOUND') return []
        throw error
      }
    })
  }

  async members(group: string): Promise<number> {
    return insist(this.#patience, `describing group ${group}`, async () => {
      const broker = await this.#nodes.broker(await this.#nodes.coordinator('group', group))
      try {
        const { groups: [found] } = await broker.describeGroups({ groupIds: [group] })
        return found?.members.length ?? 0
      } catch (error) {
        if (typeOf(error) === 'GROUP_ID_NOT_FOUND') return 0
        throw error
      }
    })
  }

  async removeGroup(group: string): Promise<void> {
    await insist(this.#patience, `removing group ${group}`, async () => {
      const broker = await this.#nodes.broker(await this.#nodes.coordinator('group', group))
      const { results } = await broker.deleteGroups([group])
      const failed = results.find(({ errorCode }) => errorCode !== code.none && errorCode !== code.groupNotFound)
      if (failed === undefined) return
      if (failed.errorCode === code.coordinatorLoading || failed.errorCode === code.notCoordinator || failed.errorCode === code.coordinatorGone) throw new MillraceError('TIMEOUT', `the coordinator of group ${group} is not there`)
      throw new MillraceError('ENGINE_FAILED', `group ${group} cannot be removed, code ${failed.errorCode}: does it have members?`)
    })
  }

  /** A broker lists the groups that it coordinates. */
  async #groupsOf(broker: Broker): Promise<readonly GroupState[]> {
    const names = (await broker.listGroups()).groups.filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '').map(({ groupId }) => groupId)
    const found: GroupState[] = []
    for (let at = 0; at < names.length; at += groupsAtOnce) {
      const groupIds = names.slice(at, at + groupsAtOnce)
      // One that cannot be described is taken for one that has members.
      const { groups } = await broker.describeGroups({ groupIds }).catch(() => ({ groups: [] }))
      const empty = new Set(groups.filter(({ members }) => members.length === 0).map(({ groupId }) => groupId))
      found.push(...groupIds.map((group) => ({ group, isEmpty: empty.has(group) })))
    }
    return found
  }

  /** Of those whose leaders are known and answer. */
  async #manyOffsets(topics: ReadonlyMap<string, readonly number[]>, timestamp: number): Promise<ReadonlyMap<string, Offset>> {
    const byLeader = new Map<number, PartitionsOf<{ readonly partition: number; readonly timestamp: number }>[]>()
    for (const [topic, partitions] of topics) {
      for (const leader of new Set(partitions.map((partition) => this.#nodes.leader(topic, partition) ?? -1))) {
        const its = partitions.filter((partition) => this.#nodes.leader(topic, partition) === leader)
        if (its.length > 0) byLeader.set(leader, [...(byLeader.get(leader) ?? []), { topic, partitions: its.map((partition) => ({ partition, timestamp })) }])
      }
    }
    const answers = await Promise.all([...byLeader].map(async ([leader, asked]) => {
      const { responses } = await (await this.#nodes.broker(leader)).listOffsets({ isolationLevel: committedOnly, topics: asked })
      return responses
    }).map((answer) => answer.catch(() => [])))
    return new Map(answers.flat().flatMap(({ topic, partitions }) => partitions.map(({ partition, offset }) => [`${topic}/${partition}`, BigInt(offset)] as const)))
  }

  async #offsets(topic: string, partitions: readonly number[], timestamp: number): Promise<Map<number, Offset>> {
    const found = await this.#eachLeader(`looking up offsets of ${topic}`, topic, partitions, async (broker, some) => {
      const { responses } = await broker.listOffsets({ isolationLevel: committedOnly, topics: [{ topic, partitions: some.map((partition) => ({ partition, timestamp })) }] })
      return responses.flatMap((each) => each.partitions)
    })
    return new Map(found.map(({ partition, offset }) => [partition, BigInt(offset)]))
  }

  async #eachLeader<T>(what: string, topic: string, partitions: readonly number[], ask: (broker: Broker, partitions: readonly number[]) => Promise<readonly T[]>): Promise<readonly T[]> {
    if (partitions.length === 0) return []
    return insist(this.#patience, what, async () => {
      const byLeader = await this.#byLeader(topic, partitions)
      try {
        const answers = await Promise.all([...byLeader].map(async ([leader, some]) => ask(await this.#nodes.broker(leader), some)))
        return answers.flat()
      } catch (error) {
        this.#nodes.forget(topic)
        throw error
      }
    })
  }

  async #byLeader(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, number[]>> {
    const known = partitions.every((partition) => (this.#nodes.leader(topic, partition) ?? -1) >= 0)
    const seen = known ? undefined : await this.#nodes.look(topic)
    if (!known && seen === undefined) throw new MillraceError('UNKNOWN_TOPIC', `there is no topic ${topic}`)
    const byLeader = new Map<number, number[]>()
    for (const partition of partitions) {
      const leader = this.#nodes.leader(topic, partition)
      if (leader === undefined) throw new MillraceError('INVALID', `topic ${topic} has no partition ${partition}`, { field: 'partition' })
      if (leader < 0) throw new MillraceError('TIMEOUT', `topic ${topic}: partition ${partition} has no leader`)
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    return byLeader
  }

  /** Every partition has a leader, and the leaders know that they are. */
  async #ready(topic: string, enough: (seen: Partitions) => boolean): Promise<void> {
    const seen = await until(this.#patience, `topic ${topic} has no leaders`, async () => {
      const found = await this.#nodes.look(topic)
      return found !== undefined && enough(found) && [...found.values()].every(({ leader }) => leader >= 0) ? found : undefined
    })
    await until(this.#patience, `topic ${topic} is not served`, async () => this.#served(topic, [...seen.keys()]))
  }

  async #served(topic: string, partitions: readonly number[]): Promise<true | undefined> {
    try {
      await this.#offsets(topic, partitions, endOffset)
      return true
    } catch (error) {
      if (failure(error, 'asking').code === 'UNKNOWN_TOPIC') return undefined
      throw error
    }
  }

  async #controller(): Promise<Broker> {
    const { controllerId } = await this.#nodes.metadata([])
    return controllerId < 0 ? this.#nodes.any() : this.#nodes.broker(controllerId)
  }
}

/** kafkajs gathers the errors of single topics in one that says nothing. */
function firstOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : error
}
