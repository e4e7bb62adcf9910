import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../../core/errors.js'
import type { Topic, TopicChange, TopicConfig } from '../../../core/topic.js'
import * as groups from './groups.js'
import * as holds from './holds.js'
import { key, within } from './keys.js'
import * as log from './log.js'
import type { Txn } from './txn.js'

export function create(txn: Txn, config: TopicConfig): Topic {
  if (txn.topic(config.name)) throw new MillraceError('TOPIC_EXISTS', `topic ${config.name} exists already: alter it, or choose another name`, { field: 'name' })
  const topic: Topic = { ...config, id: randomUUID(), createdAt: txn.wall, updatedAt: txn.wall }
  txn.putTopic({ number: txn.count('number'), topic })
  return topic
}

export function alter(txn: Txn, name: string, change: TopicChange): Topic {
  const row = groups.topicRow(txn, name)
  if ((change.partitions ?? Infinity) < row.topic.partitions) {
    throw new MillraceError('INVALID', `partitions would shrink from ${row.topic.partitions} to ${change.partitions}: they may only grow`, { field: 'partitions' })
  }
  const topic: Topic = { ...row.topic, ...change, updatedAt: txn.wall }
  txn.putTopic({ number: row.number, topic })
  if (change.paused !== undefined) txn.stir('paused', name)
  txn.stir('ready', name)
  txn.stir('room', name)
  txn.stir('members', name)
  return topic
}

export function remove(txn: Txn, name: string): void {
  const row = groups.topicRow(txn, name)
  for (const group of [...txn.groups(row.number)]) groups.remove(txn, row, group)
  for (const hold of holds.ofTopic(txn, row.number)) holds.remove(txn, hold)
  txn.flush()
  for (let partition = 0; partition < row.topic.partitions; partition += 1) log.removeAll(txn, row.number, partition)
  for (const at of [...txn.tables.dedup.getKeys(within(key({ u32: row.number })))]) txn.tables.dedup.removeSync(at)
  txn.removeTopic(name)
  txn.stir('members', name)
}
