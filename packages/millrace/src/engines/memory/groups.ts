import type { Clock } from '../../core/clock.js'
import type { GroupAdmin, GroupPosition, Place, StartAt } from '../../engine/engine.js'
import type { Member } from './member.js'
import { offsetOf } from './place.js'
import type { MemoryStore } from './store.js'

export class Groups implements GroupAdmin {
  readonly #store: MemoryStore
  readonly #clock: Clock
  readonly #onChange: () => void

  constructor(store: MemoryStore, clock: Clock, onChange: () => void) {
    this.#store = store
    this.#clock = clock
    this.#onChange = onChange
  }

  async create(topicName: string, name: string, from: StartAt): Promise<boolean> {
    const topic = this.#store.topic(topicName)
    if (topic.groups.has(name)) return false
    topic.addGroup(name, from, this.#clock.monotonic())
    topic.capacity.recount()
    this.#onChange()
    return true
  }

  async positions(topicName: string, name: string): Promise<readonly GroupPosition[]> {
    const group = this.#store.topic(topicName).group(name)
    group.expelSilent(this.#clock.monotonic())
    return group.cursors.map((cursor) => ({
      partition: cursor.log.partition,
      watermark: BigInt(cursor.flight.low),
      end: BigInt(cursor.log.end),
      lag: cursor.ready + cursor.leased,
      // Only members own cursors.
      owner: (cursor.owner as Member | null)?.id ?? null,
      epoch: cursor.epoch,
    }))
  }

  async seek(topicName: string, name: string, to: Place, partition?: number): Promise<void> {
    const topic = this.#store.topic(topicName)
    const group = topic.group(name)
    const logs = partition === undefined ? topic.logs : [topic.log(partition)]
    const offsets = new Map(logs.map((log) => [log.partition, offsetOf(log, to)]))
    const inWay = this.#store.holds.where(
      ({ counts, hold: { why }, message }) =>
        counts === group.counts && (why === 'retry' || why === 'lent') && Number(message.offset) >= (offsets.get(message.partition) ?? Infinity),
    )
    for (const record of inWay) this.#store.holds.remove(record)
    for (const [each, offset] of offsets) group.purged += group.cursors[each]?.seek(offset) ?? 0
    topic.capacity.recount()
    this.#store.stir({ what: 'ready', topic: topicName, group: name })
    this.#onChange()
  }

  async pause(topicName: string, name: string, paused: boolean): Promise<void> {
    const group = this.#store.topic(topicName).group(name)
    group.isPaused = paused
    group.wake()
    this.#store.stir({ what: 'paused', topic: topicName, group: name })
  }

  async remove(topicName: string, name: string): Promise<void> {
    const topic = this.#store.topic(topicName)
    const group = topic.group(name)
    topic.groups.delete(name)
    group.dissolve()
    for (const record of this.#store.holds.where((each) => each.counts === group.counts)) this.#store.holds.remove(record)
    group.stirMembers()
    this.#onChange()
  }
}
